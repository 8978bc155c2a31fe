"""Workers give what one process gives, and end whatever happens."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.works import Dying, Failing, Sleeping, Square, where

from snnc.compiler.errors import EngineError, SnncError
from snnc.runtime.engines.sessions import cores
from snnc.runtime.places.here import Here
from snnc.runtime.places.pool import Pool
from snnc.runtime.progress import ignore

SECONDS = 20


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    with Pool(2) as found:
        yield found


def test_every_task_is_done_once(pool: Pool) -> None:
    for place in (Here(), pool):
        assert dict(place.results(Square(), range(7), ignore)) == {k: k * k for k in range(7)}
        assert dict(place.results(Square(1), [5], ignore)) == {0: 26}
        assert dict(place.results(Square(), [], ignore)) == {}


def test_progress_is_told_in_the_callers_thread(pool: Pool) -> None:
    told = []

    def progress(name: str, done: int, total: int) -> None:
        assert threading.current_thread() is threading.main_thread()
        told.append((name, done, total))

    list(pool.results(Square(), range(3), progress))
    assert sorted(told) == [("square", 1, 10)] * 3 + [("square", 2, 10)] * 3


def test_workers_are_processes_that_share_the_cores(pool: Pool) -> None:
    found = [each for _, each in pool.results(where, range(9), ignore)]
    assert {threads for _, threads, _ in found} == {max(1, cores() // 2)}
    assert all(in_main for *_, in_main in found)
    assert os.getpid() not in {number for number, *_ in found}


def test_tasks_are_taken_when_somebody_does_them(pool: Pool) -> None:
    tasks = iter(range(8))
    results = pool.results(Square(), tasks, ignore)
    next(results)
    assert next(tasks) == 2
    assert len(list(results)) == 6


def test_an_error_is_the_same_here_and_there() -> None:
    for place in (Here(), Pool(2)):
        with pytest.raises(SnncError, match=r"^layer: task 3 is odd\n  help: take another$"), place:
            list(place.results(Failing(3), range(9), ignore))
        with pytest.raises(ZeroDivisionError, match=r"^task 4$") as caught, place:
            list(place.results(Failing(4), range(9), ignore))
    assert "in __call__" in str(caught.value.__cause__)


def test_a_worker_that_dies_is_told() -> None:
    with pytest.raises(EngineError) as caught, Pool(2) as place:
        list(place.results(Dying(3), range(9), ignore))
    first, help_line = str(caught.value).splitlines()
    died = "it ended before its work did: killed by SIGKILL"
    assert first in {f"worker {number} of 2: {died}" for number in (1, 2)}
    assert help_line.startswith("  help: often memory is short: use fewer `workers`")


def test_nobody_works_on_when_the_block_is_left(tmp_path: Path) -> None:
    begun = time.monotonic()
    with Pool(2) as place:
        next(place.results(Sleeping(tmp_path), (0, 600, 600), ignore))
    assert time.monotonic() - begun < SECONDS
    assert not alive(tmp_path)


def test_what_nobody_waited_for_is_forgotten() -> None:
    with Pool(2) as place:
        abandoned = place.results(Square(), range(9), ignore)
        next(abandoned)
        abandoned.close()
        assert dict(place.results(Square(1), range(4), ignore)) == {k: k * k + 1 for k in range(4)}


CALLER = """
import sys
from pathlib import Path
from support.works import Sleeping
from snnc.runtime.places.pool import Pool
from snnc.runtime.progress import ignore

with Pool(2) as place:
    list(place.results(Sleeping(Path(sys.argv[1])), (600, 600), ignore))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="processes are looked up in /proc")
def test_workers_end_with_a_caller_that_is_killed(tmp_path: Path) -> None:
    path = os.pathsep.join(sys.path)
    environment = {**os.environ, "PYTHONPATH": path}
    words = [sys.executable, "-c", CALLER, str(tmp_path)]
    with subprocess.Popen(words, env=environment) as caller:
        until(lambda: len(alive(tmp_path)) == 2)
        caller.send_signal(signal.SIGKILL)
    until(lambda: not alive(tmp_path))


def test_a_script_is_not_run_again_by_its_workers(tmp_path: Path) -> None:
    """Nothing stands below `if __name__ == "__main__"`."""
    script = tmp_path / "script.py"
    script.write_text(CALLER.replace("600", "0") + "print('once')")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    words = [sys.executable, str(script), str(tmp_path)]
    found = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=60)
    assert (found.returncode, found.stdout, found.stderr) == (0, "once\n", "")


def alive(folder: Path) -> list[str]:
    """Those who said who they are."""
    return [each for each in os.listdir(folder) if each.isdigit() and Path("/proc", each).exists()]


def until(holds: object) -> None:
    end = time.monotonic() + SECONDS
    while not holds():  # type: ignore[operator]
        assert time.monotonic() < end
        time.sleep(0.05)
