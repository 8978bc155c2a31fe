"""What compile accepts, load accepts: settings of every code, at the ends of their ranges too."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.onnx_models import Graph, chains, graphs, random_chain

import snnc
from snnc.compiler.codes import CODES
from snnc.compiler.errors import SnncError
from snnc.compiler.limits import STEPS

COUNTS = st.sampled_from([None, None, 1, 2, 3, 64, 1000, 2048, STEPS.most])
REALS = st.sampled_from([1e-35, 1e-6, 255.0, 1e29, 1e35])
LABELS = st.sampled_from([("a", "č"), ("",), ("a\0",), ("\ud800",)])


@st.composite
def options(draw: st.DrawFn) -> dict[str, Any]:
    """Any settings of any code, and one or two others that are seldom given."""
    code = draw(st.sampled_from(sorted(CODES)))
    found: dict[str, Any] = {"code": code, "timesteps": None}
    if code in ("rate", "offset-spike", "one-spike"):
        found["timesteps"] = draw(COUNTS)
    if code == "offset-spike":
        found["light"] = draw(st.booleans())
        found["rho"] = draw(COUNTS)
        found["iterations"] = None if found["light"] else draw(COUNTS)
    found["weight_bits"] = draw(st.sampled_from([2, 5, 8, 16]))
    found["schedule"] = draw(st.sampled_from(["pipelined", "sequential"]))
    seldom: dict[str, st.SearchStrategy[Any]] = {
        "target": st.just("loihi1"),
        "input_bits": st.sampled_from([1, 3, 16]),
        "input_code": st.just("bits"),
        "input_range": st.tuples(st.just(0.0), REALS),
        "std": st.tuples(REALS),
        "labels": LABELS,
    }
    for name in draw(st.lists(st.sampled_from(sorted(seldom)), max_size=2)):
        found[name] = draw(seldom[name])
    return found


def agrees(folder: Path, chosen: dict[str, Any], graph: Graph | None = None) -> bool:
    """Whether it compiles; then its file is read."""
    model = (graph or random_chain(2)).save(folder)
    try:
        compiled = snnc.compile(model, folder / "net.h5", **chosen)
    except SnncError:
        return False
    again = snnc.load(compiled.path)
    assert str(again) == str(compiled.network)
    assert again.provenance == compiled.network.provenance
    return True


@given(chosen=options(), graph=st.one_of(chains(), graphs()))
@settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_what_is_compiled_is_loaded(tmp_path: Path, chosen: dict[str, Any], graph: Graph) -> None:
    agrees(tmp_path, chosen, graph)


@pytest.mark.parametrize(
    ("chosen", "compiles"),
    [
        ({"rho": 2047}, True),
        ({"rho": 2049}, False),
        ({"timesteps": 2048, "rho": 1}, True),
        ({"timesteps": 2049, "rho": 1}, False),
        ({"timesteps": 64, "rho": 64, "iterations": 63}, True),
        ({"timesteps": 64, "rho": 64, "iterations": 64}, False),
    ],
)
def test_a_turn_has_an_end(tmp_path: Path, chosen: dict[str, int], compiles: bool) -> None:
    assert agrees(tmp_path, {"code": "offset-spike", **chosen}) == compiles


def test_a_long_turn_is_refused_by_its_options(tmp_path: Path) -> None:
    with pytest.raises(SnncError) as caught:
        snnc.compile(random_chain(2).save(tmp_path), code="offset-spike", rho=STEPS.most)
    assert str(caught.value) == (
        "`rho`, `iterations`: a turn of 8192 time steps or more; allowed: 1..4096\n"
        "  help: choose smaller ones, or fewer `timesteps`"
    )
