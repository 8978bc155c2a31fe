"""Numbers as people read them."""

from __future__ import annotations


def percent(share: float | None) -> str:
    """A share as people read it; a dash where nobody knows it."""
    return "-" if share is None else f"{100 * share:.2f} %"


def points(loss: float | None) -> str:
    """Points of accuracy, never a minus sign before a zero."""
    return "-" if loss is None else f"{loss + 0.0:.2f}"


def span(low_high: tuple[int, int] | None) -> str:
    """The least and the greatest of some numbers; a dash where there are none."""
    if low_high is None:
        return "-"
    low, high = low_high
    return str(low) if low == high else f"{low}..{high}"
