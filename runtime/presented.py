"""What people see of a result in Python: a summary, a table in a notebook, a page, a figure."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from snnc.compiler.errors import SnncError, printable

if TYPE_CHECKING:
    from snnc.runtime.output.tables import Table


@dataclass(frozen=True)
class Presentation:
    """A result in the words of the terminal."""

    title: str
    lines: Sequence[str]
    """The summary; its first line says it all in short."""
    tables: Sequence[Table]
    draw: Callable[[Path], None]
    """Writes the figure."""
    remarks: Sequence[str] = ()


class Presented(ABC):
    """A result that `print` summarises, and a notebook shows with its tables."""

    @abstractmethod
    def presentation(self) -> Presentation:
        """The result in the words of the terminal."""

    def __str__(self) -> str:
        return "\n".join(map(printable, self.presentation().lines))

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {printable(self.presentation().lines[0])}>"

    def _repr_html_(self) -> str:
        """What a notebook shows."""
        from snnc.runtime.output.page import fragment_of

        return fragment_of(self.presentation())

    def save_html(self, path: str | Path) -> None:
        """Write a page for the browser, which needs nothing else.

        Raises:
            SnncError: for a path that cannot be written.
        """
        from snnc.runtime.output.page import write_presentation

        write_presentation(Path(path), self.presentation())

    def plot(self, path: str | Path) -> None:
        """Draw a figure: a .png, .pdf or .svg.

        Raises:
            SnncError: for a path that cannot be written, or without matplotlib.
        """
        from snnc.runtime.output.plots import problems_of_figure

        if problems := [*problems_of_figure(Path(path))]:
            raise SnncError(*problems)
        self.presentation().draw(Path(path))
