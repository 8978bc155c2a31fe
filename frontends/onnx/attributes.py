"""The attributes of a node: all are read here, each by the kind, count and range that are asked."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite

import onnx

from snnc.compiler.errors import SnncError, refusal
from snnc.compiler.operators import Shape
from snnc.frontends.onnx.limits import ENTRIES, SIZE

Proto = onnx.AttributeProto
EXPORT_AGAIN = "export it again: no ONNX Runtime takes it like this"
REQUIRED = None


@dataclass(frozen=True, eq=False)
class Attributes:
    """What a node says beside its inputs; a default of None means that it must say it."""

    where: str
    """The node."""
    operator: str
    protos: Mapping[str, onnx.AttributeProto]

    @classmethod
    def of(cls, node: onnx.NodeProto, where: str) -> Attributes:
        """Those of a node.

        Raises:
            SnncError: if one is given twice.
        """
        found: dict[str, onnx.AttributeProto] = {}
        for each in node.attribute:
            if each.name in found:
                what = f"{node.op_type} has attribute {each.name!r} twice; allowed: once"
                raise refusal(where, what, EXPORT_AGAIN)
            found[each.name] = each
        return cls(where, node.op_type, found)

    def __contains__(self, name: str) -> bool:
        return name in self.protos

    def whole(
        self, name: str, default: int | None = REQUIRED, *, low: int = -SIZE, high: int = SIZE
    ) -> int:
        """A whole number within a range.

        Raises:
            SnncError: for anything else.
        """
        proto = self._proto(name, "a whole number", (Proto.INT,), needed=default is None)
        value = default if proto is None else proto.i
        assert value is not None
        if not low <= value <= high:
            raise self._refuse(f"{name} {value}", f"{low} to {high}")
        return value

    def flag(self, name: str, *, default: bool = False) -> bool:
        """Yes or no, as 1 or 0.

        Raises:
            SnncError: for anything else.
        """
        return bool(self.whole(name, int(default), low=0, high=1))

    def wholes(
        self,
        name: str,
        default: Shape | None = REQUIRED,
        *,
        count: int | None = None,
        low: int = -SIZE,
        high: int = SIZE,
    ) -> Shape:
        """Whole numbers within a range, so many of them if a count is given.

        Raises:
            SnncError: for anything else.
        """
        proto = self._proto(name, "whole numbers", (Proto.INTS,), needed=default is None)
        values: Sequence[int] | None = default if proto is None else proto.ints
        assert values is not None
        if len(values) > ENTRIES:
            raise self._refuse(f"{len(values)} {name}", str(count or ENTRIES))
        found = tuple(values)
        if count is not None and len(found) != count:
            raise self._refuse(f"{name} {list(found)}", f"{count} whole numbers")
        if any(not low <= each <= high for each in found):
            raise self._refuse(f"{name} {list(found)}", f"{low} to {high}")
        return found

    def number(self, name: str, default: float | None = REQUIRED) -> float:
        """A finite number.

        Raises:
            SnncError: for anything else.
        """
        proto = self._proto(name, "a number", (Proto.FLOAT, Proto.INT), needed=default is None)
        if proto is None:
            assert default is not None
            return default
        value = float(proto.f if proto.type == Proto.FLOAT else proto.i)
        if not isfinite(value):
            raise self._refuse(f"{name} {value:g}", "a finite number")
        return value

    def numbers(self, name: str) -> tuple[float, ...]:
        """Finite numbers.

        Raises:
            SnncError: for anything else.
        """
        proto = self._proto(name, "numbers", (Proto.FLOATS,), needed=True)
        assert proto is not None
        if len(proto.floats) > ENTRIES or not all(map(isfinite, proto.floats)):
            found = f"{name} {list(proto.floats[:ENTRIES])}"
            raise self._refuse(found, f"{ENTRIES} finite numbers at most")
        return tuple(proto.floats)

    def text(
        self, name: str, default: str, allowed: Collection[str], mend: str = EXPORT_AGAIN
    ) -> str:
        """One of several words, which is written in capitals where these are.

        Raises:
            SnncError: for anything else.
        """
        proto = self._proto(name, "a word", (Proto.STRING,))
        value = default if proto is None else proto.s[:ENTRIES].decode(errors="replace")
        if value in allowed:
            return value
        if value.upper() in allowed:
            return value.upper()
        raise self._refuse(f"{name} {value!r}", ", ".join(filter(None, allowed)), mend)

    def tensor(self, name: str) -> onnx.TensorProto:
        """A tensor, of which nothing is read yet.

        Raises:
            SnncError: for anything else.
        """
        proto = self._proto(name, "a tensor", (Proto.TENSOR,), needed=True)
        assert proto is not None
        return proto.t

    def _proto(
        self, name: str, wanted: str, kinds: tuple[int, ...], *, needed: bool = False
    ) -> onnx.AttributeProto | None:
        """What is given under a name, if it is of the kind."""
        proto = self.protos.get(name)
        if proto is None:
            if needed:
                what = f"{self.operator} has no attribute {name!r}; it needs {wanted}"
                raise refusal(self.where, what, EXPORT_AGAIN)
            return None
        if proto.ref_attr_name or proto.type not in kinds:
            raise self._refuse(f"{name} of kind {_kind_of(proto)}", wanted)
        return proto

    def _refuse(self, found: str, allowed: str, mend: str = EXPORT_AGAIN) -> SnncError:
        return refusal(self.where, f"{self.operator} has {found}; allowed: {allowed}", mend)


def _kind_of(proto: onnx.AttributeProto) -> str:
    if proto.ref_attr_name:
        return "a reference to a function"
    known = Proto.AttributeType.DESCRIPTOR.values_by_number
    return str(known[proto.type].name) if proto.type in known else str(proto.type)
