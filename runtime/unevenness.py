"""Where a rate network errs: layer by layer, against the mean current that each neuron heard.

A neuron that fires c spikes in T steps says r = c/T. With x̄ the mean current of a step, bias
included, in thresholds, what it should say is relu(x̄). The difference has three parts:

    clipping       clip(x̄, 0, 1) − relu(x̄)       one spike a step is the most
    quantisation   q(x̄) − clip(x̄, 0, 1)          q(x̄) = clip(⌊T·x̄ + ½⌋, 0, T)/T, the staircase
    unevenness     r − q(x̄)                      the order in which spikes came

They are the errors of QCFS (Bu et al., ICLR 2022), here of one neuron for the very input that it
heard, so that errors of the layers before count once. A network that was trained with a ceiling
clips as its source does: of its conversion only the other two are errors. Papers that hold the
whole network against the float network print other shares, of the same three causes.

The offset of a neuron is ψ = desired − fired spikes (Hao et al., ICLR 2023), in two ways. Its own
is T·(q(x̄) − r), for the input that it heard. The accumulated one asks for the spikes of the network
in which every layer hears its input evenly: c = clip(⌊(Σ w·c_source + T·B + v(0))/θ⌋, 0, T), which
are those of `snnc.compiler.passes.spike_at_once`; its square over T² is the unevenness of a neuron
and of all before it. All sums are exact.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from snnc.compiler.codes import MOST_STEPS, RATE_CODES
from snnc.compiler.errors import Problem
from snnc.compiler.neurons import Graded, Integers, OffsetSpike, Rate, Readout
from snnc.compiler.spiking import (
    Dense,
    Input,
    Population,
    Projection,
    SpikingNetwork,
    per_neuron,
)
from snnc.runtime.compare import Progress, batches_of, quiet
from snnc.runtime.data import Data, encode
from snnc.runtime.golden import Golden, batch_size

Counts: TypeAlias = npt.NDArray[np.integer[Any]]
"""(images, *shape)."""
PARTS = ("clipping", "quantisation", "unevenness")
OFFSETS = ("<=-3", "-2", "-1", "0", "1", "2", ">=3")
FARTHEST = 3


@dataclass(frozen=True)
class Errors:
    """The mean squares of the three errors, in (spikes per step)²."""

    clipping: float
    quantisation: float
    unevenness: float

    @property
    def total(self) -> float:
        """Their sum."""
        return self.clipping + self.quantisation + self.unevenness

    @property
    def shares(self) -> Mapping[str, float | None]:
        """The part of each in the sum; None where nothing errs."""
        return {k: v / self.total if self.total else None for k, v in asdict(self).items()}


@dataclass(frozen=True)
class LayerErrors:
    """One population, over all images."""

    name: str
    neurons: int
    errors: Errors
    own: tuple[float, ...]
    """The share of neurons with each of OFFSETS, for the input that they heard."""
    accumulated: tuple[float, ...]
    """The same against the network in which every layer hears its input evenly."""
    accumulated_unevenness: float
    """The mean square of the accumulated offset over T."""

    @property
    def conversion_share(self) -> float | None:
        """Unevenness as a part of quantisation and unevenness, without clipping."""
        return _part(self.errors.unevenness, self.errors.quantisation)

    @property
    def accumulated_share(self) -> float | None:
        """The same where the unevenness of all layers before counts too."""
        return _part(self.accumulated_unevenness, self.errors.quantisation)

    def as_json(self) -> dict[str, Any]:
        """What `snnc errors --json` prints of it."""
        return {
            "name": self.name,
            "neurons": self.neurons,
            "mean_squares": asdict(self.errors),
            "shares": self.errors.shares,
            "accumulated_unevenness": self.accumulated_unevenness,
            "unevenness_without_clipping": self.conversion_share,
            "accumulated_without_clipping": self.accumulated_share,
            "own_offsets": dict(zip(OFFSETS, self.own, strict=True)),
            "accumulated_offsets": dict(zip(OFFSETS, self.accumulated, strict=True)),
        }


@dataclass(frozen=True)
class Analysis:
    """A network of one T."""

    time_steps: int
    rho: int | None
    """Of a calibrating network."""
    iterations: int
    """Calibrations, 0 of a plain rate network."""
    light: bool
    layers: tuple[LayerErrors, ...]
    """In the order of computation, without relays, which err in nothing."""
    overall: LayerErrors
    """Over all neurons of all layers."""

    def as_json(self) -> dict[str, Any]:
        """What `snnc errors --json` prints of it."""
        numbers = {key: getattr(self, key) for key in ("time_steps", "rho", "iterations", "light")}
        layers = [each.as_json() for each in self.layers]
        return {**numbers, "layers": layers, "overall": self.overall.as_json()}


@dataclass(frozen=True)
class ErrorReport:
    """All T, and of offset-spike all numbers of calibrations."""

    model: str
    code: str
    images: int
    analyses: tuple[Analysis, ...]

    def as_json(self) -> dict[str, Any]:
        """The one object that `snnc errors --json` prints."""
        analyses = [each.as_json() for each in self.analyses]
        head = {"model": self.model, "code": self.code, "images": self.images}
        return {**head, "analyses": analyses}


def problems_of(
    code: str,
    time_steps: Sequence[int],
    rho: int | None = None,
    iterations: int = 1,
    *,
    light: bool = False,
) -> Iterator[Problem]:
    """Whatever is wrong with what is asked for."""
    if code not in RATE_CODES:
        what = f"{code!r} has no spikes that come unevenly; allowed: rate, offset-spike"
        yield Problem("--code", what, "leave it out for rate")
    if code == "rate" and (light or rho is not None):
        options = ["--rho"] * (rho is not None) + ["--light"] * light
        what = "calibrates offset spikes, and the code is 'rate'"
        yield Problem(", ".join(options), what, "add --code offset-spike, or leave it out")
    given = [("--timesteps", each) for each in time_steps]
    given += [("--iterations", iterations)] + ([] if rho is None else [("--rho", rho)])
    for option, number in given:
        if not 1 <= number <= MOST_STEPS:
            yield Problem(option, f"{number}; allowed: 1 to {MOST_STEPS}", "leave it out")
    if not time_steps:
        yield Problem("--timesteps", "it is empty; at least one is needed", "leave it out")


def variants_of(network: SpikingNetwork, *, light: bool) -> Iterator[SpikingNetwork]:
    """The network before any calibration, after one, and so on; perhaps its light variant.

    All of the same integers. A rate network is its only variant.
    """
    neuron = network.populations[0].neuron
    if not isinstance(neuron, OffsetSpike):
        yield network
        return
    steps = neuron.steps
    yield _with(network, lambda n: Rate(n.step, n.initial, steps))
    for count in range(1, neuron.iterations + 1):
        yield _with(network, lambda n, k=count: replace(n, iterations=k))  # type: ignore[misc]
    if light:
        yield _with(network, lambda n: replace(n, iterations=1, light=True))


def report_of(
    model: str,
    code: str,
    networks: Sequence[SpikingNetwork],
    data: Data,
    *,
    light: bool = False,
    progress: Progress = quiet,
) -> ErrorReport:
    """Take the errors of networks apart, with all their variants."""
    variants = [each for network in networks for each in variants_of(network, light=light)]

    def advance(name: str, images: int, of: int) -> None:
        progress("errors", images, of * len(variants))

    found = tuple(analyse(each, data, advance) for each in variants)
    return ErrorReport(model, code, data.images, found)


def analyse(network: SpikingNetwork, data: Data, progress: Progress = quiet) -> Analysis:
    """Take the errors of a network apart.

    Args:
        network: of the code rate or offset-spike.
        data: images that suit its input.
        progress: called as images are done.
    """
    network = without_relays(network)
    golden = Golden(network, every_population=True)
    layers = [_Layer(each, network) for each in network if not isinstance(each.neuron, Readout)]
    steps = layers[0].steps
    for images in batches_of(data, batch_size(network)):
        levels = encode(images, network.input)
        sent = golden.run(levels).sent
        fired = {network.input.name: steps * levels}
        fired |= {name: each[:steps].sum(axis=0, dtype=np.int32) for name, each in sent.items()}
        even = {network.input.name: fired[network.input.name]}
        for layer in layers:
            even[layer.name] = layer.desired(layer.total(even))
            layer.add(fired, even)
        progress("errors", len(images), data.images)
    found = tuple(each.tally.means(each.name, each.neurons) for each in layers)
    pooled = sum((each.tally for each in layers), _Tally())
    overall = pooled.means("all", sum(each.neurons for each in layers))
    neuron = network.populations[0].neuron
    if not isinstance(neuron, OffsetSpike):
        return Analysis(steps, None, 0, False, found, overall)
    return Analysis(steps, neuron.rho, neuron.iterations, neuron.light, found, overall)


def without_relays(network: SpikingNetwork) -> SpikingNetwork:
    """The same network where a population hears its sources at first hand.

    A relay repeats the train it hears; nothing changes but the time.
    """
    origin = {name: name for name in network.nodes}
    kept: list[Population] = []
    for population in network:
        if is_relay(population):
            origin[population.name] = origin[population.projections[0].source]
            continue
        heard = tuple(replace(p, source=origin[p.source]) for p in population.projections)
        kept.append(replace(population, projections=heard))
    return network.replaced(tuple(kept))


def is_relay(population: Population) -> bool:
    """Whether a population sends on what it hears: one synapse of weight 1, θ = 1, no bias."""
    neuron, (first, *others) = population.neuron, population.projections
    if isinstance(neuron, Readout) or others or first.exponent or population.bias.any():
        return False
    if not isinstance(neuron, Rate | OffsetSpike | Graded) or np.any(neuron.step != 1):
        return False
    weights = first.connection.weights
    if isinstance(first.connection, Dense):
        return weights.shape[0] == weights.shape[1] and bool(
            np.all(weights == np.eye(len(weights)))
        )
    alone = weights.shape[1:] == (1, 1, 1) and first.connection.groups == len(weights)
    return alone and first.connection.strides == (1, 1) and bool(np.all(weights == 1))


@dataclass(frozen=True, eq=False)
class _Tally:
    """Sums over neurons and images."""

    count: int = 0
    squares: npt.NDArray[np.float64] = field(default_factory=lambda: np.zeros(len(PARTS)))
    uneven: float = 0.0
    own: Integers = field(default_factory=lambda: np.zeros(len(OFFSETS), np.int64))
    accumulated: Integers = field(default_factory=lambda: np.zeros(len(OFFSETS), np.int64))

    def __add__(self, other: _Tally) -> _Tally:
        """Both together."""
        return _Tally(
            self.count + other.count,
            self.squares + other.squares,
            self.uneven + other.uneven,
            self.own + other.own,
            self.accumulated + other.accumulated,
        )

    def means(self, name: str, neurons: int) -> LayerErrors:
        """Each sum for one neuron and image."""
        return LayerErrors(
            name,
            neurons,
            Errors(*(self.squares / self.count).tolist()),
            tuple((self.own / self.count).tolist()),
            tuple((self.accumulated / self.count).tolist()),
            self.uneven / self.count,
        )


class _Layer:
    """A population's sums over all T steps, its law as a staircase, and what was counted of it."""

    def __init__(self, population: Population, network: SpikingNetwork) -> None:
        neuron = population.neuron
        assert isinstance(neuron, Rate | OffsetSpike)
        self.name, self.steps, self.neurons = population.name, neuron.steps, population.size
        self._step = per_neuron(neuron.step, population.shape)
        self._initial = per_neuron(neuron.initial, population.shape)
        self._bias = self.steps * per_neuron(population.bias, population.shape)
        self._input = network.input.name
        self._sums = [
            (each.source, _sums_of(each, network.nodes[each.source], population))
            for each in population.projections
        ]
        self.tally = _Tally()

    def total(self, counts: Mapping[str, Counts]) -> Integers:
        """The current of all T steps, the bias included, given the spikes of every source.

        Only one step's share of the constant input is certain to fit 24 bits.
        """
        once = {self._input: self.steps}
        sums = (
            once.get(source, 1) * golden.run(counts[source] // once.get(source, 1)).potential
            for source, golden in self._sums
        )
        return np.asarray(sum(sums, self._bias), np.int64)

    def desired(self, total: Integers) -> Integers:
        """The spikes for so much current, evenly heard.

        θ is odd or θ/2 whole, so that ⌊θ/2⌋ serves as the half: (2S + θ) and (2S + θ − 1) have the
        same quotient by 2θ.
        """
        return np.clip((total + self._initial) // self._step, 0, self.steps)

    def add(self, fired: Mapping[str, Counts], even: Mapping[str, Counts]) -> None:
        """Count a batch: what was fired, and what would be if every layer heard evenly."""
        total, spikes = self.total(fired), fired[self.name]
        desired = self.desired(total)
        offsets = even[self.name] - spikes
        parts = errors_of(total / (self.steps * self._step), desired, spikes, self.steps)
        self.tally += _Tally(
            spikes.size,
            np.array([np.square(each).sum() for each in parts]),
            float(np.square(offsets).sum()) / self.steps**2,
            _histogram(desired - spikes),
            _histogram(offsets),
        )


def errors_of(
    mean: npt.NDArray[np.float64], desired: Counts, fired: Counts, steps: int
) -> tuple[npt.NDArray[np.float64], ...]:
    """The three errors of each neuron, in the order of PARTS; their sum is fired/T − relu(x̄).

    Args:
        mean: x̄, the mean current of a step in thresholds.
        desired: T·q(x̄).
        fired: the spikes in T steps.
        steps: T.
    """
    clipped, quantised = np.clip(mean, 0.0, 1.0), desired / steps
    return clipped - np.maximum(mean, 0.0), quantised - clipped, fired / steps - quantised


def _part(one: float, other: float) -> float | None:
    return one / (one + other) if one + other else None


def _histogram(offsets: Counts) -> Integers:
    near = np.clip(offsets, -FARTHEST, FARTHEST) + FARTHEST
    return np.bincount(near.reshape(-1), minlength=len(OFFSETS))


def _sums_of(projection: Projection, source: Input | Population, population: Population) -> Golden:
    """The golden model cut before and behind one projection: counts in, Σ w·c · 2^e out."""
    given = Input(source.name, source.shape, MOST_STEPS << 16, 0.0, 1.0)
    channels = population.shape[0]
    shown = replace(
        population,
        projections=(projection,),
        bias=np.zeros(channels, np.int64),
        neuron=Readout(np.ones(channels)),
    )
    return Golden(SpikingNetwork(given, (shown,)))


def _with(
    network: SpikingNetwork, law: Callable[[OffsetSpike], Rate | OffsetSpike]
) -> SpikingNetwork:
    """The same network of other neurons; relays of the input are left out, for they keep time."""
    network = without_relays(network)
    populations = tuple(
        replace(each, neuron=law(each.neuron)) if isinstance(each.neuron, OffsetSpike) else each
        for each in network
    )
    first = populations[0].neuron
    return replace(
        network,
        input=replace(network.input, repeats=first.time_steps),
        populations=populations,
    )
