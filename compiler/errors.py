"""What snnc says when the user has something to mend."""

from __future__ import annotations

from dataclasses import dataclass

MOST_SHOWN = 200
"""Characters of a stranger's text in a message."""


@dataclass(frozen=True)
class Problem:
    """One fact that stops the work, said once and completely."""

    where: str
    """The node, layer, file or option, by the name the user knows it by."""
    what: str
    """What was found and what is allowed, with the numbers."""
    mend: str
    """One thing the user can do about it."""

    def __str__(self) -> str:
        return f"{self.where}: {self.what}\n  help: {self.mend}"


class SnncError(Exception):
    """Every problem of one input at once; the command line prints it and exits with 1.

    Places that share a problem share its lines.
    """

    def __init__(self, *problems: Problem) -> None:
        super().__init__(*problems)
        places: dict[tuple[str, str], dict[str, None]] = {}
        for each in problems:
            places.setdefault((each.what, each.mend), {})[each.where] = None
        self.problems = tuple(Problem(", ".join(w), *rest) for rest, w in places.items())

    def __str__(self) -> str:
        return "\n".join(map(str, self.problems))


def shown(text: str) -> str:
    """A text of a stranger, as a message may hold it: printable and short."""
    plain = text if text.isprintable() else ascii(text)[1:-1]
    return plain if len(plain) <= MOST_SHOWN else f"{plain[:MOST_SHOWN]}…"


def refusal(where: str, what: str, mend: str) -> SnncError:
    """The error for a single problem, ready to be raised."""
    return SnncError(Problem(where, what, mend))
