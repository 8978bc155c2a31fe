"""Accuracy, spikes and time of one network in many codes: what a paper plots against T.

A rate code has a point for every T. Bit-serial has one for each T below the bits of its levels,
which are coarser there, and one at its bits; more would be the same network. Graded spikes and
one-spike take one time step.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from statistics import fmean, stdev
from typing import Any, TypeAlias, cast

import numpy as np

from snnc.compiler.codes import CODES, DEFAULT_RHO, MOST_STEPS, Code
from snnc.compiler.errors import Problem, SnncError
from snnc.compiler.neurons import bits_for
from snnc.compiler.spiking import Input, SpikingNetwork, copies_of, is_stock
from snnc.compiler.timing import timing_of
from snnc.runtime.compare import Progress, batches_of, quiet, run_against_golden
from snnc.runtime.data import Data, as_source, encode
from snnc.runtime.golden import Golden, batch_size
from snnc.runtime.lava.simulator import require_lava, simulate
from snnc.runtime.operations import Meter, Traffic, firing_neurons
from snnc.runtime.outcome import logits_of
from snnc.runtime.source import Source

BETWEEN_MODELS = "standard deviation between models"
BETWEEN_IMAGES = "binomial standard error over images"


@dataclass(frozen=True)
class Grid:
    """What is asked for: every code with all settings that it has."""

    codes: Sequence[str] = CODES
    time_steps: Sequence[int] = (1, 2, 4, 8, 16, 32)
    rho: int = DEFAULT_RHO
    """Of offset-spike: time steps of one calibration."""
    iterations: Sequence[int] = (1,)
    """Of offset-spike: a curve for each number of calibrations."""
    light: bool = False
    """Of offset-spike: one more curve, of the variant that keeps the residual potential."""


@dataclass(frozen=True)
class Setting:
    """A code with what it takes; None is the compiler's own choice."""

    code: Code
    time_steps: int | None = None
    rho: int | None = None
    iterations: int | None = None
    light: bool = False

    @property
    def series(self) -> str:
        """The curve it is on."""
        if self.light:
            return f"{self.code}, light"
        times = f", {self.iterations} iterations" if (self.iterations or 1) > 1 else ""
        return f"{self.code}{times}"


@dataclass(frozen=True)
class Plan:
    """A point to be measured."""

    setting: Setting
    time_steps: int
    error_free: bool | None
    """Whether levels are the source's, and weights alone are rounded; None of a rate code."""


@dataclass(frozen=True)
class Measurement:
    """One compiled network over all images."""

    accuracy: float
    traffic: Traffic
    neurons: int
    """That fire, each copy counted."""
    latency: int
    """Time steps from an image's first spike to its logits."""
    period: int
    """Time steps between two images."""
    groups: int | None
    """Copies of each neuron of one-spike."""
    mismatches: int | None
    """Spikes and logits in which Lava differs from golden; None where it did not run."""


