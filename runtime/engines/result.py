"""What a run gives: logits, decisions, and how many of them are right."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from snnc.compiler.laws import Floats, Integers, Readout
from snnc.compiler.laws.base import Shape, per_neuron
from snnc.compiler.spiking import SpikingNetwork

Labels: TypeAlias = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class EngineResult:
    """The logits of one engine for a data set, and how fast they came."""

    engine: str
    logits: Floats
    """(images, classes), or (images, classes, *space)."""
    seconds: float

    @property
    def images(self) -> int:
        """The number of images."""
        return len(self.logits)

    @property
    def decisions(self) -> Labels:
        """The class of each image, or of each place in it."""
        return decisions_of(self.logits)

    @property
    def images_per_second(self) -> float:
        """The mean rate over the run, start included."""
        return self.images / self.seconds

    def accuracy(self, labels: Labels | None) -> float | None:
        """The share of right decisions; None where nobody knows what is right."""
        decisions = self.decisions
        if labels is None or decisions.size != self.images:
            return None
        return float(np.mean(decisions.reshape(self.images) == labels))

    def agreement(self, other: EngineResult) -> float:
        """The share of images for which both decide alike."""
        same = (self.decisions == other.decisions).reshape(self.images, -1)
        return float(np.mean(same.all(1)))

    def max_logit_error(self, other: EngineResult) -> float:
        """The largest difference between two logits."""
        return float(np.max(np.abs(self.logits - other.logits)))


def decisions_of(logits: npt.NDArray[np.floating[Any]]) -> Labels:
    """The class of the greatest logit, the first one among equals.

    A single logit stands for two classes: a sigmoid of it is above one half where it is above 0.

    Args:
        logits: (images, classes), or (images, classes, *space).
    """
    if logits.shape[1] == 1:
        return np.asarray(logits[:, 0] > 0, np.int64)
    return np.asarray(logits.argmax(1))


def classes_of(shape: Shape) -> int:
    """How many classes logits of a shape tell apart."""
    return max(shape[0], 2)


def logits_of(potential: Integers, network: SpikingNetwork) -> Floats:
    """Membrane potentials (images, *readout shape) in real terms: unit·v."""
    neuron = network.readout.neuron
    assert isinstance(neuron, Readout)
    unit: npt.NDArray[Any] = per_neuron(neuron.unit, network.readout.shape)
    return np.asarray(potential * unit, np.float64)
