"""What the study of rate errors finds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from snnc.runtime.presented import Presentation, Presented

PARTS = ("clipping", "quantisation", "unevenness")
OFFSETS = ("<=-3", "-2", "-1", "0", "1", "2", ">=3")


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
    """The share of neurons with each of OFFSETS, for the input that they got."""
    accumulated: tuple[float, ...]
    """The same against the network in which every layer gets its input evenly."""
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


@dataclass(frozen=True, repr=False)
class ErrorReport(Presented):
    """All T, and of offset-spike all numbers of calibrations."""

    model: str
    code: str
    images: int
    analyses: tuple[Analysis, ...]
    remarks: tuple[str, ...] = ()
    """What is worth knowing of the images."""

    @property
    def calibrates(self) -> bool:
        """Whether any of the networks calibrates offset spikes away."""
        return any(each.iterations for each in self.analyses)

    def presentation(self) -> Presentation:
        """The errors of each network, layer by layer."""
        from snnc.runtime.output.presentations import of_errors

        return of_errors(self)

    def as_json(self) -> dict[str, Any]:
        """The one object that `snnc errors --json` prints."""
        analyses = [each.as_json() for each in self.analyses]
        head: dict[str, Any] = {"model": self.model, "code": self.code, "images": self.images}
        head["remarks"] = list(self.remarks)
        return {**head, "analyses": analyses}


def _part(one: float, other: float) -> float | None:
    return one / (one + other) if one + other else None
