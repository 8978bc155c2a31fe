"""The program from its first moment to its last: signals, and streams that do not work.

It imports next to nothing: a signal is answered before the commands are there.
"""

from __future__ import annotations

import os
import signal
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType
    from typing import Any, NoReturn

FAILED = 1
INTERRUPTED = 128 + signal.SIGINT
CLOSED = 128 + signal.SIGPIPE
"""The exit status where nobody reads on."""
WORDS = {signal.SIGINT: "interrupted", signal.SIGTERM: "terminated"}
"""What ends the program, and what it says then."""
MEND = "  help: send it to a file on a disk with room, or to /dev/null"
received: list[int] = []
"""The signals that came. Libraries turn the interrupt into errors of their own."""
said: list[int] = []
"""Those of which the user was told."""


def main() -> NoReturn:
    """Run the program.

    Raises:
        SystemExit: with the exit status.
    """
    _on_signals(_leave)
    _open_streams()
    _no_warnings()
    sys.unraisablehook = _again
    try:
        status = _run()
    except SystemExit as end:
        status = end.code
    except BaseException as error:
        status = INTERRUPTED if received else _status_of(error)
    if received and status == INTERRUPTED:
        status = say_interrupted()
    status = _finish(status)
    if received:
        _exit_quietly(status)
    raise SystemExit(status)


def _run() -> Any:  # noqa: ANN401
    """Put the commands together, and run the one that is asked for; the exit status."""
    from snnc.cli.program import app

    try:
        app()
    finally:
        # what is said is said: from here on nothing is worth an interrupt
        _on_signals(signal.SIG_IGN)
    return 0


def begin() -> None:
    """Let a signal be an exception from now on: what is imported is there, and work begins."""
    for each in WORDS:
        if signal.getsignal(each) is _leave:
            signal.signal(each, _interrupt)


def _status_of(error: BaseException) -> int:
    """Say what went wrong outside of a command's work: in its imports, or with its help.

    Raises:
        BaseException: what is a bug of snnc.
    """
    if isinstance(error, OSError):
        return stdout_failed(error)
    if isinstance(error, ImportError | MemoryError):
        what = str(error).strip() or "there is not enough memory"
        _say(f"snnc: it cannot start: {what}\n  help: give it more memory, or install it again")
        os._exit(FAILED)  # what is half loaded may wait for ever for the memory that it did not get
    raise error


def say_interrupted() -> int:
    """Say in one word which signal came, once for each, and give the exit status of it."""
    number = received[-1] if received else signal.SIGINT
    if number not in said:
        _say(WORDS[signal.Signals(number)])
        said.extend(received)
    return 128 + number


def stdout_failed(error: OSError) -> int:
    """Say why stdout takes nothing, where somebody reads it; give the exit status."""
    try:  # noqa: SIM105
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (OSError, ValueError):
        pass
    if isinstance(error, BrokenPipeError):
        return CLOSED
    _say(f"stdout: cannot be written: {error.strerror}\n{MEND}")
    return FAILED


def _on_signals(handler: Callable[[int, FrameType | None], object] | signal.Handlers) -> None:
    """Answer the signals that whoever started the program does not hold back."""
    for each in WORDS:
        if signal.getsignal(each) is not signal.SIG_IGN:
            signal.signal(each, handler)


def _leave(number: int, frame: FrameType | None) -> NoReturn:
    """Go at once: nothing has begun, and an exception might be caught by what is imported."""
    _say(WORDS[signal.Signals(number)])
    os._exit(128 + number)


def _interrupt(number: int, frame: FrameType | None) -> None:
    if _is_inside_an_extension(frame):
        _repeat(number)
        return
    received.append(number)
    raise KeyboardInterrupt


def _is_inside_an_extension(frame: FrameType | None) -> bool:
    """Whether a library's C++ calls Python while it is imported: no exception may cross it."""
    from importlib.machinery import ExtensionFileLoader

    while frame is not None:
        if isinstance(frame.f_locals.get("self"), ExtensionFileLoader):
            return True
        frame = frame.f_back
    return False


def _again(found: Any) -> None:  # noqa: ANN401
    """Repeat a signal that came where Python drops exceptions."""
    if not isinstance(found.exc_value, KeyboardInterrupt) or not received:
        sys.__unraisablehook__(found)
        return
    _repeat(received[-1])


def _repeat(number: int) -> None:
    """Send a signal once more, a moment later."""
    from threading import Timer

    again = Timer(0.05, os.kill, (os.getpid(), number))
    again.daemon = True
    again.start()


def _open_streams() -> None:
    """Keep the numbers of closed streams from files, and let no sign be an error.

    Raises:
        SystemExit: where stdout is closed.
    """
    closed = [name for name in ("stdin", "stdout", "stderr") if getattr(sys, name) is None]
    for name in closed:
        # the lowest number that is free is that of the stream
        os.open(os.devnull, os.O_RDWR)
        if name == "stderr":
            sys.stderr = open(2, "w", closefd=False)  # noqa: SIM115
    if "stdout" in closed:
        _say(f"stdout: it is closed\n{MEND}")
        raise SystemExit(FAILED)
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="replace")


def _no_warnings() -> None:
    """Libraries warn programmers, and who uses the program can mend nothing."""
    import warnings

    if not sys.warnoptions:
        warnings.simplefilter("ignore")


def _exit_quietly(status: Any) -> NoReturn:  # noqa: ANN401
    """Exit with a status of one's own.

    Python kills itself instead where it saw an interrupt leave an `exec`, caught or not.
    """
    import atexit

    atexit._run_exitfuncs()
    sys.stderr.flush()
    os._exit(status if isinstance(status, int) else int(bool(status)))


def _finish(status: Any) -> Any:  # noqa: ANN401
    """Let go of what is still to be printed; the exit status then."""
    try:
        sys.stdout.flush()
    except OSError as error:
        return status or stdout_failed(error)
    return status


def _say(text: str) -> None:
    try:  # noqa: SIM105
        print(text, file=sys.stderr, flush=True)
    except OSError:
        pass
