"""The command line: results on stdout, messages and progress on stderr.

Exit status: 0 done, 1 an input cannot be used, 2 wrong usage, 3 a comparison found a mismatch.
A file a command; what they do is in `snnc.api`, and is imported when it is called.
"""

from snnc.cli.app import app, main

__all__ = ["app", "main"]
