"""Collections in their true formats, tiny: a record of CIFAR, folders of JPEG and PNG files."""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("PIL")

from examples.images import cifar, folder
from examples.images.archive import Images, write_npz
from examples.images.cifar import CIFAR_10, load_cifar
from examples.images.folder import Crop, load_folder
from PIL import Image

from snnc.compiler.errors import SnncError
from snnc.runtime.data import load_data

Array = np.ndarray[Any, np.dtype[np.uint8]]
DOWNLOAD = cifar.DOWNLOAD


def pixels(*shape: int) -> Array:
    return np.random.default_rng(0).integers(256, size=shape, dtype=np.uint8)


def cifar_10(path: Path) -> Array:
    """Twelve images: two a batch, image i of class i % 10."""
    x = pixels(12, 3, 32, 32)
    records = np.concatenate([np.arange(12, dtype=np.uint8)[:, None] % 10, x.reshape(12, -1)], 1)
    for name, two in zip(CIFAR_10.train + CIFAR_10.test, np.split(records, 6), strict=True):
        (path / name).write_bytes(two.tobytes())
    (path / "batches.meta.txt").write_text("".join(f"class{i}\n" for i in range(10)) + "\n")
    return x


def cifar_100(path: Path) -> Array:
    """Four test images, of the fine classes 96 to 99 and the coarse ones 16 to 19."""
    x = pixels(4, 3, 32, 32)
    labels = np.array([[16, 96], [17, 97], [18, 98], [19, 99]], np.uint8)
    (path / "test.bin").write_bytes(np.concatenate([labels, x.reshape(4, -1)], 1).tobytes())
    for kind, count in (("fine", 100), ("coarse", 20)):
        names = "".join(f"{kind}{i}\n" for i in range(count))
        (path / f"{kind}_label_names.txt").write_text(names)
    return x


def test_cifar_10_is_read_as_it_was_written(tmp_path: Path) -> None:
    x = cifar_10(tmp_path)
    train, test = load_cifar(tmp_path, "train"), load_cifar(tmp_path)
    np.testing.assert_array_equal(np.concatenate([train.x, test.x]), x)
    assert [*train.y, *test.y] == [i % 10 for i in range(12)]
    assert test.classes == tuple(f"class{i}" for i in range(10))


def test_cifar_100_has_fine_and_coarse_labels(tmp_path: Path) -> None:
    x = cifar_100(tmp_path)
    fine, coarse = load_cifar(tmp_path), load_cifar(tmp_path, labels="coarse")
    np.testing.assert_array_equal(fine.x, x)
    assert fine.y.tolist() == [96, 97, 98, 99]
    assert coarse.y.tolist() == [16, 17, 18, 19]
    assert (fine.classes[99], coarse.classes[19]) == ("fine99", "coarse19")


def shorten(path: Path) -> None:
    (path / "test_batch.bin").write_bytes(b"\0" * 3000)


def mislabel(path: Path) -> None:
    (path / "test_batch.bin").write_bytes(b"\x0b" * 3073)


def forget_a_name(path: Path) -> None:
    (path / "batches.meta.txt").write_text("cat\ndog\n")


def remove(name: str) -> Callable[[Path], None]:
    return lambda path: (path / name).unlink()


CIFAR_PROBLEMS = {
    "short": (shorten, "/test_batch.bin", "3000 bytes; allowed: whole images of 3073 bytes"),
    "label": (mislabel, "/test_batch.bin", "a fine label is 11; allowed: 0..9"),
    "names": (forget_a_name, "/batches.meta.txt", "2 names of classes; allowed: 10"),
    "file": (
        remove("test_batch.bin"),
        "/test_batch.bin",
        "cannot be read: No such file or directory",
    ),
}


@pytest.mark.parametrize("case", CIFAR_PROBLEMS)
def test_a_damaged_cifar_is_refused(tmp_path: Path, case: str) -> None:
    damage, where, what = CIFAR_PROBLEMS[case]
    cifar_10(tmp_path)
    damage(tmp_path)
    with pytest.raises(SnncError) as caught:
        load_cifar(tmp_path)
    assert str(caught.value) == f"{tmp_path}{where}: {what}\n  help: {DOWNLOAD}"


def test_pickles_are_refused(tmp_path: Path) -> None:
    (tmp_path / "data_batch_1").write_bytes(b"cos\nsystem\n(S'false'\ntR.")
    with pytest.raises(SnncError, match="python version, whose pickles can run any program"):
        load_cifar(tmp_path)


def test_a_folder_without_cifar_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SnncError, match=r"neither of test_batch\.bin \(CIFAR-10\) and test\.bin"):
        load_cifar(tmp_path)
    with pytest.raises(SnncError, match="there is no such folder"):
        load_cifar(tmp_path / "none")


def test_cifar_10_has_no_coarse_labels(tmp_path: Path) -> None:
    cifar_10(tmp_path)
    with pytest.raises(SnncError, match="CIFAR-10 has no coarse labels"):
        load_cifar(tmp_path, labels="coarse")


def save(path: Path, image: Array, mode: str | None = None) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(image).convert(mode).save(path)
    return path


def two_classes(path: Path) -> None:
    """Three dogs and two cats, of all shapes and kinds, and what a desktop leaves behind."""
    save(path / "dog" / "1.JPEG", pixels(300, 401, 3))
    save(path / "dog" / "2.jpg", pixels(260, 200, 3), "L")
    save(path / "dog" / "more" / "3.png", pixels(57, 31, 4))
    save(path / "cat" / "a.png", pixels(224, 224, 3), "P")
    save(path / "cat" / "b.png", pixels(256, 999, 3), "1")
    (path / "dog" / "._1.jpg").write_bytes(b"\0\5\x16\7")
    (path / "dog" / "notes.txt").write_text("no image")
    (path / ".cache").mkdir()


