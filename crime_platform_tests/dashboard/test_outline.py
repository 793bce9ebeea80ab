"""The border of the active cells, by hand."""

import numpy as np

from crime_platform.dashboard.data.outline import outline


def test_the_outline_by_hand():
    # Row 1 is north of row 0. Two cells below, one above the left one:
    #   #.
    #   ##
    is_active = np.array([[True, True], [True, False]])

    lines = outline(is_active, cell_size_m=500.0).tolist()

    assert lines == [
        [[0, 0], [1000, 0]],  # south side
        [[500, 500], [1000, 500]],  # on top of the right cell
        [[0, 1000], [500, 1000]],  # on top of the left ones
        [[0, 0], [0, 1000]],  # west side
        [[500, 500], [500, 1000]],  # beside the upper cell
        [[1000, 0], [1000, 500]],  # east side
    ]


def test_a_hole_has_no_outline():
    is_active = np.ones((3, 3), dtype=bool)
    is_active[1, 1] = False

    lines = outline(is_active, cell_size_m=1.0)

    assert lines.tolist() == [
        [[0, 0], [3, 0]],
        [[0, 3], [3, 3]],
        [[0, 0], [0, 3]],
        [[3, 0], [3, 3]],
    ]


def test_without_an_active_cell_there_is_no_outline():
    assert outline(np.zeros((2, 3), dtype=bool), cell_size_m=1.0).shape == (0, 2, 2)
