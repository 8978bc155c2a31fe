"""Command lines: every command with any of its options, whose values are good, odd or extreme.

Commands and options are those that the program itself declares.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, TypeAlias

from tests.fuzz import scratch
from tests.fuzz.draws import REAL, TEXTS, WHOLE, Rng, of

Parameter: TypeAlias = Any
"""Typer's own; its classes are no part of what it promises."""
COMMANDS = {
    "compile": 30,
    "run": 25,
    "inspect": 20,
    "sweep": 12,
    "errors": 12,
    "map": 8,
    "cost": 8,
    "export": 8,
    "operators": 2,
    "compare": 1,
    "report": 1,
}
"""How often each is drawn; the last two start Lava, which takes its time."""
ENDINGS = {"compile": (".onnx", ".h5"), "export": (".h5", ".nir"), "report": (".h5", ".html")}
"""What a command reads, and what it writes beside it unless it is told another place."""
GOOD: Mapping[str, tuple[str, ...]] = {
    "timesteps": ("1", "3", "4", "7"),
    "rho": ("1", "4", "8"),
    "iterations": ("1", "2"),
    "weight_bits": ("2", "4", "8", "16", "auto"),
    "input_shape": ("1,4,4",),
    "input_bits": ("1", "8", "16"),
    "input_range": ("0", "1"),
    "input_code": ("graded", "bits"),
    "mean": ("0.5", "0"),
    "std": ("0.25", "1"),
    "labels": ("a,b,c",),
    "levels": ("3", "7"),
    "limit": ("1", "2", "3"),
    "target": ("loihi", "loihi1", "loihi2"),
    "code": ("bit-serial", "rate", "offset-spike", "one-spike", "graded", "delta"),
    "codes": ("rate", "bit-serial,graded", "offset-spike", "one-spike,delta"),
    "schedule": ("pipelined", "sequential"),
    "average_pool": ("auto", "compose", "sum"),
    "objective": ("time", "cores"),
    "slack": ("0", "0.1", "1"),
    "mapping": ("file", "time", "cores"),
    "chips": ("1", "100"),
    "state_words": ("1", "2"),
    "calibration": scratch.DATA,
    "engine": ("golden",),
    "device": ("cpu",),
    "lava_model": ("layers", "network"),
    "workers": ("1", "2"),
    "chunk": ("1", "2"),
    "layer": ("out", "fc"),
    "output": ("new.h5", "n.h5x", "folder/new.h5"),
    "html": ("new.html",),
    "plot": ("new.png", "new.svg"),
    "also": scratch.MODELS,
    "columns": ("T", "layer,T", "code"),
    "dump_after": ("read", "quantize_weights", "recognize_staircases"),
    "model": (*scratch.MODELS[:1] * 3, *scratch.MODELS),
    "network": scratch.NETWORKS,
    "data": (*scratch.DATA[:1] * 3, *scratch.DATA),
    "path": (*scratch.MODELS, *scratch.NETWORKS),
}
OUTPUTS = ("-o", "--output", "--html", "--plot")
PATHS = (
    *("model", "network", "data", "path", "also", "calibration", "constants"),
    *("output", "html", "plot"),
)
NEVER = ("help", "checkpoint", "scheduler")
"""A run that fails keeps what it did until then, and a scheduler is waited for."""
LISTS = ("timesteps", "iterations", "mean", "std", "labels", "codes")


@cache
def commands() -> Mapping[str, Any]:
    """What the program declares."""
    from snnc.cli import commands as program

    return {name: program.command(name) for name in program.COMMANDS}


def any_line(rng: Rng) -> list[str]:
    """A command line, with one unsound part or none; rarely with more."""
    if rng.integers(40) == 0:
        return of((["--version"], ["--help"], [], ["nothing"], ["run", "--help"], ["-x"]), rng)
    names = [name for name, often in COMMANDS.items() for _ in range(often)]
    command = commands()[of(names, rng)]
    chosen = [p for p in command.params if _is_wanted(p, command.name or "", rng)]
    wrong = {int(each) for each in rng.integers(0, 2 * len(chosen) + 1, of((0, 1, 1, 2), rng))}
    words = [command.name or ""]
    for index, parameter in enumerate(chosen):
        words += _words(parameter, rng, sound=index not in wrong)
    if rng.integers(60) == 0:
        words.insert(int(rng.integers(1, len(words) + 1)), of(("--json", "-o", "--", "x"), rng))
    return [each.replace("\0", "") for each in words]


def outputs_of(words: list[str]) -> set[str]:
    """What a command line names as something to write."""
    named = {words[i + 1] for i, word in enumerate(words[:-1]) if word in OUTPUTS}
    named |= {word.partition("=")[2] for word in words if word.partition("=")[0] in OUTPUTS}
    named |= {word[2:] for word in words if word.startswith("-o") and len(word) > 2}
    if words and (endings := ENDINGS.get(words[0])):
        read, written = endings
        named |= {each.removesuffix(read) + written for each in words if each.endswith(read)}
    return {_place(each) for each in named}


def _place(name: str) -> str:
    return {"link.h5": "n.h5", "link.onnx": "m.onnx", "dangling": "nowhere.h5"}.get(name, name)


def _is_wanted(parameter: Parameter, command: str, rng: Rng) -> bool:
    if parameter.param_type_name == "argument":
        return bool(rng.integers(60))
    if command == "run" and parameter.name == "engine":
        return bool(rng.integers(200))
    if command in ("sweep", "errors") and parameter.name in ("codes", "timesteps", "limit"):
        return bool(rng.integers(20))
    return parameter.name not in NEVER and rng.integers(6) == 0


def _words(parameter: Parameter, rng: Rng, *, sound: bool) -> list[str]:
    """An option with its value, or an argument."""
    if parameter.param_type_name == "argument":
        return [_value(parameter, rng, sound=sound)]
    flag = of(parameter.opts, rng)
    if getattr(parameter, "is_flag", False):
        return [flag] if sound or rng.integers(2) else [f"{flag}=x"]
    count = parameter.nargs if sound or rng.integers(4) else parameter.nargs - 1
    values = [_value(parameter, rng, sound=sound) for _ in range(count)]
    if sound and parameter.name == "input_range":
        values = ["0", "1"]
    if len(values) == 1 and rng.integers(4) == 0:
        return [f"{flag}={values[0]}"] if flag.startswith("--") else [flag + values[0]]
    return [flag, *values]


def _value(parameter: Parameter, rng: Rng, *, sound: bool) -> str:
    name = parameter.name or ""
    good = GOOD.get(name, ("1",))
    if sound:
        if name in LISTS and name not in ("mean", "std", "labels", "codes") and rng.integers(2):
            return of(good, rng)
        return str(of(good, rng))
    pools = (
        [str(each) for each in WHOLE],
        [f"{each:g}" for each in REAL],
        TEXTS,
        scratch.ODD,
        good,
        [",".join(of(good, rng) for _ in range(int(of((2, 5, 5000), rng))))],
        ["1e5", "0x10", "1_0", "٣", "--5", "-", "1,,2", "nan", "1 2", "1;2", "\udcff", "½"],
    )
    place = 3 if name in PATHS and rng.integers(2) else None
    return str(of(pools[place] if place is not None else of(pools, rng), rng))
