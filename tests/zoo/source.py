"""What the float model itself computes in ONNX Runtime: its levels and its logits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from snnc.compiler.operators import Floats

WEIGHTED = ("Conv", "Gemm", "MatMul")


class Source:
    """The levels are taken where QCFS rounds, and known by the population that must have them.

    Disturbed, weights get random errors of that size, relative to their own: the control.
    """

    def __init__(self, path: Path, *, disturbed: float = 0.0) -> None:
        self.model = onnx.load(path)
        for each in self.model.graph.initializer:
            each.CopyFrom(_disturbed(each, disturbed))
        self.floors = {_sums(node, self.model): node.output[0] for node in _floors(self.model)}

    def run(self, x: Floats) -> tuple[Mapping[str, Floats], Floats]:
        """The levels of every population, and the logits."""
        return self._run(self.model, self.floors, {"input": x})

    def follow(
        self, x: Floats, levels: Mapping[str, Floats]
    ) -> tuple[Mapping[str, Floats], Floats]:
        """The same where each population is given the levels of those before it.

        A single level that differs makes others differ in the next layer, and so on. Here each
        population answers for itself.
        """
        model = onnx.ModelProto()
        model.CopyFrom(self.model)
        for node in _floors(model):
            given = node.output[0]
            model.graph.input.append(helper.make_tensor_value_info(given, TensorProto.FLOAT, None))
            node.output[0] = f"{given}:free"
        free = {name: f"{floor}:free" for name, floor in self.floors.items()}
        given = {floor: levels[name] for name, floor in self.floors.items()}
        return self._run(model, free, {"input": x, **given})

    def _run(
        self, model: onnx.ModelProto, shown: Mapping[str, str], given: Mapping[str, Floats]
    ) -> tuple[Mapping[str, Floats], Floats]:
        extended = onnx.ModelProto()
        extended.CopyFrom(model)
        extended.graph.output.extend(map(helper.make_empty_tensor_value_info, shown.values()))
        session = onnxruntime.InferenceSession(extended.SerializeToString())
        feeds = {name: values.astype(np.float32) for name, values in given.items()}
        logits, *levels = session.run(None, feeds)
        return dict(zip(shown, levels, strict=True)), logits


def _disturbed(tensor: onnx.TensorProto, error: float) -> onnx.TensorProto:
    values = numpy_helper.to_array(tensor)
    if values.ndim < 2 or not error:
        return tensor
    noise = np.random.default_rng(0).normal(size=values.shape) * np.sqrt(np.mean(values**2))
    return numpy_helper.from_array((values + error * noise).astype(values.dtype), tensor.name)


def _floors(model: onnx.ModelProto) -> Iterator[onnx.NodeProto]:
    return (node for node in model.graph.node if node.op_type == "Floor")


def _sums(floor: onnx.NodeProto, model: onnx.ModelProto) -> str:
    """The name of a population: its last weights, or where its sources meet, or a max pool of it.

    Where a staircase follows another with no such node between, it is called by its own scale.
    """
    writers = {name: each for each in model.graph.node for name in each.output}
    node, pool = floor, ""
    while len(found := _activations(node, writers)) == 1 and node.op_type not in WEIGHTED:
        (node,) = found
        if node.op_type == "Floor":
            return next(e.name for e in model.graph.node if floor.output[0] in e.input)
        pool = pool or (node.name if node.op_type == "MaxPool" else "")
    return pool or node.name


def _activations(
    node: onnx.NodeProto, writers: Mapping[str, onnx.NodeProto]
) -> list[onnx.NodeProto]:
    sources = (writers[each] for each in node.input if each in writers)
    return [each for each in sources if each.op_type != "Constant"]
