"""What calibration images teach a compilation, kept for its report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from snnc.compiler.network import Network
from snnc.compiler.pipeline import Insight
from snnc.compiler.quantization.feedback import Statistics
from snnc.compiler.spiking import Input, SpikingNetwork
from snnc.runtime.calibration import Calibration, Progress, calibrate
from snnc.runtime.data import Data, as_source, encode
from snnc.runtime.losses import LayerLoss, losses
from snnc.runtime.statistics import hear

Array: TypeAlias = npt.NDArray[Any]


@dataclass(eq=False)
class Lessons:
    """The functions that the passes call, and what they found."""

    images: Array
    """(images, *shape), as the source model reads them."""
    sent: Array
    """The same as level numbers."""
    levels: int | None
    """Of the staircases that plain activations get; None leaves them as they are."""
    progress: Progress
    calibration: Calibration | None = None
    composed: list[Network] = field(default_factory=list)

    @classmethod
    def of(
        cls,
        data: Data,
        source: Input,
        shape: tuple[int, ...],
        levels: int | None,
        progress: Progress,
    ) -> Lessons:
        """From images that suit the input."""
        images = np.asarray(as_source(data.x, source)).reshape(data.images, *shape)
        sent = encode(data.x, source).reshape(data.images, source.shape[0], *shape[1:])
        return cls(images, sent, levels, progress)

    @property
    def insight(self) -> Insight:
        """What `lower` takes."""
        return Insight(self._calibrate, self._hear)

    def losses(self, network: SpikingNetwork) -> tuple[LayerLoss, ...]:
        """What rounding did to each layer."""
        return losses(self.composed[-1], network, self.sent)

    def _calibrate(self, network: Network) -> Network:
        if self.levels is None:
            return network
        self.calibration = calibrate(network, self.images, self.levels, self.progress)
        return self.calibration.network

    def _hear(self, composed: Network) -> Mapping[str, Statistics]:
        self.composed.append(composed)
        return hear(composed, self.sent)
