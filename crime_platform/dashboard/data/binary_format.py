"""The binary form of a part: a JSON header and the arrays it describes, ready to be viewed as is.

Little-endian: `CFP1`, the header's length as u32, the header as UTF-8 JSON padded with blanks, then
the arrays. Header and arrays start at multiples of 8 bytes, so a browser needs no copy of them.
"""

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

MAGIC = b"CFP1"
ALIGNMENT = 8  # bytes of the largest item
ARRAYS = "arrays"  # key of the header that describes them
DTYPES = {"u8": "<u1", "u16": "<u2", "u32": "<u4", "f32": "<f4", "f64": "<f8"}
COUNT_DTYPES = ("u8", "u16", "u32")  # smallest first


def pack(header: Mapping[str, object], arrays: Mapping[str, np.ndarray]) -> bytes:
    """One container.

    Args:
        header: plain values, None for what is not known; `arrays` is added here.
        arrays: by name, each of a dtype of `DTYPES`; missing floats are NaN.

    Raises:
        ValueError: if an array has another dtype, or the header is no JSON or names `arrays`.
    """
    if ARRAYS in header:
        raise ValueError(f"the header key {ARRAYS!r} is written by pack itself; rename yours")
    described, body, offset = {}, [], 0
    for name, array in arrays.items():
        dtype = _dtype_name(name, array)
        content = np.ascontiguousarray(array, dtype=DTYPES[dtype]).tobytes()
        described[name] = {"dtype": dtype, "shape": list(array.shape), "offset": offset}
        padding = -len(content) % ALIGNMENT
        body += [content, bytes(padding)]
        offset += len(content) + padding
    written = _json({**header, ARRAYS: described}).encode()
    written += b" " * (-len(written) % ALIGNMENT)
    return b"".join([MAGIC, len(written).to_bytes(4, "little"), written, *body])


def unpack(packed: bytes) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Header and read-only arrays of a container.

    Raises:
        ValueError: if the bytes are no container, or end before their last array does.
    """
    if packed[: len(MAGIC)] != MAGIC:
        raise ValueError(
            f"expected a container that starts with {MAGIC!r}, found {packed[: len(MAGIC)]!r}"
        )
    start = 8 + int.from_bytes(packed[4:8], "little")
    if len(packed) < start:
        raise ValueError(f"the container ends at byte {len(packed)}, inside its header of {start}")
    header = json.loads(packed[8:start])
    arrays = {}
    for name, told in header[ARRAYS].items():
        dtype, n = np.dtype(DTYPES[told["dtype"]]), int(np.prod(told["shape"], dtype=np.int64))
        first = start + told["offset"]
        if len(packed) < first + n * dtype.itemsize:
            raise ValueError(
                f"the container ends at byte {len(packed)}, before the end of array {name!r} at "
                f"{first + n * dtype.itemsize}; fetch it again"
            )
        arrays[name] = np.frombuffer(packed, dtype, n, first).reshape(told["shape"])
    return header, arrays


def as_counts(values: np.ndarray) -> np.ndarray:
    """Whole numbers from 0 in the smallest dtype that holds the largest of them.

    Raises:
        ValueError: if one is negative or beyond 32 bits.
    """
    low, high = (int(values.min()), int(values.max())) if values.size else (0, 0)
    for name in COUNT_DTYPES:
        dtype = np.dtype(DTYPES[name])
        if low >= 0 and high <= np.iinfo(dtype).max:
            return values.astype(dtype)
    raise ValueError(f"counts go from 0 up to 32 bits, found {low} to {high}")


def _dtype_name(name: str, array: np.ndarray) -> str:
    for known, dtype in DTYPES.items():
        if array.dtype.newbyteorder("<") == np.dtype(dtype):
            return known
    raise ValueError(
        f"array {name!r} is {array.dtype}; a container holds {', '.join(DTYPES)}, so convert it "
        "where its meaning is known"
    )


def _json(header: Mapping[str, object]) -> str:
    try:
        return json.dumps(header, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"the header cannot be written as JSON ({error}); use plain numbers and texts, and "
            "None for a number that is not known"
        ) from error
