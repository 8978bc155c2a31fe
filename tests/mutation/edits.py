"""Mutants of a module: its syntax tree with one small change, the kind of slip that people make."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

OPERATORS = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Add,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.FloorDiv,
    ast.Pow: ast.Mult,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
    ast.BitXor: ast.BitAnd,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.And: ast.Or,
    ast.Or: ast.And,
}
_PAIRS = "min max, minimum maximum, any all, floor ceil, argmin argmax, zeros ones, zip reversed"
NAMES = {a: b for pair in _PAIRS.split(", ") for a, b in (pair.split(), pair.split()[::-1])}
REMOVED = (ast.Expr, ast.AugAssign, ast.Raise, ast.Continue, ast.Break, ast.Delete)
UNTOUCHED = (ast.JoinedStr, ast.Assert)
"""Texts, and what is there for the type checker."""


@dataclass(frozen=True)
class Edit:
    """One change. Its name holds as long as the line and the function do."""

    name: str
    function: str
    line: int
    text: str
    """The line, without its indent."""
    at_import: bool
    """Whether importing the module is what runs it, and not a call."""


@dataclass
class _Site:
    parent: ast.AST
    field: str
    index: int | None
    old: ast.AST
    function: str
    at_import: bool

    def put(self, node: ast.AST) -> None:
        if self.index is None:
            setattr(self.parent, self.field, node)
        else:
            getattr(self.parent, self.field)[self.index] = node


def edits_of(source: str) -> Iterator[tuple[Edit, ast.Module]]:
    """Every edit of a module, and the module with it, which holds until the next one is asked for.

    Whatever is left stands in its old line.
    """
    tree, lines, names = ast.parse(source), source.splitlines(), Counter[str]()
    for site in list(_sites(tree, "", at_import=True)):
        for new in _alternatives(site.old):
            line = int(getattr(site.old, "lineno", getattr(site.parent, "lineno", 0)))
            text = lines[line - 1].strip()
            change = f"{_short(site.old)} -> {_short(new)}"
            name = f"{site.function or 'module'} | {text} | {change}"
            names[name] += 1
            name += f" #{names[name]}" if names[name] > 1 else ""
            site.put(ast.fix_missing_locations(ast.copy_location(new, site.old)))
            yield Edit(name, site.function, line, text, site.at_import), tree
            site.put(site.old)


def _short(node: ast.AST) -> str:
    text = " ".join(ast.unparse(node).split())
    return text if len(text) < 60 else f"{text[:40]} … {text[-16:]}"


def _sites(node: ast.AST, function: str, *, at_import: bool) -> Iterator[_Site]:
    for field, value in ast.iter_fields(node):
        if field in ("annotation", "returns", "decorator_list", "bases"):
            continue
        inside = isinstance(node, ast.FunctionDef | ast.Lambda) and field == "body"
        for index, child in enumerate(value if isinstance(value, list) else [value]):
            if not isinstance(child, ast.AST) or _is_untouched(child, node):
                continue
            name, deferred = function, at_import and not inside
            if isinstance(child, ast.FunctionDef | ast.ClassDef):
                name = f"{function}.{child.name}".lstrip(".")
            at = index if isinstance(value, list) else None
            yield _Site(node, field, at, child, function, deferred)
            yield from _sites(child, name, at_import=deferred)


def _is_untouched(node: ast.AST, parent: ast.AST) -> bool:
    alias = isinstance(node, ast.AnnAssign) and ast.unparse(node.annotation) == "TypeAlias"
    strict = isinstance(node, ast.keyword) and node.arg == "strict"
    text = isinstance(node, ast.FunctionDef) and node.name == "__str__"
    # −1 is one number, and mostly says: the last, or the rest
    negative = isinstance(parent, ast.UnaryOp) and isinstance(node, ast.Constant)
    return alias or strict or text or negative or isinstance(node, UNTOUCHED)


def _alternatives(node: ast.AST) -> Iterator[ast.AST]:
    match node:
        case ast.BinOp() | ast.AugAssign() | ast.BoolOp() if type(node.op) in OPERATORS:
            yield _with(node, op=OPERATORS[type(node.op)]())
        case ast.Compare():
            for k, each in enumerate(node.ops):
                ops: list[Any] = [*node.ops]
                ops[k] = OPERATORS[type(each)]()
                yield _with(node, ops=ops)
        case ast.UnaryOp(op=ast.USub() | ast.Not() | ast.Invert()):
            yield node.operand
        case ast.Constant(value=bool()):
            yield ast.Constant(not node.value)
        case ast.Constant(value=int() | float()):
            yield ast.Constant(node.value + 1)
        case ast.Name() if node.id in NAMES and isinstance(node.ctx, ast.Load):
            yield ast.Name(NAMES[node.id], node.ctx)
        case ast.Attribute() if node.attr in NAMES:
            yield _with(node, attr=NAMES[node.attr])
        case ast.Return() if node.value is not None and ast.unparse(node.value) != "None":
            yield ast.Return(ast.Constant(None))
        case ast.If() | ast.IfExp() | ast.While():
            yield _with(node, test=ast.UnaryOp(ast.Not(), node.test))
        case ast.comprehension(ifs=[_, *_]):
            yield _with(node, ifs=[])
        case ast.Assign(targets=[ast.Attribute() | ast.Subscript()]):
            yield ast.Pass()
    if isinstance(node, REMOVED) and not _is_text(node):
        yield ast.Pass()


def _with(node: ast.AST, **fields: Any) -> Any:
    return type(node)(**{**dict(ast.iter_fields(node)), **fields})


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
