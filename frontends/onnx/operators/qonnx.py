"""Readers of QONNX, as Brevitas writes it: each node quantises, and gives real values again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np

from snnc.compiler.operators import Affine, Clip, Floats, Floor, Operator, Round, Shape
from snnc.frontends.onnx.arrays import Array
from snnc.frontends.onnx.grid import ONE, ZERO, Grid, above_zero, bounds, values_of
from snnc.frontends.onnx.limits import BITS
from snnc.frontends.onnx.operators.linear import batch_norm, conv
from snnc.frontends.onnx.operators.pools import max_pool
from snnc.frontends.onnx.registry import folds, reads
from snnc.frontends.onnx.values import Call, Constant, sample_constant

Rounding = TypeVar("Rounding")
DOMAINS = ("qonnx.custom_op.general", "onnx.brevitas", "finn.custom_op.general")
QUANT = [f"{domain}.{kind}" for domain in DOMAINS for kind in ("Quant", "IntQuant")]
BIPOLAR = [f"{domain}.BipolarQuant" for domain in DOMAINS]
CHANNELS_LAST = "qonnx.custom_op.channels_last"
TRUNC = [f"{domain}.Trunc" for domain in DOMAINS]

TWO = np.array(2.0)
FLOOR: tuple[Operator, ...] = (Floor(),)
CEILING: tuple[Operator, ...] = (Affine(-ONE, ZERO), Floor(), Affine(-ONE, ZERO))
SIGN: tuple[Operator, ...] = (Floor(), Clip(-ONE, ZERO), Affine(TWO, ONE))
"""−1 below 0, and 1 from 0 on: a staircase of one step."""
STAIRCASES: Mapping[str, tuple[Operator, ...]] = {
    **dict.fromkeys(("ROUND", "HALF_EVEN", "HALF_UP", "HALF_DOWN"), (Round(),)),
    "FLOOR": FLOOR,
    "CEIL": CEILING,
}
UNSIGNED: Mapping[str, tuple[Operator, ...]] = {
    **STAIRCASES,
    **dict.fromkeys(("DOWN", "ROUND_TO_ZERO"), FLOOR),
    "UP": CEILING,
}
"""Rounding toward 0, or away from it, has even steps where nothing is below 0."""
CONSTANTS: Mapping[str, Callable[[Floats], Floats]] = {
    **dict.fromkeys(("ROUND", "HALF_EVEN"), lambda x: np.round(x)),
    **dict.fromkeys(("DOWN", "ROUND_TO_ZERO"), lambda x: np.trunc(x)),
    "FLOOR": np.floor,
    "CEIL": np.ceil,
    "UP": lambda x: np.sign(x) * np.ceil(np.abs(x)),
    "HALF_UP": lambda x: np.sign(x) * np.floor(np.abs(x) + 0.5),
    "HALF_DOWN": lambda x: np.sign(x) * np.ceil(np.abs(x) - 0.5),
}


@dataclass(frozen=True)
class _Whole:
    """The whole numbers that a node quantises to."""

    bits: int
    signed: bool
    narrow: bool

    @property
    def is_sign(self) -> bool:
        """One bit with a sign is −1 or 1: there is no 0."""
        return self.signed and self.bits == 1

    @property
    def ends(self) -> tuple[float, float]:
        """The least and the greatest; the narrow range gives up the one that stands alone."""
        low, high = bounds(self.bits, signed=self.signed)
        return low + (self.narrow and self.signed), high - (self.narrow and not self.signed)

    @property
    def clip(self) -> Clip:
        """The ends, for activations."""
        low, high = self.ends
        return Clip(np.array(low), np.array(high))


@reads(f"{CHANNELS_LAST}.Conv", inputs=(2, 3), layout="last")
def conv_channels_last(call: Call) -> str:
    """A convolution whose weights have their channels last too."""
    weights = np.moveaxis(call.constant(1, "weights"), -1, 1)
    inputs = (call.inputs[0], Constant("weights", weights), *call.inputs[2:])
    return conv(replace(call, inputs=inputs))


reads(f"{CHANNELS_LAST}.MaxPool", layout="last")(max_pool)
reads(f"{CHANNELS_LAST}.BatchNormalization", inputs=(5, 5), layout="last")(batch_norm)


@reads(*QUANT, inputs=(4, 4), layout="any")
def quant(call: Call) -> str:
    """(round(x/scale + zero point) − zero point)·scale, within the bounds of its bits."""
    grid, whole = _grid(call, call.tensor.shape), _whole(call, 3)
    if whole.is_sign:
        steps = SIGN
    else:
        steps = (*_rounding(call, UNSIGNED if not whole.signed else STAIRCASES), whole.clip)
    return call.then(Affine(1.0 / grid.scale, grid.zero_point), *steps, grid.values)


@folds(*QUANT, inputs=(4, 4))
def quant_constant(call: Call) -> Array:
    """The same for weights, divided in the precision of the model: so ties agree."""
    value, whole = call.numbers(0, "data"), _whole(call, 3)
    grid = _grid(call, value.shape)
    exact = value / grid.scale.astype(value.dtype) + grid.zero_point.astype(value.dtype)
    if whole.is_sign:
        return values_of(np.where(exact >= 0, 1.0, -1.0), grid)
    return values_of(np.clip(_rounding(call, CONSTANTS)(exact), *whole.ends), grid)


@reads(*BIPOLAR, inputs=(2, 2), layout="any")
def bipolar(call: Call) -> str:
    """The scale, with the sign of x."""
    scale = above_zero(call, _over(call, 1, "scales", call.tensor.shape))
    return call.then(*SIGN, Affine(scale, ZERO))


@folds(*BIPOLAR, inputs=(2, 2))
def bipolar_constant(call: Call) -> Array:
    """The same for weights."""
    value = call.numbers(0, "data")
    scale = _over(call, 1, "scales", value.shape)
    return np.where(value >= 0, scale, -scale)


@reads(*TRUNC, inputs=(5, 6), layout="any")
def trunc(call: Call) -> str:
    """Rounded, and its last bits cut off, which is one floor: ⌊⌊u⌋/m⌋ = ⌊u/m⌋ for a whole m."""
    if not call.has(5):
        mend = "export it with a Brevitas that writes version 2 of QONNX"
        raise call.refuse("has no bounds, being of version 1 of QONNX", mend)
    floor = _rounding(call, {"FLOOR": FLOOR}, "FLOOR")
    grid, whole = _grid(call, call.tensor.shape), _whole(call, 5)
    coarse = above_zero(call, _over(call, 4, "scales", call.tensor.shape))
    share = np.exp2(np.round(np.log2(coarse / grid.scale)))
    cut = Affine(1.0 / (grid.scale * share), (grid.zero_point + 0.5) / share)
    return call.then(cut, *floor, whole.clip, Grid(coarse, grid.zero_point / share).values)


def _grid(call: Call, shape: Shape) -> Grid:
    scale = above_zero(call, _over(call, 1, "scales", shape))
    return Grid(scale, _over(call, 2, "zero points", shape))


def _over(call: Call, index: int, role: str, shape: Shape) -> Floats:
    """Numbers as they broadcast over values of a shape."""
    return sample_constant(call, call.weights(index, role), shape)


def _whole(call: Call, index: int) -> _Whole:
    """What the bit width at an input and the attributes ask for."""
    widths = call.weights(index, "bit widths").reshape(-1)
    if widths.size != 1 or not 1 <= widths[0] <= BITS or widths[0] != np.round(widths[0]):
        what = f"has bit widths {', '.join(f'{each:g}' for each in widths)}"
        raise call.refuse(
            f"{what}; allowed: one whole number, 1 to {BITS}", "give all channels as many bits"
        )
    signed, narrow = call.attributes.flag("signed", default=True), call.attributes.flag("narrow")
    return _Whole(int(widths[0]), signed, narrow)


def _rounding(call: Call, allowed: Mapping[str, Rounding], default: str = "ROUND") -> Rounding:
    """What the rounding mode stands for."""
    mend = "use a mode whose steps are all of one width"
    return allowed[call.attributes.text("rounding_mode", default, allowed, mend)]
