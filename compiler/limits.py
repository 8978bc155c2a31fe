"""Every range of a spiking network: one table, for the rules, the files and the options.

What is within it, the compiler may write, a reader accepts, and no sum of its proof can wrap
(`MOST_REACH`). The chip's own limits (target.py) are narrower; the rules hold a network to both.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class Range:
    """Whole numbers from one to another, both included."""

    least: int
    most: int

    def holds(self, *numbers: int) -> bool:
        """Whether all of some numbers are in it."""
        return all(self.least <= each <= self.most for each in numbers)

    def holds_all(self, values: npt.NDArray[np.integer[Any]]) -> bool:
        """Whether all of an array is in it; an empty one is."""
        return not values.size or self.holds(int(values.min()), int(values.max()))

    def __str__(self) -> str:
        return f"{self.least}..{self.most}"


WEIGHT = Range(-(1 << 15), (1 << 15) - 1)
"""What int16 holds."""
STATE = Range(-(1 << 31), (1 << 31) - 1)
"""Biases, thresholds and initial potentials: what int32 holds. Those of a legal network have 24
bits, but for the bias of a neuron that other numbers keep within them."""
EXPONENT = Range(0, 7)
LEVELS = Range(1, (1 << 23) - 1)
"""The highest number that a neuron or a pixel sends: a state of 24 bits."""
STEPS = Range(1, 1 << 12)
"""Time steps of a train, and whatever else a user counts in them."""
TURN = Range(1, 1 << 12)
"""Fire steps of a neuron, all calibrations included."""
COUNTED = Range(0, 1 << 12)
"""Time steps that a read-out counts, or for which a relay waits."""
LEAD = Range(0, 64)
"""Silent fire steps: more than any schedule needs."""
PLANES = Range(1, 16)
"""Bits of a pixel."""
COPIES = Range(1, 1 << 17)
SWITCH = Range(0, 1)
EXTENT = Range(1, 1 << 28)
"""Of shapes, kernels, strides, dilations and groups."""
PAD = Range(0, 1 << 28)
LAYER = Range(0, 1 << 14)
"""The number of a layer in a file."""

MOST_NUMBERS = 1 << 28
"""Weights, biases and thresholds, all together and with the copies that a file holds."""
MOST_NEURONS = 1 << 26
"""Of all populations and the input, without their copies; and of any image with its pads."""
MOST_NODES = 1 << 12
MOST_PROJECTIONS = 1 << 13
STATE_WORDS = Range(1, 64)
"""Of a neuron's state, which a user assumes."""
MOST_CORES = 1 << 16
"""Onto which a network is mapped: 546 chips."""
MOST_NAME = 1 << 12
"""Bytes of a name, in UTF-8."""
MOST_TEXT = 1 << 24
"""Bytes of the labels, and of the remarks; each counts as much as the longest."""
MOST_ATTRIBUTE = 1 << 12
"""Numbers in an attribute: the mean and the deviation of the channels."""

LEAST_REAL, MOST_REAL = 1e-30, 1e30
"""Sizes of real numbers: a product of a few of them is finite and not 0."""
MOST_REACH = 1 << 40
"""The sum of all that can arrive at a neuron, taken without sign, before anything is proved.

At a legal neuron at most 2^24 arrive from each of at most 2^13 sources. With biases of 32 bits over
2^12 steps, and as many calibrations of a light neuron, potentials stay below 2^56: int64 is exact
for whatever the interval analysis makes of them.
"""


def is_size(value: float) -> bool:
    """Whether a real number is above 0, and neither too small nor too large to compute with."""
    return LEAST_REAL <= value <= MOST_REAL
