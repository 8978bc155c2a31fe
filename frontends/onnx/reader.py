"""The walk over an ONNX graph: constants are folded, everything else meets its reader."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import starmap
from pathlib import Path

import numpy as np
import onnx

from snnc.compiler.errors import Problem, SnncError, refusal
from snnc.compiler.network import Network, Node
from snnc.compiler.operators import Reshape, Shape, Source
from snnc.frontends.onnx import operators as _readers  # noqa: F401  (registers them)
from snnc.frontends.onnx.arrays import REAL, array_of, size_of
from snnc.frontends.onnx.arrays import name_of as name_of_type
from snnc.frontends.onnx.attributes import EXPORT_AGAIN, Attributes
from snnc.frontends.onnx.bounded import BoundedBuilder
from snnc.frontends.onnx.constants import fold, is_foldable
from snnc.frontends.onnx.layouts import channels_last, in_order, order_for, reads_channels_last
from snnc.frontends.onnx.limits import ALL_NUMBERS, Budget
from snnc.frontends.onnx.loading import Model, load_model, name_of
from snnc.frontends.onnx.registry import FOLDERS, READERS, kind_of, mend_for
from snnc.frontends.onnx.sizes import inputs_of, sizes_of
from snnc.frontends.onnx.values import Call, Constant, Tensor, Unknown, Value

NAMED = 3
"""Nodes that a message names before it counts the rest."""


def read_onnx(path: Path, input_shape: Shape = ()) -> tuple[Network, Model]:
    """Read a file as a network, and the model cut behind its logits for comparisons.

    Args:
        path: the file.
        input_shape: of a sample, where the file leaves it open.

    Raises:
        SnncError: with every operator that cannot be read.
    """
    model = load_model(path, input_shape)
    return read_model(model), model


def read_model(model: Model) -> Network:
    """Read a loaded model.

    Raises:
        SnncError: with every operator that cannot be read.
    """
    remarks = tuple(f"dropped {each}: it does not change the decision" for each in model.dropped)
    return Network(_Walk(model.proto).nodes(), remarks)


class _Walk:
    """The values of one graph, by the names of its tensors."""

    def __init__(self, proto: onnx.ModelProto) -> None:
        self.graph = proto.graph
        self.opset = next(
            (o.version for o in proto.opset_import if o.domain in ("", "ai.onnx")), 17
        )
        self.batch = 1
        self.builder = BoundedBuilder()
        self.budget = Budget("numbers of all constants", ALL_NUMBERS, "use a smaller model")
        self.problems: list[Problem] = []
        self.unsupported: dict[str, list[str]] = {}
        """The names of nodes, by what none of them has: a reader."""
        self.values: dict[str, Value] = {}

    def nodes(self) -> tuple[Node, ...]:
        """Read everything, then what the output needs."""
        self._read_initializers()
        try:
            self._read_input()
        except SnncError as error:
            raise SnncError(*self.problems, *error.problems) from None
        with np.errstate(all="ignore"):  # readers refuse what is no number
            for node in self.graph.node:
                try:
                    self._read(node, name_of(node))
                except SnncError as error:
                    self.problems.extend(error.problems)
                    self.values.update(dict.fromkeys(node.output, Unknown()))
        self.problems.extend(starmap(_not_supported, self.unsupported.items()))
        if len(self.graph.output) > 1:
            names = ", ".join(each.name for each in self.graph.output)
            what = f"the model has {len(self.graph.output)} outputs ({names}); allowed: 1"
            self.problems.append(Problem(self.graph.output[1].name, what, "export one of them"))
        output = self.values.get(self.graph.output[0].name)
        if not self.problems and not isinstance(output, Tensor):
            what = "the output does not depend on the input"
            where = self.graph.output[0].name or "output"
            self.problems.append(Problem(where, what, "check the model"))
        if self.problems:
            raise SnncError(*self.problems)
        assert isinstance(output, Tensor)
        last = in_order(self.builder, output, ()).node
        if not output.shape:  # one logit, squeezed
            last = self.builder.add(last, Reshape((1,)), last)
        return self.builder.nodes(last)

    def _read_initializers(self) -> None:
        """The stored constants that a node or the output needs."""
        needed = {name for node in self.graph.node for name in node.input}
        needed.update(each.name for each in self.graph.output)
        for each in self.graph.initializer:
            where = each.name or "constant"
            if each.name in self.values:
                what = "is stored twice; allowed: once"
                self.problems.append(Problem(where, what, EXPORT_AGAIN))
            self.values[each.name] = Unknown()
            if each.name not in needed:
                continue
            try:
                self.budget.take(size_of(each, where), where)
                self.values[each.name] = Constant(each.name, array_of(each, where))
            except SnncError as error:
                self.problems.extend(error.problems)

    def _read_input(self) -> None:
        inputs = inputs_of(self.graph)
        if len(inputs) != 1:
            names = ", ".join(each.name for each in inputs) or "none"
            what = f"the model has {len(inputs)} inputs ({names}); allowed: 1"
            raise refusal(self.graph.name or "graph", what, "export a model of one input")
        shape, name = _sample_shape(inputs[0]), inputs[0].name
        batch = sizes_of(inputs[0])[0]
        self.batch = batch if isinstance(batch, int) else 1
        last = len(shape) > 1 and reads_channels_last(self.graph, name, (None, *shape))
        planes = (shape[-1], *shape[:-1]) if last else shape
        node = self.builder.add(name, Source(planes, last))
        self.values[node] = Tensor(node, planes, channels_last(len(shape)) if last else ())

    def _read(self, node: onnx.NodeProto, name: str) -> None:
        inputs = tuple(self._value(each, name) for each in node.input)
        kind = kind_of(node)
        if not _is_known(node, kind, inputs):
            self.unsupported.setdefault(kind, []).append(name)
            self.values.update(dict.fromkeys(node.output, Unknown()))
        elif any(isinstance(each, Unknown) for each in inputs):
            self.values.update(dict.fromkeys(node.output, Unknown()))
        elif kind == "Shape" and len(inputs) == 1 and isinstance(inputs[0], Tensor):
            self._read_shape(node, name, inputs[0])
        elif any(isinstance(each, Tensor) for each in inputs):
            self._read_tensors(node, name, inputs)
        else:
            self._fold(node, inputs, name)

    def _read_tensors(
        self, node: onnx.NodeProto, name: str, inputs: tuple[Value | None, ...]
    ) -> None:
        """Let the reader have its tensors in the order of axes that it wants."""
        kind = kind_of(node)
        order = order_for(kind, inputs)
        arranged = tuple(
            in_order(self.builder, each, order) if isinstance(each, Tensor) else each
            for each in inputs
        )
        call = self._call(node, name, arranged, order)
        found = READERS[kind](call)
        results = found if isinstance(found, tuple) else (found,)
        for output, result in zip(node.output, results, strict=False):
            self.values[output] = (
                result if isinstance(result, Tensor) else self._tensor(result, order)
            )

    def _tensor(self, node: str, order: Shape) -> Tensor:
        shape = self.builder.shape(node)
        return Tensor(node, shape, order if len(order) == len(shape) else ())

    def _value(self, name: str, node: str) -> Value | None:
        if not name:
            return None
        if name not in self.values:
            raise refusal(
                node, f"reads {name!r}, which nothing before it writes", "export it again"
            )
        return self.values[name]

    def _call(
        self,
        node: onnx.NodeProto,
        name: str,
        inputs: tuple[Value | None, ...],
        order: Shape = (),
    ) -> Call:
        attributes, outputs = Attributes.of(node, name), len(node.output)
        given = (attributes, inputs, self.builder, order, outputs, self.batch)
        return Call(name, node.op_type, *given)

    def _read_shape(self, node: onnx.NodeProto, name: str, tensor: Tensor) -> None:
        """A batch counts as one image: sizes that depend on it are found out where they matter."""
        attributes = Attributes.of(node, name)
        sizes = np.array((1, *tensor.seen), np.int64)
        start, end = attributes.whole("start", 0), attributes.whole("end", len(sizes))
        self.values[node.output[0]] = Constant(node.output[0], sizes[start:end])

    def _fold(self, node: onnx.NodeProto, inputs: tuple[Value | None, ...], name: str) -> None:
        folder = FOLDERS.get(kind_of(node))
        if folder:
            results = [folder(self._call(node, name, inputs))]
            self.budget.take(results[0].size, name)
        else:
            arrays = [each.value if isinstance(each, Constant) else None for each in inputs]
            results = fold(node, arrays, self.opset, name, self.budget)
        for output, result in zip(node.output, results, strict=False):
            self.values[output] = Constant(output, np.asarray(result))


def _is_known(node: onnx.NodeProto, kind: str, inputs: tuple[Value | None, ...]) -> bool:
    """Whether a node has a reader, or is a size, or a constant that can be computed."""
    if all(each is None or isinstance(each, Constant) for each in inputs):
        return kind in FOLDERS or is_foldable(node)
    return kind in READERS or (kind == "Shape" and len(inputs) == 1)


def _not_supported(kind: str, names: Sequence[str]) -> Problem:
    """An operator without a reader, told once, with the first of its nodes."""
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    count = f" ({len(names)} nodes)" if len(names) > 1 else ""
    what = f"{kind} is not supported{count}"
    return Problem(f"{', '.join(names[:NAMED])}{more}", what, mend_for(kind.split(".")[-1]))


def _sample_shape(value: onnx.ValueInfoProto) -> Shape:
    """The shape behind the batch, which must be whole numbers."""
    tensor = value.type.tensor_type
    if tensor.elem_type not in REAL:
        what = f"is of type {name_of_type(tensor.elem_type)}; allowed: real numbers"
        raise refusal(value.name or "input", what, "give it images as numbers")
    sizes = sizes_of(value)
    fixed = tuple(each for each in sizes[1:] if isinstance(each, int))
    if not 2 <= len(sizes) <= 4 or len(fixed) != len(sizes) - 1:
        what = f"has shape {sizes}; allowed: (batch, features), (batch, channels, length) or "
        what += "(batch, channels, height, width), all but the batch as numbers"
        example = tuple(each if isinstance(each, int) else 224 for each in sizes[1:])
        shape = example if 1 <= len(example) <= 3 else (3, 224, 224)
        mend = f"give the sizes of a sample: `input_shape={shape}`"
        raise refusal(value.name or "input", what, mend)
    return fixed