@dataclass(frozen=True)
class Point:
    """A setting, measured on every model; or the reasons why it cannot be."""

    plan: Plan
    losses: tuple[float, ...] = ()
    """Points of accuracy below the float network, of each model."""
    measurements: tuple[Measurement, ...] = ()
    problems: tuple[Problem, ...] = ()
    images: int = 0

    @property
    def accuracy(self) -> float | None:
        """The mean over the models."""
        return self.mean(lambda each: each.accuracy)

    @property
    def spread(self) -> float | None:
        """How far chance moves the accuracy; `spread_of` says which chance."""
        found = [each.accuracy for each in self.measurements]
        if not found:
            return None
        if len(found) > 1:
            return stdev(found)
        return float(np.sqrt(found[0] * (1 - found[0]) / self.images))

    @property
    def spread_of(self) -> str:
        """What the spread is."""
        return BETWEEN_MODELS if len(self.measurements) > 1 else BETWEEN_IMAGES

    @property
    def mismatches(self) -> int | None:
        """Over all models; None where Lava did not run."""
        found = [each.mismatches for each in self.measurements if each.mismatches is not None]
        return sum(found) if found else None

    def mean(self, of: Callable[[Measurement], float]) -> float | None:
        """The mean over the models; None where there is none."""
        return fmean(map(of, self.measurements)) if self.measurements else None

    def as_json(self) -> dict[str, Any]:
        """What `snnc sweep --json` prints of it."""
        first = self.measurements[0] if self.measurements else None
        return {
            "series": self.plan.setting.series,
            **asdict(self.plan.setting),
            "time_steps": self.plan.time_steps,
            "groups": first and first.groups,
            "error_free": self.plan.error_free,
            "accuracy": self.accuracy,
            "accuracies": [each.accuracy for each in self.measurements],
            "spread": self.spread,
            "spread_of": self.spread_of,
            "loss_in_points": fmean(self.losses) if self.losses else None,
            "spikes_per_image": {
                "input": self.mean(lambda each: each.traffic.input_spikes),
                "hidden": self.mean(lambda each: each.traffic.hidden_spikes),
            },
            "spikes_per_neuron": self.mean(
                lambda each: each.traffic.hidden_spikes / max(1, each.neurons)
            ),
            "synaptic_operations_per_image": {
                "input": self.mean(lambda each: each.traffic.input_operations),
                "hidden": self.mean(lambda each: each.traffic.hidden_operations),
            },
            "latency": first and first.latency,
            "period": first and first.period,
            "mismatches": self.mismatches,
            "problems": [asdict(each) for each in self.problems],
        }


@dataclass(frozen=True)
class Model:
    """A source model, and the share of images it gets right as floats."""

    name: str
    accuracy: float


@dataclass(frozen=True)
class Sweep:
    """All points of all codes."""

    images: int
    on_lava: bool
    """Whether the simulator ran every point too."""
    models: tuple[Model, ...]
    points: tuple[Point, ...]

    @property
    def source_accuracy(self) -> float:
        """The mean over the models, as floats."""
        return fmean(each.accuracy for each in self.models)

    @property
    def worked(self) -> bool:
        """Whether any point could be measured."""
        return any(each.measurements for each in self.points)

    @property
    def is_exact(self) -> bool:
        """Whether Lava, where it ran, gave every spike and every logit of the golden model."""
        return not any(each.mismatches for each in self.points)

    def as_json(self) -> dict[str, Any]:
        """The one object that `snnc sweep --json` prints."""
        return {
            "images": self.images,
            "engine": "lava" if self.on_lava else "golden",
            "models": [asdict(each) for each in self.models],
            "source_accuracy": self.source_accuracy,
            "points": [each.as_json() for each in self.points],
        }


Build: TypeAlias = Callable[[int, Setting], SpikingNetwork]
"""Compiles the model of an index; the network is what was read back from the file."""


def problems_of(grid: Grid) -> Iterator[Problem]:
    """Whatever is wrong with what is asked for."""
    for code in grid.codes:
        if code not in CODES:
            what = f"{code!r} is not a code; allowed: {', '.join(CODES)}"
            yield Problem("--codes", what, "leave it out for all")
    if grid.light and "offset-spike" not in grid.codes:
        what = "calibrates offset spikes, and none of the codes does"
        yield Problem("--light", what, "add offset-spike to --codes, or leave it out")
    counts = {"--timesteps": grid.time_steps, "--rho": (grid.rho,), "--iterations": grid.iterations}
    for option, numbers in counts.items():
        for number in numbers:
            if not 1 <= number <= MOST_STEPS:
                yield Problem(option, f"{number}; allowed: 1 to {MOST_STEPS}", "leave it out")
    for option, values in (("--codes", grid.codes), *list(counts.items())):
        if not values:
            yield Problem(option, "it is empty; at least one is needed", "leave it out")


def plans_of(grid: Grid, levels: Sequence[int]) -> tuple[Plan, ...]:
    """The points of a grid for a network whose activations have so many levels."""
    steps = tuple(dict.fromkeys(grid.time_steps))
    bits = max(map(bits_for, levels), default=1)
    return tuple(
        plan
        for code in dict.fromkeys(grid.codes)
        for plan in _plans_of(cast(Code, code), grid, steps, bits, one_size=len(set(levels)) <= 1)
    )


