"""Chains of element-wise operators become staircases, whatever order an exporter wrote them in.

The result holds only linear operators and `Staircase` nodes: n = clip(⌊a·x + c⌋, 0, N) becomes an
scale a, the staircase with its shift c, and the affine map s·n + o after it, which the next
projection takes up.
"""

from __future__ import annotations

import numpy as np

from snnc.compiler.analysis import staircase
from snnc.compiler.analysis.staircase import Atom, Form, NoStaircaseError, apply_form
from snnc.compiler.errors import Problem, SnncError
from snnc.compiler.network import Builder, Network, Node
from snnc.compiler.operators import (
    Add,
    Affine,
    Clip,
    Curve,
    Elementwise,
    Floats,
    Floor,
    Round,
    Staircase,
)

TIES = "Round takes .5 to the even neighbour; here every tie goes up, as in floor(x + 1/2)"
MOST_LEVELS = 1 << 24
"""More than a chip's state can tell apart, with a threshold of 1."""
FIT = "with `calibration='images.npz'` and `levels=7`, ramps are fitted to it"
FIT_TOO = "with `levels=7` too, ramps are fitted to it"
QUANTIZE = (
    "or replace it by snnc.frontends.torch.quantize_activations(model, levels=7, samples=images), "
    "fine-tune and export again"
)


def recognize_staircases(network: Network, *, calibrated: bool = False) -> Network:
    """Rewrite the element-wise operators by the algebra of `snnc.compiler.analysis.staircase`.

    Args:
        network: after `calibrate_activations`.
        calibrated: whether there are images, which a mend need not ask for then.

    Raises:
        SnncError: for every activation that has no levels, all of one kind in one problem.
    """
    if not any(isinstance(node.operator, Clip | Curve | Floor | Round) for node in network):
        return network
    return _Recognition(network, FIT_TOO if calibrated else FIT).result()


