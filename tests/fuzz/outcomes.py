"""What can become of a case, in one word each."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

ANSWERED = "answered"
REFUSED = "refused"
TRACEBACK = "traceback"
HANG = "hang"
KILLED = "killed"
WRONG = "wrong answer"

SOUND = (ANSWERED, REFUSED)
FINDINGS = (TRACEBACK, HANG, KILLED, WRONG)


class FindingError(Exception):
    """Something that must not be, and is no wrong answer (an AssertionError says that)."""

    def __init__(self, outcome: str, detail: str) -> None:
        super().__init__(f"{outcome}: {detail}")
        self.outcome, self.detail = outcome, detail


@dataclass(frozen=True)
class Result:
    """What became of one case."""

    kind: str
    seed: int
    outcome: str
    detail: str
    seconds: float
    kept: Path | None = None
    """The folder of its files; of findings alone."""

    @property
    def case(self) -> str:
        """What `--case` takes to run it again."""
        return f"{self.kind}:{self.seed}"

    @property
    def cause(self) -> str:
        """The last line, which findings of one cause share."""
        return (self.detail.strip().splitlines() or [""])[-1]
