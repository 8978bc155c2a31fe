"""The spikes of a node in each step of its turn."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from snnc.compiler.inputs import Input
from snnc.compiler.laws import Firing, Floats
from snnc.compiler.laws.base import Sent
from snnc.compiler.laws.integrate_and_fire import IntegrateAndFire


def spikes_in_turn(law: Firing | Input, sent: Sent) -> Iterator[Floats]:
    """How many spikes each neuron sends, step by step; (images, *shape).

    Copies of a neuron count as the neuron: as many of them fire as its number says.

    Args:
        law: of the node that sends.
        sent: what golden says of it: numbers (images, *shape), or trains (steps, images, *shape).
    """
    if isinstance(law, IntegrateAndFire):
        planes, shape = law.bit_planes(sent), sent.shape[1:]
        for step in range(law.turn):
            bits = np.unpackbits(planes[:, step], axis=1, count=int(np.prod(shape[1:])))
            yield bits.reshape(shape).astype(np.float64)
        return
    for step in range(law.turn):
        if law.train == "bits":
            spikes = sent >> (law.turn - 1 - step) & 1
        else:
            spikes = sent if law.copies > 1 else sent != 0
        yield spikes.astype(np.float64)
