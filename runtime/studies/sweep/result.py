"""What a sweep finds: measurements, the points they belong to, and all points together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from operator import attrgetter
from statistics import fmean, stdev
from typing import Any

import numpy as np

from snnc.compiler.codes import SweepPoint
from snnc.compiler.codes.base import with_code
from snnc.compiler.errors import Problem
from snnc.compiler.options import CompileOptions
from snnc.runtime.presented import Presentation, Presented
from snnc.runtime.spread import ALONE, Spread
from snnc.runtime.studies.synaptic_operations import Traffic

BETWEEN_MODELS = "standard deviation between models"
BETWEEN_IMAGES = "binomial standard error over images"
SETTINGS = ("rho", "iterations", "light")
"""What a point says of its code besides T."""


@dataclass(frozen=True)
class Deployment:
    """What a network costs on cores for one image, see `snnc.runtime.studies.cost`."""

    cores: int
    energy: float
    """µJ in a stream, at the constants of Loihi 1."""
    proxy: float
    """Synaptic operations + 10 · neuron updates, in a stream."""
    latency: float
    """µs to the logits of an image alone, by the model of Loihi 1."""
    period: float
    """µs from an image to the next in a stream, likewise."""


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
    copies: int | None
    """The most copies of a neuron; None where neurons have none."""
    mismatches: int | None
    """Spikes and logits in which an engine differs from golden; None where none was held to it."""
    unchecked: tuple[Problem, ...] = ()
    """Why the engine that was asked for was not held to golden."""
    deployment: Deployment | None = None
    """None where nobody asked, or where it does not fit."""
    unplaced: tuple[Problem, ...] = ()
    """Why it does not fit on cores."""

    @property
    def spikes_per_neuron(self) -> float:
        """Of the neurons that fire, for one image."""
        return self.traffic.hidden_spikes / max(1, self.neurons)


@dataclass(frozen=True)
class MeasuredPoint:
    """A code with its settings, measured on every model; or the reasons why it cannot be."""

    setting: SweepPoint
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
        """Over all models; None where no engine was held against golden."""
        found = [each.mismatches for each in self.measurements if each.mismatches is not None]
        return sum(found) if found else None

    @property
    def unchecked(self) -> tuple[Problem, ...]:
        """Why the engine that was asked for was not held against golden."""
        return tuple(dict.fromkeys(p for each in self.measurements for p in each.unchecked))

    @property
    def unplaced(self) -> tuple[Problem, ...]:
        """Why it does not fit on cores."""
        return tuple(dict.fromkeys(p for each in self.measurements for p in each.unplaced))

    def deployed(self, of: Callable[[Deployment], float]) -> float | None:
        """The mean over the models; None where one was not placed on cores."""
        found = [each.deployment for each in self.measurements]
        placed = [of(each) for each in found if each is not None]
        return fmean(placed) if placed and len(placed) == len(found) else None

    def mean(self, of: Callable[[Measurement], float]) -> float | None:
        """The mean over the models; None where there is none."""
        return fmean(map(of, self.measurements)) if self.measurements else None

    def as_json(self) -> dict[str, Any]:
        """What `snnc sweep --json` prints of it."""
        first = self.measurements[0] if self.measurements else None
        return {
            **self._setting(),
            "groups": first and first.copies,
            "error_free": self.setting.error_free,
            "accuracy": self.accuracy,
            "accuracies": [each.accuracy for each in self.measurements],
            "spread": self.spread,
            "spread_of": self.spread_of,
            "loss_in_points": fmean(self.losses) if self.losses else None,
            "spikes_per_image": {
                "input": self.mean(lambda each: each.traffic.input_spikes),
                "hidden": self.mean(lambda each: each.traffic.hidden_spikes),
            },
            "spikes_per_neuron": self.mean(lambda each: each.spikes_per_neuron),
            "synaptic_operations_per_image": {
                "input": self.mean(lambda each: each.traffic.input_operations),
                "hidden": self.mean(lambda each: each.traffic.hidden_operations),
            },
            "latency": first and first.latency,
            "period": first and first.period,
            "mismatches": self.mismatches,
            "deployment": {
                each.name: self.deployed(attrgetter(each.name)) for each in fields(Deployment)
            },
            "problems": [
                asdict(each) for each in (*self.problems, *self.unchecked, *self.unplaced)
            ],
        }

    def _setting(self) -> dict[str, Any]:
        code = self.setting.code
        options = with_code(CompileOptions(), code)
        return {
            "series": code.series,
            "code": code.name,
            "time_steps": self.setting.time_steps,
            **{name: getattr(options, name) for name in SETTINGS},
        }


@dataclass(frozen=True)
class FloatModel:
    """A source model, and the share of images it gets right as floats."""

    name: str
    accuracy: float


@dataclass(frozen=True, repr=False)
class Sweep(Presented):
    """All points of all codes."""

    images: int
    engine: str
    """The one that was held against golden in every point, or golden where none was."""
    models: tuple[FloatModel, ...]
    points: tuple[MeasuredPoint, ...]
    remarks: tuple[str, ...] = ()
    """What is worth knowing of the images."""
    notes: tuple[str, ...] = ()
    """What was asked for and has no point."""
    spread: Spread = ALONE
    """Who measured them."""

    @property
    def source_accuracy(self) -> float:
        """The mean over the models, as floats."""
        return fmean(each.accuracy for each in self.models)

    @property
    def worked(self) -> bool:
        """Whether any point could be measured."""
        return any(each.measurements for each in self.points)

    @property
    def is_deployed(self) -> bool:
        """Whether any point was placed on cores."""
        return any(each.deployment for point in self.points for each in point.measurements)

    @property
    def is_exact(self) -> bool:
        """Whether the engine ran wherever golden did, and gave every spike and logit of it."""
        return not any(each.mismatches or each.unchecked for each in self.points)

    def presentation(self) -> Presentation:
        """Every point, and of each curve the best."""
        from snnc.runtime.output.presentations import of_sweep

        return of_sweep(self)

    def as_json(self) -> dict[str, Any]:
        """The one object that `snnc sweep --json` prints."""
        return {
            "images": self.images,
            "remarks": list(self.remarks),
            "engine": self.engine,
            **self.spread.as_json(),
            "models": [asdict(each) for each in self.models],
            "source_accuracy": self.source_accuracy,
            "points": [each.as_json() for each in self.points],
            "notes": list(self.notes),
        }
