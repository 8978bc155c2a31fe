"""What snnc says when the user has something to mend."""

from __future__ import annotations

from dataclasses import dataclass

BUG = "free memory if there is little; otherwise report this as a bug of snnc"
MOST_PLACES = 8
"""Places that are named where many share a problem."""
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
        return f"{printable(self.where)}: {printable(self.what)}\n  help: {printable(self.mend)}"


class SnncError(Exception):
    """Every problem of one input at once; the command line prints it and exits with 1.

    Places that share a problem share its lines.
    """

    def __init__(self, *problems: Problem) -> None:
        super().__init__(*problems)
        places: dict[tuple[str, str], dict[str, None]] = {}
        for each in problems:
            places.setdefault((each.what, each.mend), {})[each.where] = None
        self.problems = tuple(Problem(_joined(list(w)), *rest) for rest, w in places.items())

    def __str__(self) -> str:
        return "\n".join(map(str, self.problems))


class EngineError(SnncError):
    """Something that runs networks broke down: what it was to prove is not proved.

    It is no property of a model that somebody could look past.
    """


def shortened(text: str) -> str:
    """A text of a stranger, as a message may hold it: printable and short."""
    plain = printable(text[: MOST_SHOWN + 1])
    return plain if len(plain) <= MOST_SHOWN else f"{plain[:MOST_SHOWN]}…"


def refusal(where: str, what: str, mend: str) -> SnncError:
    """The error for a single problem, ready to be raised."""
    return SnncError(Problem(where, what, mend))


def failure(where: str, what: str, mend: str = BUG) -> EngineError:
    """The error for an engine that broke down, ready to be raised."""
    return EngineError(Problem(where, what, mend))


def printable(text: str) -> str:
    """The text in one line, with all that could steer a terminal written out in hexadecimals."""
    return text if text.isprintable() else "".join(map(_shown, text))


def first_line(error: BaseException) -> str:
    """What an error of a library says, as far as one line goes."""
    return next(iter(str(error).strip().splitlines()), "") or type(error).__name__


def _joined(places: list[str]) -> str:
    """The first of many places, and how many more there are."""
    more = len(places) - MOST_PLACES
    return f"{', '.join(places[:MOST_PLACES])} and {more} more" if more > 0 else ", ".join(places)


def _shown(sign: str) -> str:
    return sign if sign.isprintable() else sign.encode("unicode_escape").decode()
