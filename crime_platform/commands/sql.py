"""The `sql` command: one query of the published release, which can reach nothing else."""

import json
import math
import sys
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, TextIO

import duckdb
import typer

from crime_platform.commands.output_file import (
    OutputFileError,
    require_output_files,
    written_output,
)
from crime_platform.commands.terminal import TerminalConsole, print_error, print_rows
from crime_platform.publication.release import ReleaseError, open_release
from crime_platform.system.escape import write_csv
from crime_platform.system.exit_codes import BAD_INPUT
from crime_platform.vocabulary.home import PlatformHome

BATCH_ROWS = 65_536
ASKS = {  # kinds of statement that only ask
    duckdb.StatementType.SELECT,
    duckdb.StatementType.EXPLAIN,
    duckdb.StatementType.PRAGMA,
    duckdb.StatementType.CALL,
    duckdb.StatementType.MULTI,  # PIVOT
}
OUT, ERR = TerminalConsole(), TerminalConsole(stderr=True)


class Format(StrEnum):
    """Output of `sql`."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"
    PARQUET = "parquet"


def sql(
    query: Annotated[str, typer.Argument(help="One SQL query")],
    format: Annotated[Format, typer.Option(help="How to print the rows")] = Format.TABLE,
    output: Annotated[Path | None, typer.Option(help="File to write; required for parquet")] = None,
) -> None:
    """Query the published release. The query can change nothing and reach no other file.

    The only file that is written is that of --output. Exit code 0: answered. 2: bad input.
    """
    try:
        if format is Format.PARQUET and output is None:
            raise OutputFileError("parquet needs a file: add --output FILE.parquet")
        if output is not None:
            require_output_files({"--output": output})
        with open_release(PlatformHome.from_environment()) as connection:
            result = answer(connection, query)
            _require_names_once(result, format)
            _write(result, format, output)
    except (ReleaseError, OutputFileError, duckdb.Error) as error:
        print_error(ERR, "query failed", [str(error)])
        raise typer.Exit(BAD_INPUT) from None


def answer(connection: duckdb.DuckDBPyConnection, query: str) -> duckdb.DuckDBPyRelation:
    """Rows of one query.

    Raises:
        ReleaseError: if it is not exactly one statement, or one that does more than ask.
        duckdb.Error: if it cannot be answered.
    """
    kinds = [statement.type for statement in connection.extract_statements(query)]
    for kind in kinds:
        # CREATE makes a temporary table, or the list of columns that PIVOT needs in DuckDB 1.
        if kind not in ASKS and kind != duckdb.StatementType.CREATE:  # no singletons in DuckDB 1
            raise ReleaseError(
                f"{kind.name} is refused: the release is read-only, and a query reads no other "
                "file and writes none; write a SELECT, and add --output FILE to keep its rows"
            )
    n_queries = sum(kind in ASKS for kind in kinds)
    if n_queries != 1 or kinds[-1] not in ASKS:
        raise ReleaseError(f"expected one query, found {n_queries}; write one SELECT")
    result = connection.sql(query)
    if result is None:
        raise ReleaseError("the query returns no rows; write a SELECT")
    return result


def _write(result: duckdb.DuckDBPyRelation, format: Format, output: Path | None) -> None:
    if output is None and format is Format.TABLE:
        print_rows(OUT, result.columns, result.fetchall())
    elif output is None:
        _write_text(result, format, sys.stdout)
    else:
        with written_output("--output", output) as aside:
            if format is Format.PARQUET:
                _write_parquet(result, aside)
            else:
                with aside.open("w", encoding="utf-8", newline="") as stream:
                    _write_text(result, format, stream)


def _write_text(result: duckdb.DuckDBPyRelation, format: Format, stream: TextIO) -> None:
    names, rows = result.columns, result.fetchall()
    if format is Format.JSON:
        records = [
            {name: _json_value(value) for name, value in zip(names, row, strict=True)}
            for row in rows
        ]
        stream.write(json.dumps(records, default=str, allow_nan=False) + "\n")
    else:
        write_csv(stream, names, rows)


def _json_value(value: object) -> object:
    """The value without what JSON has no word for: NaN, infinity, and keys that are no text."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, list | tuple):
        return [_json_value(each) for each in value]
    if isinstance(value, Mapping):
        return {str(key): _json_value(each) for key, each in value.items()}
    return value


def _require_names_once(result: duckdb.DuckDBPyRelation, format: Format) -> None:
    """Refuse columns that a table with a value per name would lose."""
    names = result.columns
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice and format in (Format.JSON, Format.PARQUET):
        raise ReleaseError(
            f"--format {format.value} has one value per name, and the query returns columns with "
            f"the same name: {', '.join(twice)}; rename them, as in "
            f'select {twice[0]} as "{twice[0]}_2"'
        )


def _write_parquet(result: duckdb.DuckDBPyRelation, path: Path) -> None:
    # Through Arrow: the connection itself can write no file.
    import pyarrow.parquet as pq

    with (
        result.to_arrow_reader(BATCH_ROWS) as batches,
        pq.ParquetWriter(path, batches.schema, compression="zstd") as writer,
    ):
        for batch in batches:
            writer.write_batch(batch)
