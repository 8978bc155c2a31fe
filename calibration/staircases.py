"""Levels without training: staircases for every activation, fitted to sample images."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, log10, prod
from operator import attrgetter

import numpy as np

from snnc.calibration.walk import FittedActivation, LayerWalk, Stages, evenly
from snnc.compiler.analysis.plain_activations import insert_activations, isolate_activations
from snnc.compiler.errors import refusal
from snnc.compiler.network import Network
from snnc.runtime.engines.float_network import Array, FloatNetwork
from snnc.runtime.engines.result import decisions_of
from snnc.runtime.progress import Progress, ignore

MOST_LEVELS = 255
MOST_IMAGES = 512
"""More images give no better thresholds."""
MOST_VALUES = 1 << 27
"""Numbers kept of one layer for all images; a few such arrays live at a time."""


@dataclass(frozen=True)
class DecisionLoss:
    """A quantised network held against the float network on the calibration images."""

    agreement: float
    """Share of the images with the same decision."""
    snr: float
    """Of the logits, in dB."""


@dataclass(frozen=True, eq=False)
class Calibration:
    """A network whose activations all have levels, and what that costs."""

    network: Network
    layers: tuple[FittedActivation, ...]
    """Empty where every activation had levels before; the network is then the one given."""
    loss: Stages[DecisionLoss]
    images: int
    """Those that were used."""


def decibels(error: float) -> float:
    """A relative squared error as a signal-to-noise ratio."""
    return -10 * log10(error) if error > 0 else inf


def relative_error(found: Array, wanted: Array) -> float:
    """The squared error as a part of the squares; of nothing but zeros it is 0 or infinite."""
    noise, signal = (float(np.square(each).sum()) for each in (found - wanted, wanted))
    if not signal:
        return inf if noise else 0.0
    return noise / signal


def calibrate(
    network: Network,
    images: Array,
    levels: int,
    progress: Progress = ignore,
    *,
    uneven: bool = False,
) -> Calibration:
    """Give every activation L levels: a ReLU, and whatever else only clips, those of QCFS.

    Curves become sums of ramps of L levels each.

    Args:
        network: without batch norms, as the pipeline leaves it before this stage; what is a
            staircase already is left alone.
        images: (images, *shape), normalised, as the source model reads them.
        levels: L, 1 to 255; 3, 7 and 15 fill 2, 3 and 4 time steps.
        progress: called after every layer with what is going on, 1, and the layers there are.
        uneven: whether the thresholds of levels may lie anywhere, as those of copies may.

    Raises:
        SnncError: for levels or images that are unsound.
    """
    _check(network, images, levels)
    isolated, activations = isolate_activations(network)
    if not activations:
        return Calibration(network, (), Stages(*[DecisionLoss(1.0, inf)] * 3), 0)
    largest = max(prod(node.shape) for node in activations)
    chosen = evenly(images, min(MOST_IMAGES, MOST_VALUES // largest))
    walk, layers = (
        LayerWalk(isolated, activations, chosen, levels, uneven=uneven),
        list[FittedActivation](),
    )
    for node in activations:
        layers.append(walk.layer(node))
        progress("calibration", 1, len(activations))
    return _result(isolated, tuple(layers), chosen)


def _result(network: Network, layers: tuple[FittedActivation, ...], images: Array) -> Calibration:
    """Put the staircases into the network, and measure all three stages."""
    fits = [
        {each.name: pick(each.fits) for each in layers}
        for pick in map(attrgetter, ("uncalibrated", "calibrated", "corrected"))
    ]
    stages = [insert_activations(network, each) for each in fits]
    logits = _logits(network, images)
    populations = sum(each.populations for each in layers)
    loss = Stages(*(_loss(_logits(each, images), logits) for each in stages))
    remark = (
        f"{len(layers)} activations without levels became {populations} staircases of "
        f"{layers[0].fits.corrected.levels} levels: {100 * loss.corrected.agreement:.1f} % of "
        f"{len(images)} calibration images keep their class, the logits have an SNR of "
        f"{loss.corrected.snr:.1f} dB"
    )
    calibrated = stages[-1].replaced(stages[-1].nodes, remark)
    return Calibration(calibrated, layers, loss, len(images))


def _logits(network: Network, images: Array) -> Array:
    engine = FloatNetwork(network)
    return np.concatenate([each[network.output.name] for each in engine.batches(images)])


def _loss(found: Array, wanted: Array) -> DecisionLoss:
    flat, expected = (each.reshape(len(each), -1) for each in (found, wanted))
    flat, expected = flat.astype(np.float64), expected.astype(np.float64)
    error = relative_error(flat, expected)
    agreement = np.mean(decisions_of(found) == decisions_of(wanted))
    return DecisionLoss(float(agreement), decibels(error))


def _check(network: Network, images: Array, levels: int) -> None:
    if not 1 <= levels <= MOST_LEVELS:
        what = f"{levels} levels; allowed: 1 to {MOST_LEVELS}"
        raise refusal("`levels`", what, "use 3, 7 or 15, which fill 2, 3 or 4 time steps")
    shape = network.input.shape
    if images.ndim != len(shape) + 1 or images.shape[1:] != shape or not len(images):
        allowed = ", ".join(map(str, shape))
        what = f"the images have shape {images.shape}; allowed: (1 or more, {allowed})"
        raise refusal("`calibration`", what, "give images as the model reads them")
    if not np.all(np.isfinite(images)):
        raise refusal("`calibration`", "values are NaN or infinite", "leave out these images")
