"""Run: a compiled network over a data set, on one engine."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import numpy as np
import typer

from snnc import api
from snnc.backends.files import target_of, write_bytes
from snnc.cli.messages import reports_problems, tell_remarks
from snnc.cli.options import (
    CheckpointFolder,
    Chunk,
    ClipInput,
    DataFile,
    Json,
    LavaProcesses,
    Limit,
    NetFile,
    Scheduler,
    Workers,
    completing,
    engine_name,
)
from snnc.cli.progress import progress_bars
from snnc.cli.results import print_json, print_lines
from snnc.runtime.engines import ENGINES

if TYPE_CHECKING:
    from snnc.runtime.engines.result import EngineResult


def run(
    network: NetFile,
    data: DataFile,
    engine: Annotated[
        str,
        typer.Option(
            callback=engine_name,
            autocompletion=completing("engine"),
            help=f"What runs the network: {', '.join(ENGINES)}.",
        ),
    ] = "lava",
    device: Annotated[str, typer.Option(help="slayer: where PyTorch computes.")] = "cpu",
    lava_model: LavaProcesses = "layers",
    limit: Limit = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="OUT.npz for logits and decisions.")
    ] = None,
    clip_input: ClipInput = False,
    workers: Workers = 1,
    scheduler: Scheduler = None,
    chunk: Chunk = None,
    checkpoint: CheckpointFolder = None,
    as_json: Json = False,
) -> None:
    """Run a compiled network over a data set."""
    with reports_problems(as_json=as_json), progress_bars() as progress:
        if output is not None:
            target_of(output, inputs=(network, data))
        found = api.run(
            network,
            data,
            engine=engine,
            device=device,
            lava_model=lava_model,
            limit=limit,
            clip_input=clip_input,
            progress=progress,
            workers=workers,
            scheduler=scheduler,
            chunk=chunk,
            checkpoint=checkpoint,
        )
        if output is not None:
            _save(output, found.result, (network, data))
    if as_json:
        print_json(_as_json(found))
    else:
        tell_remarks(found.remarks)
        print_lines(str(found).splitlines())


def _as_json(found: api.Run) -> dict[str, object]:
    result = found.result
    return {
        "engine": result.engine,
        "images": result.images,
        "accuracy": result.accuracy(found.labels),
        "images_per_second": result.images_per_second,
        "time_steps": found.time_steps,
        "remarks": list(found.remarks),
        **found.spread.as_json(),
        "spikes_per_image": None if found.spikes is None else found.spikes / result.images,
    }


def _save(path: Path, result: EngineResult, inputs: Sequence[Path]) -> None:
    """Logits and decisions."""
    content = BytesIO()
    np.savez(content, logits=result.logits, decisions=result.decisions)
    write_bytes(path, content.getvalue(), inputs=inputs)