class _Recognition:
    """One walk over the nodes; `forms` says what each result is in terms of the new nodes."""

    def __init__(self, network: Network, fit: str) -> None:
        self.network = network
        self.fit = fit
        self.builder = Builder()
        self.forms: dict[str, Form] = {}
        self.sums: dict[str, Form] = {}
        self.staircases: list[tuple[Atom, str]] = []
        self.faults: list[Problem] = []
        self.curves: dict[str, list[str]] = {}

    def result(self) -> Network:
        """Walk, then build what the output needs."""
        for node in self.network:
            self.forms[node.name] = self.form(node)
        output = self.emit(self.network.output.name)
        for kind, names in self.curves.items():
            what = f"{len(names)} x {kind}, which has no levels that spikes could carry"
            self.faults.append(Problem(", ".join(names), what, self.fit))
        if self.faults:
            raise SnncError(*self.faults)
        rounds = any(isinstance(node.operator, Round) for node in self.network)
        return self.network.replaced(self.builder.nodes(output), *([TIES] if rounds else []))

    @property
    def quantize(self) -> str:
        """What to do about an activation without levels."""
        return f"{self.fit}; {QUANTIZE}"

    def form(self, node: Node) -> Form:
        """What a node gives, as far as the algebra carries."""
        if not isinstance(node.operator, Elementwise) or isinstance(node.operator, Staircase):
            sources = [self.emit(each) for each in node.sources]
            return staircase.opaque(self.builder.add(node.name, node.operator, *sources))
        if isinstance(node.operator, Curve):
            self.curves.setdefault(str(node.operator), []).append(node.name)
            return staircase.opaque(self.builder.add(node.name, Add(), *self._bases(node)))
        try:
            return self.applied(node)
        except NoStaircaseError as reason:
            self.faults.append(Problem(node.name, f"{reason}: no staircase is left", self.quantize))
            return staircase.opaque(self.builder.add(node.name, Add(), *self._bases(node)))

    def applied(self, node: Node) -> Form:
        """The operator in the algebra, or on levels as they come out of a population."""
        forms = [self.known(each, node) for each in node.sources]
        try:
            return apply_form(node, forms)
        except NoStaircaseError:
            if not all(_is_bounded(atom) for form in forms for _, atom in form.terms):
                raise
            return apply_form(node, [staircase.opaque(self.emit(each)) for each in node.sources])

    def known(self, source: str, consumer: Node) -> Form:
        """The form of a source; a sum of several activations is an atom to what bends it."""
        form, affine = self.forms[source], []
        if isinstance(consumer.operator, Affine | Add) or len(form.terms) <= 1:
            return form
        node = self.network.by_name[source]
        # a loop, for a model may have thousands of them
        while isinstance(node.operator, Affine):
            affine.append(node.operator)
            node = self.network.by_name[node.sources[0]]
        if node.name not in self.sums:
            self.sums[node.name] = staircase.opaque(self.emit(node.name))
        form = self.sums[node.name]
        for each in reversed(affine):
            form = staircase.affine(form, each.scale, each.offset)
        return form

    def _bases(self, node: Node) -> list[str]:
        """Something of the right shape to go on with after a fault."""
        return [atom.base for each in node.sources for _, atom in self.forms[each].terms][:1]

    def emit(self, source: str) -> str:
        """Build the nodes of a form for a consumer that the algebra does not follow."""
        form = self.forms[source]
        shape = self.network.by_name[source].shape
        parts = [self.term(source, factor, atom, len(shape)) for factor, atom in form.terms]
        if not parts:
            self.faults.append(
                Problem(source, "its result does not depend on the input", "remove it")
            )
            return self.network.input.name
        names = [name for name, _, _ in parts]
        scales = [scale for _, scale, _ in parts]
        offset = np.asarray(form.offset + sum(shift for _, _, shift in parts))
        offsets = [offset, *[np.array(0.0)] * (len(parts) - 1)]
        label = f"{source}.scale"
        scaled = [self.scaled(label, *part) for part in zip(names, scales, offsets, strict=True)]
        return scaled[0] if len(scaled) == 1 else self.builder.add(source, Add(), *scaled)

    def scaled(self, name: str, node: str, scale: Floats, offset: Floats) -> str:
        """An affine map, unless it would change nothing."""
        if np.all(scale == 1) and np.all(offset == 0):
            return node
        return self.builder.add(name, Affine(scale, offset), node)

    def term(self, name: str, factor: Floats, atom: Atom, rank: int) -> tuple[str, Floats, Floats]:
        """A node for the atom, with the scale and the shift that make it factor·atom."""
        if atom.kind == "linear":
            return atom.base, factor, np.array(0.0)
        if atom.kind == "clipped":
            self.faults.append(self._unquantised(name))
            return atom.base, factor, np.array(0.0)
        low = np.where(np.isfinite(atom.low), atom.low, 0.0)  # where it is not, that is a fault
        return self.staircase(name, atom), factor, factor * low

    def _unquantised(self, name: str) -> Problem:
        what = "is clipped but never rounded: a plain ReLU has no levels that spikes could carry"
        return Problem(self._clip_before(name), what, self.quantize)

    def _clip_before(self, name: str) -> str:
        """The clip at the root of an element-wise chain: the node the user knows."""
        node = self.network.by_name[name]
        while not isinstance(node.operator, Clip) and isinstance(node.operator, Elementwise):
            node = self.network.by_name[node.sources[0]]
        return node.name

    def staircase(self, name: str, atom: Atom) -> str:
        """The staircase of an atom: one node, however many read it."""
        for known, node in self.staircases:
            if known.equals(atom):
                return node
        atom = staircase.with_constants(atom)
        levels = atom.high - atom.low
        if not np.all(np.isfinite(levels)):
            self.faults.append(
                Problem(
                    name,
                    "is rounded but not clipped on both sides: no highest level",
                    self.quantize,
                )
            )
            return atom.base
        if np.any(levels != levels.flat[0]):
            span = f"{levels.min():g} to {levels.max():g}"
            self.faults.append(
                Problem(
                    name, f"its channels have {span} levels; allowed: one number", "equalise them"
                )
            )
            return atom.base
        if levels.flat[0] > MOST_LEVELS:
            what = f"has {levels.flat[0]:g} levels; allowed: up to {MOST_LEVELS}"
            self.faults.append(Problem(name, what, "clip it to fewer"))
            return atom.base
        if levels.flat[0] < 1:
            self.faults.append(Problem(name, "its clip leaves a single level", "widen the clip"))
            return atom.base
        inner = self.scaled(f"{name}.levels", atom.base, atom.scale, np.array(0.0))
        shift = np.asarray(atom.shift - atom.low)
        node = self.builder.add(name, Staircase(int(levels.flat[0]), shift), inner)
        self.staircases.append((atom, node))
        return node


def _is_bounded(atom: Atom) -> bool:
    """Whether a population can send it."""
    bounds = np.isfinite(atom.low) & np.isfinite(atom.high)
    return atom.kind == "stepped" and bool(np.all(bounds))