def test_classes_are_the_sorted_folders(tmp_path: Path) -> None:
    two_classes(tmp_path)
    images = load_folder(tmp_path)
    assert images.x.shape == (5, 3, 224, 224)
    assert images.x.dtype == np.uint8
    assert images.y.tolist() == [0, 0, 1, 1, 1]
    assert images.classes == ("cat", "dog")


def test_a_limit_is_spread_over_the_classes(tmp_path: Path) -> None:
    two_classes(tmp_path)
    everything, some = load_folder(tmp_path), load_folder(tmp_path, limit=3)
    np.testing.assert_array_equal(some.x, everything.x[[0, 1, 3]])
    assert some.y.tolist() == [0, 0, 1]
    assert len(load_folder(tmp_path, limit=99).x) == 5


@pytest.mark.torch
@pytest.mark.parametrize("crop", [Crop(), Crop(interpolation="bicubic"), Crop(33, 40)])
def test_pixels_are_those_of_torchvision(tmp_path: Path, crop: Crop) -> None:
    pytest.importorskip("torchvision")
    from torchvision.datasets import ImageFolder
    from torchvision.transforms import CenterCrop, Compose, InterpolationMode, Resize

    two_classes(tmp_path)
    for each in (".cache", "dog/._1.jpg"):
        path = tmp_path / each
        path.rmdir() if path.is_dir() else path.unlink()
    cut = Compose(
        [Resize(crop.resize, InterpolationMode(crop.interpolation)), CenterCrop(crop.size)]
    )
    expected = ImageFolder(tmp_path, cut)
    found = load_folder(tmp_path, crop)
    assert [label for _, label in expected] == found.y.tolist()
    assert tuple(expected.classes) == found.classes
    for image, (reference, _) in zip(found.x, expected, strict=True):
        np.testing.assert_array_equal(image.transpose(1, 2, 0), np.asarray(reference))


def test_damaged_images_are_told_together(tmp_path: Path) -> None:
    two_classes(tmp_path)
    whole = save(tmp_path / "whole.png", pixels(90, 90, 3)).read_bytes()
    (tmp_path / "cat" / "b.png").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "dog" / "2.jpg").write_bytes(b"GIF89a")
    save(tmp_path / "dog" / "4.png", pixels(2, 201, 3))
    with pytest.raises(SnncError) as caught:
        load_folder(tmp_path)
    start = f"{tmp_path}: 3 of 6 images cannot be read: cat/b.png (image file is truncated"
    assert str(caught.value).startswith(start)
    end = "dog/2.jpg (no JPEG or PNG), dog/4.png (201×2 pixels, over 100 to 1)\n"
    assert str(caught.value).endswith(end + "  help: replace these files, or take them away")


def test_folders_without_images_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SnncError, match="it holds no folders, one for each class"):
        load_folder(tmp_path)
    (tmp_path / "cat").mkdir()
    with pytest.raises(SnncError, match=r"cat: a class without images; looked for \.jpg"):
        load_folder(tmp_path)
    with pytest.raises(SnncError, match="cannot be read: No such file or directory"):
        load_folder(tmp_path / "none")
    with pytest.raises(SnncError, match="--limit: 0 images; allowed: at least 1"):
        load_folder(tmp_path, limit=0)


def test_more_images_than_memory_are_refused(tmp_path: Path) -> None:
    save(tmp_path / "cat" / "a.png", pixels(8, 8, 3))
    with pytest.raises(SnncError, match="its 1 images need 3000000000 GB of memory"):
        load_folder(tmp_path, Crop(10**9, 10**9))


def run(monkeypatch: pytest.MonkeyPatch, program: Callable[[], None], *words: object) -> None:
    monkeypatch.setattr(sys, "argv", ["program", *map(str, words)])
    program()


def test_the_programs_write_what_the_command_line_reads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "cifar").mkdir()
    x, output = cifar_10(tmp_path / "cifar"), tmp_path / "out.npz"
    run(monkeypatch, cifar.main, tmp_path / "cifar", output)
    np.testing.assert_array_equal(load_data(output).x, x[10:])
    two_classes(tmp_path / "pets")
    run(monkeypatch, folder.main, tmp_path / "pets", output, "--size", 32, "--limit", 2)
    data = load_data(output)
    assert data.x.shape == (2, 3, 32, 32)
    assert data.y is not None
    assert data.y.tolist() == [0, 1]
    assert np.load(output)["classes"].tolist() == ["cat", "dog"]


@pytest.mark.parametrize("program", [cifar.main, folder.main])
def test_a_mistake_ends_in_its_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: Callable[[], None]
) -> None:
    with pytest.raises(SystemExit, match=r"none: .*\n  help: "):
        run(monkeypatch, program, tmp_path / "none", tmp_path / "out.npz")
    assert not os.listdir(tmp_path)


def test_a_file_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    images = Images(pixels(1, 3, 2, 2), np.zeros(1, np.int64), ("cat",))
    with pytest.raises(SnncError, match="cannot be written: No such file or directory"):
        write_npz(images, tmp_path / "none" / "out.npz")
    (tmp_path / "out.npz").mkdir()
    with pytest.raises(SnncError, match="cannot be written: Is a directory"):
        write_npz(images, tmp_path / "out.npz")
    assert os.listdir(tmp_path) == ["out.npz"]
