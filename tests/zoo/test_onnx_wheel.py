"""The models that come with ONNX: each is read right, or refused with every reason."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import numpy_helper

from snnc.compiler.errors import SnncError
from snnc.compiler.network import Network, evaluate
from snnc.compiler.operators import Floats
from snnc.frontends.onnx.constants import is_foldable
from snnc.frontends.onnx.loading import Model, load_model
from snnc.frontends.onnx.reader import read_model, read_onnx
from snnc.frontends.onnx.registry import READERS, kind_of

DATA = Path(onnx.__file__).parent / "backend" / "test" / "data"
FOLDERS: Mapping[str, tuple[int, int]] = {
    "light": (5, 4),
    "pytorch-converted": (43, 39),
    "pytorch-operator": (5, 30),
    "simple": (1, 22),
}
"""How many models of each are read at least, and how many others there are."""
LARGE = "light_vgg19.onnx"
"""140 million weights: it is only read, and only once."""


def models(folder: str) -> list[Path]:
    return sorted((DATA / folder).rglob("*.onnx"))


def label(path: Path) -> str:
    return str(path.relative_to(DATA)).removesuffix("/model.onnx")


SMALL = [path for folder in FOLDERS for path in models(folder) if path.name != LARGE]


@pytest.mark.parametrize("path", SMALL, ids=label)
def test_a_model_is_read_right_or_refused(path: Path) -> None:
    try:
        read_onnx(path)
    except SnncError as error:
        check_refusal(error, onnx.load(path))
        return
    model = with_random_weights(load_model(path))
    pairs = [*computed(model.proto), *given(path.parent, model)]
    assert pairs
    for x, expected in pairs:
        check(read_model(model), x, expected)


@pytest.mark.parametrize("folder", FOLDERS)
def test_no_fewer_models_are_read_than_before(folder: str) -> None:
    refused = [path for path in models(folder) if is_refused(path)]
    read = len(models(folder)) - len(refused)
    print(f"{folder}: {read} read, {len(refused)} refused")
    assert read >= FOLDERS[folder][0]
    assert read + len(refused) == sum(FOLDERS[folder])


def is_refused(path: Path) -> bool:
    try:
        read_onnx(path)
    except SnncError:
        return True
    return False


def check_refusal(error: SnncError, proto: onnx.ModelProto) -> None:
    """A mend for every problem; and no operator without a reader that is not named."""
    assert all(each.where and each.what and each.mend for each in error.problems)
    unread = ("inputs", "has shape", "is of type")
    if any(each in problem.what for problem in error.problems for each in unread):
        return
    unknown = {kind_of(node) for node in proto.graph.node if not is_foldable(node)}
    unknown -= {*READERS, "Shape", "Softmax", "LogSoftmax", "ArgMax"}
    assert all(f"{kind} is not supported" in str(error) for kind in unknown)


def with_random_weights(model: Model) -> Model:
    """Weights that a ConstantOfShape makes are all equal, and show no mistake: others for these."""
    known = {each.name: numpy_helper.to_array(each) for each in model.proto.graph.initializer}
    rng, kept = np.random.default_rng(0), []
    for node in model.proto.graph.node:
        shape = known.get(node.input[0]) if node.op_type == "ConstantOfShape" else None
        if shape is None:
            kept.append(node)
        else:
            weights = numpy_helper.from_array(_weights(rng, shape), node.output[0])
            model.proto.graph.initializer.append(weights)
    del model.proto.graph.node[:]
    model.proto.graph.node.extend(kept)
    return model


def _weights(rng: np.random.Generator, shape: np.ndarray) -> np.ndarray:
    """He's; what belongs to a channel is above 0, for it may be a variance."""
    if len(shape) < 2:
        return rng.uniform(0.5, 1.5, shape).astype(np.float32)
    return (rng.normal(size=shape) * np.sqrt(2 / np.prod(shape[1:]))).astype(np.float32)


def samples(proto: onnx.ModelProto) -> Floats:
    weights = {each.name for each in proto.graph.initializer}
    (value,) = (each for each in proto.graph.input if each.name not in weights)
    shape = [each.dim_value or 2 for each in value.type.tensor_type.shape.dim]
    return np.random.default_rng(1).normal(size=shape).astype(np.float32)


def computed(proto: onnx.ModelProto) -> Iterator[tuple[Floats, Floats]]:
    """What ONNX Runtime makes of random numbers; nothing for operators too old for it."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    try:
        session = onnxruntime.InferenceSession(proto.SerializeToString(), options)
    except Exception:  # NotImplemented, Fail and InvalidGraph have no class in common
        return
    x = samples(proto)
    yield x, session.run(None, {session.get_inputs()[0].name: x})[0]


def given(folder: Path, model: Model) -> Iterator[tuple[Floats, Floats]]:
    """What ONNX gives along: inputs, and what they become, unless that is a softmax."""
    for each in () if model.dropped else folder.glob("test_data_set_*"):
        yield tensor(each / "input_0.pb"), tensor(each / "output_0.pb")


def tensor(path: Path) -> Floats:
    return numpy_helper.to_array(onnx.TensorProto.FromString(path.read_bytes()))


def check(network: Network, x: Floats, expected: Floats) -> None:
    found = evaluate(network, x.astype(np.float64))[network.output.name]
    scale = float(np.abs(expected[np.isfinite(expected)]).max())  # √ of what is below 0 is NaN
    np.testing.assert_allclose(found.reshape(expected.shape), expected, rtol=0, atol=2e-5 * scale)
