"""Whole weights in the synapses of the chip."""

import numpy as np
import pytest
from support.layers import plain_layer

from snnc.compiler.network import Node
from snnc.compiler.operators import Conv
from snnc.compiler.quantization.common_factors import WholeRows
from snnc.compiler.quantization.layer import Layer, Precision
from snnc.compiler.quantization.synapses import most_times, taken_over
from snnc.compiler.spiking import Convolution
from snnc.compiler.target import LOIHI

EIGHT, SIXTEEN = Precision(LOIHI, 8), Precision(LOIHI, 16)
NAMES = {"x": "x"}


def as_they_are(made: Layer) -> WholeRows:
    weights = tuple(each.astype(int) for each in made.rows)
    return WholeRows(weights, np.ones(2), is_certain=True)


def times(made: Layer, precision: Precision) -> list[list[int]]:
    return [each.tolist() for each in most_times(made, as_they_are(made), precision)]


def test_weights_may_be_multiplied_as_often_as_a_synapse_holds_them() -> None:
    made = plain_layer([[1.0, -2.0], [40.0, 9.0]])
    assert times(made, EIGHT) == [[63, 3]] * 8
    # two synapses hold 127·2^7 + 127, and are not shifted besides
    assert times(made, SIXTEEN) == [[8191, 409]] + [[63, 3]] * 7


def test_a_power_of_2_of_all_weights_is_left_to_the_exponent() -> None:
    made = plain_layer([[800.0, -792.0], [8.0, 24.0]], [[1.0, -3.0], [5.0, 7.0]])
    # 100·2^3: four more of the seven shifts are left
    assert times(made, EIGHT) == [[1, 18]] * 5 + [[0, 0]] * 3


def test_the_projection_with_least_room_decides() -> None:
    made = plain_layer([[1.0, -3.0], [9.0, 2.0]], [[60.0, 0.0], [0.0, -2.0]])
    # the second is a shortcut, and is worth two synapses
    assert times(made, EIGHT)[0] == [42, 14]
    assert times(made, EIGHT)[1] == [2, 14]


@pytest.mark.parametrize("large", [0, 1])
def test_one_large_weight_takes_two_synapses_for_all(large: int) -> None:
    weights = np.array([[1.0, -2.0], [3.0, 1.0]])
    weights[large, 1] = 16001
    made = plain_layer(weights)
    found = taken_over(made, NAMES, as_they_are(made), 0, SIXTEEN)
    parts = [each.connection.weights << each.exponent for each in found]
    assert len(parts) == 2
    np.testing.assert_array_equal(sum(parts), weights)
    assert max(np.abs(each.connection.weights).max() for each in found) < 128


def test_one_axis_of_space_becomes_a_row() -> None:
    conv = Conv(np.array([[[3.0, -1.0]], [[1.0, 2.0]]]), np.zeros(2), (2,), (1, 1), (3,))
    node = Node("conv", conv, ("x",), (2, 4))
    made = Layer(node, (node,), (conv.weights.reshape(2, 1, 2),), (7,), conv.bias)
    (found,) = taken_over(made, NAMES, as_they_are(made), 0, EIGHT)
    connection = found.connection
    assert isinstance(connection, Convolution)
    np.testing.assert_array_equal(connection.weights, conv.weights[:, :, None])
    assert (connection.strides, connection.dilations) == ((1, 2), (1, 3))
    assert connection.pads == (0, 1, 0, 1)
