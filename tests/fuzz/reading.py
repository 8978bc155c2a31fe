"""Whether a model that was read means what ONNX Runtime makes of it, attribute by attribute."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import onnx
import onnxruntime

from snnc.compiler.errors import SnncError
from snnc.compiler.network import Network, evaluate
from snnc.compiler.operators.elementwise import Elementwise, Floor, Round
from snnc.frontends.onnx.reader import read_onnx
from tests.fuzz.draws import Rng

IMAGES = 3
TOLERANCE = 1e-3
"""Of the greatest value: ONNX Runtime computes in float32."""
NUDGE = 1e-6
"""A value so near to an edge, as a part of itself, may stand on either side of it in float32."""
MOST_VALUES = 1 << 18
"""Of a sample at all nodes; more only takes longer."""


def holds_to_onnx_runtime(path: Path, rng: Rng) -> bool:
    """Compare a model that can be read with ONNX Runtime; whether that was possible.

    Where a value lies on the edge of a staircase, the two may stand on different steps: such images
    are not compared. Of the others one may differ, where float32 holds too little, but not all.
    """
    try:
        network, model = read_onnx(path)
    except SnncError:
        return False
    values = sum(int(np.prod(each.shape)) for each in network)
    if values * _batch_of(model.proto) > MOST_VALUES * IMAGES:
        return False
    expected = _in_onnx_runtime(model.proto, network, rng)
    if expected is None:
        return False
    x, wanted = expected
    with np.errstate(all="ignore"):
        found, *nudged = (
            evaluate(_nudged(network, each), x.astype(np.float64))[network.output.name]
            for each in (1, 1 - NUDGE, 1 + NUDGE)
        )
        if not np.isfinite(found).all() or np.abs(found).max(initial=0) > 1e30:
            return False
        assert found.shape == wanted.shape, f"shape {found.shape}, not {wanted.shape}"
        scale = max(np.abs(wanted).max(initial=0), 1e-6)
        on_edge = np.any([_apart(found, each) > TOLERANCE * scale for each in nudged], axis=0)
        far = _apart(found, wanted)[~on_edge] / scale
    if not len(far):
        return False
    assert (far <= TOLERANCE).any(), f"ONNX Runtime differs by {far.min():.2g} of the greatest"
    return True


def _apart(found: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """The greatest difference of each image."""
    return np.abs(found.astype(np.float64) - wanted).reshape(len(found), -1).max(axis=1, initial=0)


@dataclass(frozen=True, eq=False)
class _Nudged(Elementwise):
    """An operator of steps that reads numbers next to its own."""

    operator: Floor | Round
    factor: float

    def apply(self, *sources: np.ndarray) -> np.ndarray:
        return self.operator.apply(*(each * self.factor for each in sources))


def _nudged(network: Network, factor: float) -> Network:
    """The network with all of its steps a little earlier or later."""
    return network.replaced(
        tuple(
            replace(each, operator=_Nudged(each.operator, factor))
            if isinstance(each.operator, Floor | Round)
            else each
            for each in network
        )
    )


def _batch_of(proto: onnx.ModelProto) -> int:
    """The images that a model wants at once, where it says how many."""
    given = {each.name for each in proto.graph.initializer}
    first = next(each for each in proto.graph.input if each.name not in given)
    dims = first.type.tensor_type.shape.dim
    return (dims[0].dim_value if dims else 0) or IMAGES


def _in_onnx_runtime(
    proto: onnx.ModelProto, network: Network, rng: Rng
) -> tuple[np.ndarray, np.ndarray] | None:
    """Images and what they become; None for what ONNX Runtime does not run."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = 1
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    try:
        session = onnxruntime.InferenceSession(proto.SerializeToString(), options)
        given = session.get_inputs()[0]
        x = rng.normal(size=(_batch_of(proto), *network.input.shape)).astype(np.float32)
        return x, np.asarray(session.run(None, {given.name: x})[0])
    except Exception:  # what it raises has no class in common
        return None
