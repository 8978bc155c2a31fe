"""What pieces read along an axis, beside every synapse written out."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from snnc.compiler.mapping.axes import Grouped, Sliding, Whole, bounds_of, numbers_of_pieces

SMALL = st.integers(1, 5)


@given(st.integers(1, 14), st.integers(1, 14), SMALL, SMALL, st.integers(0, 4), SMALL, st.data())
def test_sliding(source, extent, taps, stride, pad, dilation, data):
    axis = Sliding(source, extent, taps, stride, pad, dilation)
    pieces = data.draw(st.integers(1, extent))
    bounds = bounds_of(extent, pieces)
    expected = np.zeros((pieces, source), int)
    for piece in range(pieces):
        for y in range(bounds[piece], bounds[piece + 1]):
            for tap in range(taps):
                place = y * stride + tap * dilation - pad
                if 0 <= place < source:
                    expected[piece, place] += 1
    assert np.array_equal(axis.meetings(pieces), expected)
    assert np.array_equal(axis.reads(pieces), (expected > 0).sum(1))
    assert np.array_equal(axis.readers(pieces), (expected > 0).sum(0))


@given(SMALL, SMALL, SMALL, st.data())
def test_grouped(groups, inputs, outputs, data):
    axis = Grouped(groups * inputs, groups * outputs, groups)
    pieces = data.draw(st.integers(1, axis.extent))
    bounds = bounds_of(axis.extent, pieces)
    expected = np.zeros((pieces, axis.source), int)
    for piece in range(pieces):
        for channel in range(bounds[piece], bounds[piece + 1]):
            first = channel // outputs * inputs
            expected[piece, first : first + inputs] += 1
    assert np.array_equal(axis.meetings(pieces), expected)
    assert np.array_equal(axis.reads(pieces), (expected > 0).sum(1))
    assert np.array_equal(axis.readers(pieces), (expected > 0).sum(0))


def test_whole():
    axis = Whole(3, 7)
    assert axis.meetings(2).tolist() == [[3] * 3, [4] * 3]
    assert axis.reads(2).tolist() == [3, 3]
    assert axis.readers(2).tolist() == [2, 2, 2]


@pytest.mark.parametrize("extent", [1, 2, 7, 100, 224])
def test_every_size_of_pieces_has_its_fewest(extent):
    found = numbers_of_pieces(extent)
    sizes = [np.diff(bounds_of(extent, n)).max() for n in range(1, extent + 1)]
    assert found.tolist() == [1 + sizes.index(size) for size in sorted(set(sizes), reverse=True)]