def _plans_of(
    code: Code, grid: Grid, steps: Sequence[int], bits: int, *, one_size: bool
) -> Iterator[Plan]:
    if code == "bit-serial":
        yield from (Plan(Setting(code, t), t, False) for t in steps if t < bits)
        yield Plan(Setting(code), bits, True)
    elif code == "rate":
        yield from (Plan(Setting(code, t), t, None) for t in steps)
    elif code == "offset-spike":
        for count in dict.fromkeys(grid.iterations):
            yield from (Plan(Setting(code, t, grid.rho, count), t, None) for t in steps)
        if grid.light:
            yield from (Plan(Setting(code, t, grid.rho, light=True), t, None) for t in steps)
    elif code == "one-spike":
        # as many groups as the most levels: an activation that has fewer becomes finer
        yield Plan(Setting(code), 1, one_size)
    else:
        yield Plan(Setting(code), 1, True)


def sweep(
    models: Sequence[tuple[str, Source]],
    source: Input,
    data: Data,
    plans: Sequence[Plan],
    build: Build,
    *,
    on_lava: bool = False,
    progress: Progress = quiet,
) -> Sweep:
    """Measure every setting on every model.

    Args:
        models: the names and the source models.
        source: the input that suits them all.
        data: images that suit it, with labels.
        plans: the points, see `plans_of`.
        build: compiles a model.
        on_lava: simulate every point besides, and count what differs from golden.
        progress: called as images are done, those of the source models too.

    Raises:
        SnncError: if Lava is asked for and not installed.
    """
    if on_lava:
        require_lava()
    total = data.images * len(models) * (len(plans) + 1)

    def advance(name: str, images: int, of: int) -> None:
        progress("sweep", images, total)

    found = tuple(
        Model(name, _source_accuracy(each, source, data, advance)) for name, each in models
    )
    points = tuple(_point(each, found, data, build, on_lava, advance) for each in plans)
    return Sweep(data.images, on_lava, found, points)


def measure(
    network: SpikingNetwork,
    data: Data,
    *,
    on_lava: bool = False,
    progress: Progress = quiet,
) -> Measurement:
    """Run a network over labelled images and count what it sends."""
    assert data.y is not None
    golden, meter = Golden(network, every_population=True), Meter(network)
    right, first = 0, 0
    for images in batches_of(data, batch_size(network)):
        levels = encode(images, network.input)
        result = golden.run(levels)
        meter.add(levels, result.sent)
        decisions = logits_of(result.potential, network).argmax(1)
        right += int(np.count_nonzero(decisions == data.y[first : first + len(images)]))
        first += len(images)
        progress("golden", len(images), data.images)
    timing = timing_of(network)
    return Measurement(
        right / data.images,
        meter.traffic,
        firing_neurons(network),
        timing.latency,
        timing.period,
        _groups(network),
        _mismatches(network, data) if on_lava else None,
    )


def _point(
    plan: Plan,
    models: Sequence[Model],
    data: Data,
    build: Build,
    on_lava: bool,
    progress: Progress,
) -> Point:
    """What a setting gives; what cannot be compiled or run leaves its reasons instead."""
    found: list[Measurement] = []
    try:
        for index in range(len(models)):
            network = build(index, plan.setting)
            found.append(measure(network, data, on_lava=on_lava, progress=progress))
    except SnncError as error:
        progress("golden", data.images * (len(models) - len(found)), data.images)
        return Point(plan, problems=error.problems)
    losses = tuple(100 * (m.accuracy - f.accuracy) for m, f in zip(models, found, strict=True))
    return Point(plan, losses, tuple(found), images=data.images)


def _source_accuracy(model: Source, source: Input, data: Data, progress: Progress) -> float:
    assert data.y is not None
    right = first = 0
    for images in batches_of(data):
        decisions = model.run(as_source(images, source)).argmax(1)
        right += int(np.count_nonzero(decisions == data.y[first : first + len(images)]))
        first += len(images)
        progress("source", len(images), data.images)
    return right / data.images


def _groups(network: SpikingNetwork) -> int | None:
    return max(map(copies_of, network)) if is_stock(network) else None


def _mismatches(network: SpikingNetwork, data: Data) -> int:
    return run_against_golden("lava", simulate, network, data).mismatches
