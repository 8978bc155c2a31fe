"""What a spiking network must obey before it is written, and after it is read."""

from __future__ import annotations

from snnc.compiler.errors import SnncError
from snnc.compiler.rules.numbers import PROOFS, RANGES
from snnc.compiler.rules.placement import PLACEMENT
from snnc.compiler.rules.sizes import SIZES
from snnc.compiler.rules.structure import STRUCTURE
from snnc.compiler.spiking import SpikingNetwork


def require_legal(network: SpikingNetwork) -> None:
    """Hold a network against every rule.

    Its sizes and numbers only once its structure is sound, its proofs only of sound numbers, and
    its placement only of a network that is sound.

    Raises:
        SnncError: with all problems found.
    """
    for rules in (STRUCTURE, SIZES, RANGES, PROOFS, PLACEMENT):
        problems = [problem for rule in rules for problem in rule(network)]
        if problems:
            raise SnncError(*problems)
