"""Every synapse of a small network, one by one: what the mapper and the costs are held against."""

from __future__ import annotations

import numpy as np

from snnc.compiler.mapping.mapping import CoreMapping
from snnc.compiler.spiking import Convolution, Population, Projection


def synapses(projection: Projection, source: tuple[int, ...], target: Population) -> np.ndarray:
    """How many synapses lead from each neuron of a source to each of a target, copies apart."""
    connection = projection.connection
    count = np.zeros((int(np.prod(target.shape)), int(np.prod(source))), int)
    if not isinstance(connection, Convolution):
        return count + 1
    outputs, inputs, height, width = connection.weights.shape
    size = outputs // connection.groups
    for c, y, x in np.ndindex(*target.shape):
        for k, i, j in np.ndindex(inputs, height, width):
            row = y * connection.strides[0] + i * connection.dilations[0] - connection.pads[0]
            column = x * connection.strides[1] + j * connection.dilations[1] - connection.pads[1]
            if 0 <= row < source[1] and 0 <= column < source[2]:
                place = (c // size * inputs + k, row, column)
                pair = np.ravel_multi_index((c, y, x), target.shape)
                count[pair, np.ravel_multi_index(place, source)] += 1
    return count


def core_of_neurons(mapping: CoreMapping, index: int) -> np.ndarray:
    """The core of each neuron of a layer, in the order C, H, W."""
    owners = np.full(mapping.layers[index].shape, -1)
    first = mapping.first_cores[index]
    for number, ((c, d), (y, z), (x, w)) in enumerate(mapping.slices(index)):
        assert np.all(owners[c:d, y:z, x:w] == -1)
        owners[c:d, y:z, x:w] = first + number
    assert owners.min() >= 0
    return owners.ravel()
