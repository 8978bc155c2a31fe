"""A network on cores, as `snnc map` shows it: the fill of each layer's cores, and its messages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from itertools import chain
from typing import Any

import numpy as np

from snnc.compiler.laws import Floats
from snnc.compiler.mapping.mapper import MapOptions
from snnc.compiler.mapping.mapping import CoreMapping
from snnc.compiler.mapping.routes import Routes, routes_of
from snnc.runtime.presented import Presentation, Presented


@dataclass(frozen=True)
class PlacedLayer:
    """One layer on its cores."""

    name: str
    shape: tuple[int, int, int]
    copies: int
    weight_bits: int
    pieces: tuple[int, int, int]
    """Of channels, rows and columns."""
    cores: int
    fill: Mapping[str, float]
    """By resource, the share of it that the fullest core takes."""
    messages: float
    """Cores to which a spike of the layer goes, in the mean."""
    hops: float
    """Routers that a message passes on, in the mean."""

    @property
    def fullest(self) -> tuple[str, float]:
        """The resource that is scarcest, and its share."""
        name = max(self.fill, key=lambda each: self.fill[each])
        return name, self.fill[name]


@dataclass(frozen=True, eq=False, repr=False)
class PlacementReport(Presented):
    """A mapping, and what the user chose."""

    target: str
    options: MapOptions
    mapping: CoreMapping

    @cached_property
    def routes(self) -> Routes:
        """The messages when every neuron fires once."""
        return routes_of(self.mapping)

    @cached_property
    def layers(self) -> tuple[PlacedLayer, ...]:
        """In their order."""
        across, along = self.mapping.distances(self.routes.senders, self.routes.receivers)
        sent = self._by_layer(self.routes.messages)
        hops = self._by_layer(self.routes.messages * (across + along))
        return tuple(
            self._layer(index, sent[index], hops[index])
            for index in range(len(self.mapping.layers))
        )

    @cached_property
    def loads(self) -> Floats:
        """Of each core the share that it takes of the resource it has least of; (cores,)."""
        found = []
        for index in range(len(self.mapping.layers)):
            demands = self.mapping.demands(index).against(self.mapping.core).values()
            found.append(np.max([asked / most for asked, most in demands], axis=0).ravel())
        return np.concatenate(found)

    @property
    def chips(self) -> int:
        """How many are in use."""
        return len(self.mapping.chips)

    @property
    def crossing(self) -> float:
        """The share of all messages that leave their chip, when every neuron fires once."""
        chip = self.mapping.places[:, 0]
        leaves = chip[self.routes.senders] != chip[self.routes.receivers]
        total = self.routes.messages.sum()
        return float(self.routes.messages[leaves].sum() / total) if total else 0.0

    def presentation(self) -> Presentation:
        """The network on its cores."""
        from snnc.runtime.output.presentations import of_placement

        return of_placement(self)

    def as_json(self) -> dict[str, Any]:
        """The one object that `snnc map --json` prints, with a line for each core."""
        return {
            "target": self.target,
            "options": asdict(self.options),
            "core": asdict(self.mapping.core),
            "cores": self.mapping.cores,
            "chips": self.chips,
            "crossing": self.crossing,
            "layers": [asdict(each) for each in self.layers],
            "slices": self._slices(),
        }

    def _slices(self) -> list[dict[str, Any]]:
        """What each core holds, and where it stands."""
        mapping = self.mapping
        boxes = chain.from_iterable(
            ((layer.name, box) for box in mapping.slices(index))
            for index, layer in enumerate(mapping.layers)
        )
        return [
            {
                "core": number,
                "chip": chip,
                "router": [column, row],
                "layer": name,
                "channels": list(channels),
                "rows": list(rows),
                "columns": list(columns),
            }
            for number, ((chip, column, row), (name, (channels, rows, columns))) in enumerate(
                zip(mapping.places.tolist(), boxes, strict=True)
            )
        ]

    def _layer(self, index: int, sent: float, hops: float) -> PlacedLayer:
        mapping = self.mapping
        layer, pieces = mapping.layers[index], mapping.cuts[index]
        demands = mapping.demands(index).against(mapping.core)
        return PlacedLayer(
            layer.name,
            layer.shape,
            layer.copies,
            layer.weight_bits,
            pieces,
            mapping.first_cores[index + 1] - mapping.first_cores[index],
            {name: float(found.max() / most) for name, (found, most) in demands.items()},
            sent / layer.neurons,
            hops / sent if sent else 0.0,
        )

    def _by_layer(self, numbers: Floats) -> Floats:
        """Numbers of routes, summed for the layer that sends."""
        bounds = self.mapping.first_cores[1:]
        layer = np.searchsorted(bounds, self.routes.senders, side="right")
        return np.asarray(np.bincount(layer, numbers, len(bounds)), np.float64)
