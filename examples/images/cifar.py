"""CIFAR-10 and CIFAR-100: `python -m examples.images.cifar FOLDER OUT.npz [--split train]`.

FOLDER is an unpacked "binary version" from https://www.cs.toronto.edu/~kriz/cifar.html. The
"python version" is pickled, and a pickle can run any program: it is never read.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias, get_args

import numpy as np
import numpy.typing as npt

from examples.images.archive import Images, telling, write_npz
from snnc.compiler.errors import refusal

Split: TypeAlias = Literal["train", "test"]
Labels: TypeAlias = Literal["fine", "coarse"]

SHAPE = (3, 32, 32)
PIXELS = 3 * 32 * 32
DOWNLOAD = "unpack the binary version from https://www.cs.toronto.edu/~kriz/cifar.html"


@dataclass(frozen=True)
class Naming:
    """One of the labels that stand before an image's pixels, a byte each."""

    byte: int
    names: str
    """The file with a class's name on each line."""
    classes: int


@dataclass(frozen=True)
class Collection:
    """The files of one of the two, and how an image lies in them."""

    train: tuple[str, ...]
    test: tuple[str, ...]
    labels: dict[Labels, Naming]

    @property
    def record(self) -> int:
        """Bytes of an image with its labels."""
        return len(self.labels) + PIXELS


CIFAR_10 = Collection(
    train=tuple(f"data_batch_{number}.bin" for number in range(1, 6)),
    test=("test_batch.bin",),
    labels={"fine": Naming(0, "batches.meta.txt", 10)},
)
CIFAR_100 = Collection(
    train=("train.bin",),
    test=("test.bin",),
    labels={
        "coarse": Naming(0, "coarse_label_names.txt", 20),
        "fine": Naming(1, "fine_label_names.txt", 100),
    },
)


def load_cifar(folder: Path, split: Split = "test", labels: Labels = "fine") -> Images:
    """Read one split; CIFAR-100 has fine labels and coarse ones.

    Raises:
        SnncError: for a file that is missing, damaged or of another kind.
    """
    found = _collection(folder)
    if labels not in found.labels:
        raise refusal(str(folder), f"CIFAR-10 has no {labels} labels", "leave --labels out")
    naming = found.labels[labels]
    names = found.train if split == "train" else found.test
    records = np.concatenate([_records(folder / name, found) for name in names])
    x = np.ascontiguousarray(records[:, -PIXELS:]).reshape(-1, *SHAPE)
    classes = _class_names(folder / naming.names, naming.classes)
    return Images(x, records[:, naming.byte].astype(np.int64), classes)


def main() -> None:
    """The program."""
    parser = argparse.ArgumentParser(description="CIFAR-10 or CIFAR-100 to a DATA.npz.")
    parser.add_argument("folder", type=Path, help="the unpacked binary version")
    parser.add_argument("output", type=Path, help="OUT.npz")
    parser.add_argument("--split", choices=get_args(Split), default="test")
    parser.add_argument("--labels", choices=get_args(Labels), default="fine", help="CIFAR-100 only")
    wanted = parser.parse_args()
    with telling(wanted.output):
        write_npz(load_cifar(wanted.folder, wanted.split, wanted.labels), wanted.output)


def _collection(folder: Path) -> Collection:
    for each in (CIFAR_10, CIFAR_100):
        if any((folder / name).exists() for name in each.train + each.test):
            return each
    if not folder.is_dir():
        raise refusal(str(folder), "there is no such folder", DOWNLOAD)
    if any((folder / name).is_file() for name in ("data_batch_1", "test_batch", "train", "test")):
        what = "it holds the python version, whose pickles can run any program; they are not read"
        raise refusal(str(folder), what, DOWNLOAD)
    needed = f"{CIFAR_10.test[0]} (CIFAR-10) and {CIFAR_100.test[0]} (CIFAR-100)"
    raise refusal(str(folder), f"it holds neither of {needed}", DOWNLOAD)


def _records(path: Path, collection: Collection) -> npt.NDArray[np.uint8]:
    """The images of a file (N, record), each label known to be one of its classes."""
    content = np.frombuffer(_read(path), np.uint8)
    if not len(content) or len(content) % collection.record:
        what = f"{len(content)} bytes; allowed: whole images of {collection.record} bytes"
        raise refusal(str(path), what, DOWNLOAD)
    records = content.reshape(-1, collection.record)
    for kind, naming in collection.labels.items():
        label = int(records[:, naming.byte].max())
        if label >= naming.classes:
            what = f"a {kind} label is {label}; allowed: 0..{naming.classes - 1}"
            raise refusal(str(path), what, DOWNLOAD)
    return records


def _class_names(path: Path, classes: int) -> tuple[str, ...]:
    names = tuple(_read(path).decode(errors="replace").split())
    if len(names) != classes:
        what = f"{len(names)} names of classes; allowed: {classes}"
        raise refusal(str(path), what, DOWNLOAD)
    return names


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise refusal(str(path), f"cannot be read: {error.strerror}", DOWNLOAD) from error


if __name__ == "__main__":
    main()
