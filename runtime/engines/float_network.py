"""Runs the network IR on floats, the whole of it or the part between some nodes and others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from snnc.backends.onnx.float_network import float_model
from snnc.compiler.network import Network
from snnc.runtime.engines.sessions import guarded, open_session

Array: TypeAlias = npt.NDArray[np.floating[Any]]
BATCH = 64
FLOATS = "the network in floats"


class FloatNetwork:
    """Chosen nodes of a network in ONNX Runtime, on as many threads as there are cores or as given.

    Args:
        network: any stage of the network IR.
        outputs: the nodes to compute; the network's output if none are named.
        inputs: the nodes that `run` is given; the network's input if none are named.
        dtype: float32 for speed, float64 for laws.
        threads: 0 for all cores.
    """

    def __init__(
        self,
        network: Network,
        outputs: Sequence[str] = (),
        *,
        inputs: Sequence[str] = (),
        dtype: npt.DTypeLike = np.float32,
        threads: int = 0,
    ) -> None:
        self.outputs = tuple(outputs) or (network.output.name,)
        self.inputs = tuple(inputs) or (network.input.name,)
        self.dtype = np.dtype(dtype)
        # ONNX Runtime hands an input that is also an output back as memory it does not own.
        self._computed = tuple(each for each in self.outputs if each not in self.inputs)
        self._session = None
        if self._computed:
            model = float_model(network, self._computed, inputs=self.inputs, dtype=dtype)
            with guarded(FLOATS):
                self._session = open_session(model.SerializeToString(), threads=threads)

    def run(self, *batches: Array) -> Mapping[str, Array]:
        """What every output gives for a batch of each input, (images, *shape)."""
        given = (np.asarray(each, self.dtype) for each in batches)
        known = dict(zip(self.inputs, given, strict=True))
        if self._session is not None:
            with guarded(FLOATS):
                results = self._session.run(self._computed, known)
            known.update(zip(self._computed, results, strict=True))
        return {each: known[each] for each in self.outputs}

    def batches(self, *samples: Array, size: int = BATCH) -> Iterator[Mapping[str, Array]]:
        """The same for any number of images, size of them at a time."""
        for start in range(0, len(samples[0]), size):
            yield self.run(*(each[start : start + size] for each in samples))
