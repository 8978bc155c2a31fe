"""A file appears whole, in its own place, or nothing changes."""

from __future__ import annotations

import os
import resource
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from support.spiking_networks import chain

from snnc.backends import files
from snnc.backends.files import target_of, write_bytes
from snnc.backends.netx.writer import content_of, write
from snnc.compiler.errors import SnncError

CONTENT = bytes(range(256)) * 40


def refused(path: Path, **more: object) -> str:
    with pytest.raises(SnncError) as caught:
        write_bytes(path, CONTENT, **more)  # type: ignore[arg-type]
    return str(caught.value)


def seen(folder: Path) -> dict[str, bytes]:
    return {each.name: each.read_bytes() for each in folder.iterdir()}


def test_a_new_file_and_its_successor(tmp_path: Path) -> None:
    path = tmp_path / "out"
    write_bytes(path, b"one")
    path.chmod(0o640)
    write_bytes(path, b"two")
    assert seen(tmp_path) == {"out": b"two"}
    assert path.stat().st_mode & 0o777 == 0o640


def test_a_name_as_long_as_names_may_be(tmp_path: Path) -> None:
    path = tmp_path / ("n" * 255)
    write_bytes(path, CONTENT)
    assert seen(tmp_path) == {path.name: CONTENT}


def test_links_are_followed_and_kept(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("middle")
    (tmp_path / "middle").symlink_to("folder/place")
    for content in (b"one", b"two"):
        write_bytes(tmp_path / "link", content)
        assert (tmp_path / "link").is_symlink()
        assert (tmp_path / "middle").is_symlink()
        assert seen(tmp_path / "folder") == {"place": content}


def fifo(path: Path) -> None:
    os.mkfifo(path)


def listening(path: Path) -> None:
    socket.socket(socket.AF_UNIX).bind(str(path))


def to_a_pipe(path: Path) -> None:
    os.mkfifo(path.with_name("pipe"))
    path.symlink_to("pipe")


def to_itself(path: Path) -> None:
    path.symlink_to(path.name)


def to_no_folder(path: Path) -> None:
    path.symlink_to("none/place")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (Path.mkdir, "it is a folder"),
        (fifo, "it is a pipe"),
        (to_a_pipe, "it is a pipe"),
        (to_itself, "Too many levels of symbolic links"),
        (to_no_folder, "No such file or directory"),
        (listening, "it is a socket"),
    ],
)
def test_what_is_no_file_is_not_replaced(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    make: Callable[[Path], None],
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    path = Path("out")
    make(path)
    before = {each.name: each.lstat() for each in tmp_path.iterdir()}
    expected = f"out: cannot be written: {message}\n  help: choose another `output`"
    assert refused(path) == expected
    assert {each.name: each.lstat() for each in tmp_path.iterdir()} == before


@pytest.mark.parametrize("link", [False, True])
def test_a_device_is_not_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, link: bool
) -> None:
    """The one there is stands for it: a node of one's own takes a privilege."""
    monkeypatch.setattr(files.os, "replace", lambda *places: pytest.fail("replaced"))
    monkeypatch.setattr(files.os, "open", lambda *words: pytest.fail("opened"))
    path = Path("/dev/full")
    if link:
        (tmp_path / "link").symlink_to(path)
        path = tmp_path / "link"
    assert "it is a device" in refused(path)


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("", "it is a folder"),
        (".", "it is a folder"),
        ("/", "it is a folder"),
        ("n" * 256, "File name too long"),
        ("none/out", "No such file or directory"),
        ("file/out", "Not a directory"),
        ("a\0b", "embedded null"),
    ],
)
def test_places_that_are_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str, message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("file").write_bytes(b"")
    found = refused(Path(path))
    assert "cannot be written: " in found
    assert message in found
    with pytest.raises(SnncError):
        target_of(Path(path), option="plot")
    assert seen(tmp_path) == {"file": b""}


@pytest.mark.parametrize("way", ["same", "hard link", "symbolic link"])
def test_an_input_is_not_replaced(tmp_path: Path, way: str) -> None:
    source, path = tmp_path / "in", tmp_path / "out"
    source.write_bytes(b"in")
    if way == "same":
        path = tmp_path / "." / "in"
    elif way == "hard link":
        path.hardlink_to(source)
    else:
        path.symlink_to(source)
    message = refused(path, option="html", inputs=[tmp_path / "none", source])
    assert message == (
        f"{path}: cannot be written: it is an input of this command\n  help: choose another `html`"
    )
    assert source.read_bytes() == b"in"


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """The system itself takes no more of a file."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("before", [None, b"before"])
def test_a_disk_that_is_full_at_any_byte(tmp_path: Path, before: bytes | None) -> None:
    path = tmp_path / "out"
    if before:
        path.write_bytes(before)
    kept = seen(tmp_path)
    for size in (0, 1, 511, 512, 4096, len(CONTENT) - 1):
        with files_of_at_most(size):
            message = refused(path)
        assert message == (
            f"{path}: cannot be written: File too large\n  help: choose another `output`"
        )
        assert seen(tmp_path) == kept
    with files_of_at_most(len(CONTENT)):
        write_bytes(path, CONTENT)
    assert seen(tmp_path) == {"out": CONTENT}


def test_a_network_meets_a_full_disk(tmp_path: Path) -> None:
    """HDF5 ends the process where it meets one itself."""
    content = content_of(chain())
    for size in range(0, len(content), len(content) // 7):
        with files_of_at_most(size), pytest.raises(SnncError, match="File too large"):
            write(chain(), tmp_path / "net.h5")
        assert seen(tmp_path) == {}
    write(chain(), tmp_path / "net.h5")
    assert seen(tmp_path) == {"net.h5": content}


@pytest.mark.parametrize("call", ["open", "write", "fsync", "close", "replace"])
@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_every_call_that_fails_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str, error: BaseException
) -> None:
    """The first call, the second, and so on, until none of them fails."""
    (tmp_path / "out").write_bytes(b"before")
    usual, calls, wrong = getattr(os, call), [0], [0]

    def fails(*words: object, **more: object) -> object:
        calls[0] += 1
        if calls[0] == wrong[0]:
            if call == "close":
                usual(*words)
            raise error
        return usual(*words, **more)

    monkeypatch.setattr(files, "PIECE", 3000)
    monkeypatch.setattr(files.os, call, fails)
    content = b""
    for nth in range(1, 10):
        calls[0], wrong[0] = 0, nth
        try:
            write_bytes(tmp_path / "out", CONTENT)
        except (SnncError, KeyboardInterrupt):
            found = seen(tmp_path)
            assert set(found) == {"out"}
            assert found["out"] in (b"before", CONTENT)
        else:
            content = seen(tmp_path)["out"]
    assert content == CONTENT


def test_short_writes_are_continued(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usual = os.write
    monkeypatch.setattr(files.os, "write", lambda file, rest: usual(file, rest[:7]))
    write_bytes(tmp_path / "out", CONTENT)
    assert seen(tmp_path) == {"out": CONTENT}
