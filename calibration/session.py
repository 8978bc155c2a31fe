"""The calibration images of one model, and what was learned from them while it was compiled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from snnc.calibration.rounding_loss import RoundingLoss, measured, rounding_losses
from snnc.calibration.rounding_walk import RoundingWalk
from snnc.calibration.staircases import Calibration, calibrate
from snnc.compiler.inputs import Input
from snnc.compiler.laws.base import Shape
from snnc.compiler.network import Network
from snnc.compiler.pipeline import CalibrationHooks
from snnc.compiler.spiking import SpikingNetwork
from snnc.runtime.data import Data, encode, normalised
from snnc.runtime.progress import Progress

Array: TypeAlias = npt.NDArray[Any]


@dataclass(eq=False)
class CalibrationSession:
    """The hooks of one model; however often it is compiled, its activations are fitted once.

    Once more, where levels may be uneven.
    """

    data: Data
    """The images, as they were given."""
    images: Array
    """The same (images, *shape), as the source model reads them."""
    levels: int | None
    """Of the staircases that plain activations get; None leaves them as they are."""
    progress: Progress
    calibration: Calibration | None = None
    """What came of the activations in the network that was compiled last."""
    fitted: dict[bool, Calibration] = field(default_factory=dict)
    """The same for even levels, and for uneven ones."""
    composed: Network | None = None
    """The network whose weights were rounded last, just before that."""
    sent: Array | None = None
    """The images (images, *shape of its input), as its input sends them."""

    @classmethod
    def of(
        cls, data: Data, source: Input, shape: Shape, levels: int | None, progress: Progress
    ) -> CalibrationSession:
        """From images that suit the input, for a model that reads them in some shape."""
        images = np.asarray(normalised(data.x[:], source)).reshape(data.images, *shape)
        return cls(data, images, levels, progress)

    @property
    def hooks(self) -> CalibrationHooks:
        """What the pipeline takes."""
        return CalibrationHooks(self._calibrate, self._observe)

    def rounding_losses(self, network: SpikingNetwork) -> tuple[RoundingLoss, ...]:
        """What rounding did to each layer of the network that was compiled last."""
        assert self.composed is not None
        assert self.sent is not None
        return rounding_losses(self.composed, network, self.sent)

    def remarks(self, losses: Sequence[RoundingLoss]) -> tuple[str, ...]:
        """What the owner of the network wants to know of them."""
        return tuple(measured(losses))

    def _calibrate(self, network: Network, uneven: bool) -> Network:
        if self.levels is None:
            return network
        if uneven not in self.fitted:
            images = self.images.reshape(len(self.images), *network.input.shape)
            found = calibrate(network, images, self.levels, self.progress, uneven=uneven)
            self.fitted[uneven] = found
        self.calibration = self.fitted[uneven]
        return self.calibration.network

    def _observe(self, composed: Network, pixels: Input) -> RoundingWalk:
        sent = encode(self.data.x[:], pixels)
        self.composed, self.sent = composed, sent.reshape(len(sent), *composed.input.shape)
        return RoundingWalk(composed, self.sent)
