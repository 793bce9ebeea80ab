import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays_of

from crime_platform.dashboard.data.binary_format import DTYPES, as_counts, pack, unpack

SHAPES = arrays_of.array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=4)
ARRAYS = st.sampled_from(sorted(DTYPES)).flatmap(
    lambda name: arrays_of.arrays(np.dtype(DTYPES[name]), SHAPES)
)
ARRAYS_BY_NAME = st.dictionaries(st.text(max_size=5), ARRAYS, max_size=3)
TEXTS = st.text() | st.none() | st.integers()
HEADERS = st.dictionaries(st.text(max_size=5), TEXTS, max_size=3).filter(
    lambda header: "arrays" not in header
)


def test_bytes_by_hand():
    counts, share = np.array([[1, 2, 3]], dtype=np.uint16), np.array([0.5], dtype=np.float32)

    packed = pack({"a": "é"}, {"n": counts, "p": share})

    # 109 bytes of JSON (é takes two), and three blanks that make the header a multiple of 8
    header = (
        '{"a":"é","arrays":{"n":{"dtype":"u16","shape":[1,3],"offset":0},'
        '"p":{"dtype":"f32","shape":[1],"offset":8}}}'
    ).encode()
    assert packed == (
        b"CFP1"
        + b"\x70\x00\x00\x00"  # 112
        + header
        + b"   "
        + b"\x01\x00\x02\x00\x03\x00\x00\x00"  # three u16 and the padding to 8
        + b"\x00\x00\x00\x3f\x00\x00\x00\x00"  # 0.5 is 2 ** -1: exponent 126, no fraction
    )


def test_an_empty_container_by_hand():
    assert pack({}, {}) == b'CFP1\x10\x00\x00\x00{"arrays":{}}   '


@given(HEADERS, ARRAYS_BY_NAME)
def test_what_is_packed_comes_back(header, arrays):
    told, found = unpack(pack(header, arrays))

    assert {**told, "arrays": None} == {**header, "arrays": None}
    assert list(found) == list(arrays)
    assert [each.dtype for each in found.values()] == [each.dtype for each in arrays.values()]
    assert [each.shape for each in found.values()] == [each.shape for each in arrays.values()]
    assert [each.tobytes() for each in found.values()] == [
        each.tobytes() for each in arrays.values()
    ]


@given(HEADERS, ARRAYS_BY_NAME)
def test_header_and_arrays_start_at_multiples_of_eight(header, arrays):
    packed = pack(header, arrays)
    length = int.from_bytes(packed[4:8], "little")
    told = json.loads(packed[8 : 8 + length])["arrays"]

    assert length % 8 == 0
    assert {each["offset"] % 8 for each in told.values()} <= {0}


def test_big_endian_and_strided_arrays_are_written_little_endian_in_order():
    table = np.arange(6, dtype=">u4").reshape(2, 3)

    _, found = unpack(pack({}, {"t": table.T}))

    assert found["t"].tolist() == [[0, 3], [1, 4], [2, 5]]


def test_what_comes_back_is_a_view_that_cannot_be_written():
    _, found = unpack(pack({}, {"n": np.ones(2, dtype=np.uint8)}))

    with pytest.raises(ValueError, match="read-only"):
        found["n"][0] = 2


@pytest.mark.parametrize(
    ("largest", "dtype"),
    [(0, "u1"), (255, "u1"), (256, "u2"), (65535, "u2"), (65536, "u4"), (2**32 - 1, "u4")],
)
def test_counts_take_the_smallest_dtype_that_holds_them(largest, dtype):
    counts = as_counts(np.array([0, largest]))

    assert counts.dtype == np.dtype(dtype)
    assert counts.tolist() == [0, largest]


def test_no_counts_take_a_byte_each():
    assert as_counts(np.zeros((0, 3), dtype=np.int64)).dtype == np.uint8


@pytest.mark.parametrize("values", [[-1, 2], [0, 2**32]])
def test_a_count_that_no_dtype_holds_is_refused(values):
    with pytest.raises(ValueError, match=f"32 bits, found {values[0]} to {values[1]}"):
        as_counts(np.array(values))


def test_an_array_of_another_dtype_is_refused():
    with pytest.raises(ValueError, match="array 'n' is int64; a container holds u8, u16"):
        pack({}, {"n": np.array([1])})


def test_a_header_that_names_the_arrays_is_refused():
    with pytest.raises(ValueError, match="header key 'arrays' is written by pack itself"):
        pack({"arrays": {}}, {})


@pytest.mark.parametrize("value", [float("nan"), np.float32(1)])
def test_a_header_that_is_no_json_is_refused(value):
    with pytest.raises(ValueError, match=r"cannot be written as JSON .* None for a number"):
        pack({"skill": value}, {})


def test_other_bytes_are_no_container():
    with pytest.raises(ValueError, match="starts with b'CFP1', found b'<htm'"):
        unpack(b"<html></html>")


def test_a_container_cut_in_its_header_is_refused():
    with pytest.raises(ValueError, match="ends at byte 12, inside its header of 24"):
        unpack(pack({}, {})[:12])


def test_a_container_cut_in_an_array_is_refused():
    packed = pack({}, {"n": np.ones(8, dtype=np.uint8)})

    with pytest.raises(ValueError, match=f"ends at byte {len(packed) - 1}, before .* array 'n'"):
        unpack(packed[:-1])
