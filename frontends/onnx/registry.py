"""One reader for each ONNX operator, found by its kind: Conv, or com.microsoft.QGemm."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, TypeAlias, TypeVar

import onnx

from snnc.frontends.onnx.arrays import Array
from snnc.frontends.onnx.values import EXPORT_AGAIN, Call, Tensor

Result = TypeVar("Result")
Inputs: TypeAlias = tuple[int, int]
Layout: TypeAlias = Literal["first", "last", "any"]
"""Where ONNX must have the channels of what an operator reads."""
Outcome: TypeAlias = str | Tensor | tuple[str, ...]
"""The last node, or one for each result; a tensor if its axes are not in the order of the call."""
Reader: TypeAlias = Callable[[Call], Outcome]
AnyReader = TypeVar("AnyReader", bound=Reader)
Folder: TypeAlias = Callable[[Call], Array]
READERS: dict[str, Reader] = {}
LAYOUTS: dict[str, Layout] = {}
FOLDERS: dict[str, Folder] = {}
"""What computes a node whose inputs are all constant, where ONNX's own evaluator does not."""


def kind_of(node: onnx.NodeProto) -> str:
    """The type of a node, behind its domain where that is not ONNX's own."""
    return node.op_type if node.domain in ("", "ai.onnx") else f"{node.domain}.{node.op_type}"


def reads(
    *kinds: str, inputs: Inputs = (1, 1), layout: Layout = "first"
) -> Callable[[AnyReader], AnyReader]:
    """Register a reader: it adds nodes to the network and gives the name of the last.

    Args:
        kinds: the operators that it reads.
        inputs: the fewest that they take, all of which must be given, and the most.
        layout: with "any" the reader takes the axes of its first tensor in the order of the call.
    """

    def register(reader: AnyReader) -> AnyReader:
        for kind in kinds:
            assert kind not in READERS, f"{kind} has two readers"
            READERS[kind] = _counting(reader, *inputs)
            LAYOUTS[kind] = layout
        return reader

    return register


def folds(*kinds: str, inputs: Inputs = (1, 1)) -> Callable[[Folder], Folder]:
    """Register what computes nodes of constants; they are counted like those of a reader."""

    def register(folder: Folder) -> Folder:
        FOLDERS.update(dict.fromkeys(kinds, _counting(folder, *inputs)))
        return folder

    return register


def _counting(
    function: Callable[[Call], Result], least: int, most: int
) -> Callable[[Call], Result]:
    """The same, for calls that have as many inputs as they must."""

    def counted(call: Call) -> Result:
        given = len(call.inputs)
        if given > most or not all(map(call.has, range(least))):
            allowed = f"{least} to {most}" if least < most else f"{least}"
            present = sum(map(call.has, range(given)))
            raise call.refuse(f"has {present} inputs; allowed: {allowed}", EXPORT_AGAIN)
        return function(call)

    return counted


MENDS = {
    "QLinearSoftmax": "keep it for the end of the model, where it is dropped",
    "FloatQuant": "quantise to whole numbers: floats of few bits have steps of many sizes",
    "LayerNormalization": "use batch norm, which is constant after training",
    "InstanceNormalization": "use batch norm, which is constant after training",
    "GroupNormalization": "use batch norm, which is constant after training",
    "Softmax": "keep it for the end of the model, where it is dropped",
}


def mend_for(kind: str) -> str:
    """What to do about an operator that has no reader."""
    return MENDS.get(kind, "rewrite it with others; `snnc operators` lists those that are")


def supported() -> tuple[str, ...]:
    """Every operator that has a reader, those of other domains last."""
    return tuple(sorted(READERS, key=lambda kind: ("." in kind, kind)))
