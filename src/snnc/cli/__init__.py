"""The command line: results on stdout, messages and progress on stderr.

Exit status: 0 done, 1 an input cannot be used or an engine failed, 2 wrong usage, 3 a comparison
found a mismatch or could not be made, 130 interrupted, 143 terminated, 141 nobody reads stdout.
A file a command; what they do is in `snnc.api`, and is imported when it is called.
"""

from snnc.start import main

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from snnc.cli.program import app

__all__ = ["app", "main"]


def __getattr__(name: str) -> "Any":  # noqa: ANN401
    """Put the commands together when they are asked for.

    Raises:
        AttributeError: for a name that is none.
    """
    if name != "app":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from snnc.cli.program import app

    return app
