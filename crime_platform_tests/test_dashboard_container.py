import numpy as np
import pytest
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays_of

from crime_platform.dashboard.container import DTYPES, as_counts, pack, unpack

SHAPES = arrays_of.array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=4)
ARRAYS = st.sampled_from(sorted(DTYPES)).flatmap(
    lambda name: arrays_of.arrays(np.dtype(DTYPES[name]), SHAPES)
)
ARRAYS_BY_NAME = st.dictionaries(st.text(max_size=5), ARRAYS, max_size=3)
TEXTS = st.text() | st.none() | st.integers()
HEADERS = st.dictionaries(st.text(max_size=5), TEXTS, max_size=3).filter(
    lambda header: "arrays" not in header
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
