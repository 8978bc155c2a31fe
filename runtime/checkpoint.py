"""A folder that keeps what is done of a long run, so that it can go on there.

Each part is a file of its own, written as a whole or not at all; `run.json` says whose they are.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from io import BytesIO
from pathlib import Path

import numpy as np

from snnc.backends.files import reason, write_bytes
from snnc.compiler.errors import SnncError, refusal, shortened
from snnc.compiler.files import regular_bytes
from snnc.runtime.archive import read_arrays
from snnc.runtime.data import Data
from snnc.runtime.parts import BATCH, Part, Span

RUN = "run.json"
MOST_BYTES = 1 << 20
"""Of what a run is told by."""
OTHER = "name a new folder, or the one of this run"
DAMAGED = "delete it; what it kept is computed again"
SHOWN = 16
"""Letters of a value in a message."""


@dataclass(frozen=True)
class Checkpoint:
    """What is kept of a run."""

    folder: Path

    @classmethod
    def opened(cls, folder: Path, run: Mapping[str, str]) -> Checkpoint:
        """A new folder, or that of the same run.

        Args:
            folder: where to keep it; made, if its parent is there.
            run: whatever the results depend on.

        Raises:
            SnncError: for a folder that belongs to something else, or cannot be made.
        """
        try:
            folder.mkdir(exist_ok=True)
            others = [each for each in os.listdir(folder) if not each.endswith(".partial")]
        except OSError as error:
            what = f"cannot be a folder of finished parts: {reason(error)}"
            raise refusal(str(folder), what, "choose another `checkpoint`") from None
        if RUN in others:
            _compare(folder, run)
        elif others:
            what = f"it is no folder of finished parts: it holds {shortened(min(others))}"
            raise refusal(str(folder), what, OTHER)
        else:
            content = json.dumps(run, indent=2).encode()
            write_bytes(folder / RUN, content, option="checkpoint")
        return cls(folder)

    def find(self, name: str, span: Span) -> Part | None:
        """A part that is done, if it is.

        Args:
            name: of what ran the images.
            span: which images.

        Raises:
            SnncError: for a file that is damaged.
        """
        path = self._path(name, span)
        if not path.exists():
            return None
        arrays = read_arrays(path, "logits", "counts", mend=DAMAGED)
        try:
            counts = json.loads(np.asarray(arrays["counts"]).tobytes())
            found = Part(np.asarray(arrays["logits"][:]), **counts)
            if len(found.logits) == span.count:
                return found
        except (KeyError, TypeError, ValueError):
            pass
        raise refusal(str(path), "it is no finished part of this run", DAMAGED)

    def keep(self, name: str, span: Span, part: Part) -> None:
        """Write a part that is done.

        Raises:
            SnncError: where it cannot be written.
        """
        none = np.zeros(0)
        counts = {k: v for k, v in asdict(replace(part, logits=none)).items() if k != "logits"}
        content = BytesIO()
        told = np.frombuffer(json.dumps(counts).encode(), np.uint8)
        np.savez(content, logits=part.logits, counts=told)
        write_bytes(self._path(name, span), content.getvalue(), option="checkpoint")

    def _path(self, name: str, span: Span) -> Path:
        return self.folder / f"{name}-{span.first}-{span.count}.npz"


def digest_of(data: Data) -> str:
    """The SHA-256 of images and labels, read piece by piece."""
    found = sha256(f"{data.x.dtype}{data.x.shape}".encode())
    for first in range(0, data.images, BATCH):
        found.update(np.ascontiguousarray(data.x[first : first + BATCH]).data)
    if data.y is not None:
        found.update(np.ascontiguousarray(data.y).data)
    return found.hexdigest()


def _compare(folder: Path, run: Mapping[str, str]) -> None:
    try:
        kept = json.loads(regular_bytes(folder / RUN, MOST_BYTES))
        if not isinstance(kept, dict):
            raise TypeError
    except (SnncError, ValueError, TypeError, RecursionError):
        what = f"it is no folder of finished parts: {RUN} cannot be read"
        raise refusal(str(folder), what, OTHER) from None
    if differences := [*_differences(kept, run)]:
        what = f"it belongs to another run: {', '.join(differences)}"
        raise refusal(str(folder), what, OTHER)


def _differences(kept: Mapping[str, object], run: Mapping[str, str]) -> Iterator[str]:
    for name, value in run.items():
        if kept.get(name) != value:
            yield f"its {name} is {shortened(str(kept.get(name))[:SHOWN])}, not {value[:SHOWN]}"
