"""Which model takes whose place."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from snnc.runtime.lava_models import neurons, synapses

MODELS: Mapping[Any, Any] = MappingProxyType(
    {
        each.implements_process: each
        for each in (
            synapses.FastConv,
            synapses.FastDense,
            synapses.FastDelayDense,
            neurons.FastLif,
            neurons.FastLifReset,
            neurons.FastDelta,
            neurons.FastSigma,
            neurons.FastSigmaDelta,
        )
    }
)
