"""What a spiking network must obey before it is written, and after it is read."""

from __future__ import annotations

from snnc.compiler.errors import SnncError
from snnc.compiler.rules.numbers import NUMBERS
from snnc.compiler.rules.structure import STRUCTURE
from snnc.compiler.spiking import SpikingNetwork


def require_legal(network: SpikingNetwork) -> None:
    """Hold a network against every rule; its numbers only once its structure is sound.

    Raises:
        SnncError: with all problems found.
    """
    for rules in (STRUCTURE, NUMBERS):
        problems = [problem for rule in rules for problem in rule(network)]
        if problems:
            raise SnncError(*problems)
