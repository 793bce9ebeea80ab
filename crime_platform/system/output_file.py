"""Files that a person asks a command to write."""

from pathlib import Path


class OutputFileError(ValueError):
    """A file that cannot be written where the person asked for it."""


def require_folder_of(path: Path) -> None:
    """Refuse a file in a folder that does not exist, before any work is done for it.

    A missing folder is nearly always a mistyped one, so it is never made.

    Raises:
        OutputFileError: if the folder is missing, or the path itself is a folder.
    """
    if path.is_dir():
        raise OutputFileError(f"{path} is a folder; add the name of the file to write in it")
    if not path.absolute().parent.is_dir():
        raise OutputFileError(
            f"{path}: there is no folder {path.parent}; make it, or correct its name"
        )
