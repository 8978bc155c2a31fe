"""The program as its users meet it: its output, its messages and its exit status."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from support.command_line import snnc
from support.onnx_models import Graph

from snnc.runtime.engines import installing

HELP = "\n  help: "


@pytest.fixture
def data(tmp_path: Path) -> Path:
    x = np.random.default_rng(0).uniform(size=(8, 1, 6, 6)).astype(np.float32)
    np.savez(tmp_path / "data.npz", x=x, y=np.arange(8) % 4)
    return tmp_path / "data.npz"


def test_compile_says_what_it_wrote(model: Path, net: Path) -> None:
    result = snnc("compile", model)
    text = (
        f"{net}: 2 layers, pipelined, an image every 3 time steps, latency 5\n"
        "runs in unmodified netx: no: its neurons are no stock neurons; those of --code one-spike "
        "are\n"
    )
    assert (result.exit_code, result.stdout, result.stderr) == (0, text, "")


def test_compile_as_json(model: Path, tmp_path: Path) -> None:
    result = snnc("compile", model, "-o", tmp_path / "n.h5", "--schedule", "sequential", "--json")
    found = json.loads(result.stdout)
    assert found["output"] == str(tmp_path / "n.h5")
    assert found["schedule"] == {"name": "sequential", "period": 5, "latency": 5}
    assert [layer["name"] for layer in found["layers"]] == ["conv", "fc"]
    assert found["layers"][0]["levels"] == 7


def test_compile_dumps_what_a_pass_left(model: Path) -> None:
    result = snnc("compile", model, "--dump-after", "compose_chains")
    assert result.stdout.splitlines()[:4] == [
        "== compose_chains",
        "x 1x6x6: input",
        "conv 3x4x4 <- x: conv 3x3 stride 1x1 pads 0,0,0,0",
        "qcfs 3x4x4 <- conv: staircase 0..7",
    ]


def test_remarks_go_to_stderr(model: Path) -> None:
    result = snnc("compile", model, "--timesteps", "2")
    assert result.exit_code == 0
    assert result.stderr.startswith("note: 1 of the activations need up to 3 time steps and got 2:")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--target", "tpu"], "--target: 'tpu' is not a target; allowed: loihi1, loihi2"),
        (
            ["--code", "morse"],
            "--code: 'morse' is not a code; allowed: bit-serial, rate, offset-spike, one-spike,",
        ),
        (["--timesteps", "4"], "--timesteps: 4 with the code 'bit-serial', and no activation has"),
        (["--mean", "a,b"], "--mean: 'a,b' is not a list of numbers"),
        (["--dump-after", "tea"], "--dump-after: 'tea' is no pass; allowed: read, fold_batch"),
        (["--weight-bits", "1"], "--weight-bits: 1 bits; allowed: 2 to 8"),
        (["--input-range", "2", "1"], "--input-range: the range 2 to 1 is empty or not finite"),
        (["-o", "/none/net.h5"], "/none/net.h5: cannot be written"),
    ],
)
def test_compile_refuses(model: Path, words: list[str], message: str) -> None:
    before = sorted(model.parent.iterdir())
    result = snnc("compile", model, *words)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith(message)
    assert HELP in result.stderr
    assert sorted(model.parent.iterdir()) == before


@pytest.mark.parametrize("words", [["fly"], ["compile"], ["run", "a", "b", "--engine", "chip"]])
def test_wrong_usage_is_2(words: list[str]) -> None:
    assert snnc(*words).exit_code == 2


def test_run_on_golden(net: Path, data: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.npz"
    result = snnc("run", net, data, "--engine", "golden", "--limit", 5, "-o", out, "--json")
    found = json.loads(result.stdout)
    assert (found["engine"], found["images"]) == ("golden", 5)
    with np.load(out) as written:
        assert written["logits"].shape == (5, 4)
        hits = written["decisions"] == np.arange(5) % 4
    assert found["accuracy"] == hits.mean()


def test_inspect_a_network(net: Path) -> None:
    found = json.loads(snnc("inspect", net, "--json").stdout)
    conv, fc = found["layers"]
    assert (conv["synapses"], fc["synapses"]) == (16 * 9 * 3, 48 * 4)
    assert conv["threshold"] == [4 * each for each in conv["step"]]
    assert conv["sums"][1] <= conv["allowed"][1] == 2**23 - 1
    assert (conv["fires"], fc["fires"]) == (1, 4)
    assert "schedule pipelined: an image every 3 time steps" in snnc("inspect", net).stdout


def test_compile_and_inspect_say_whether_unmodified_netx_runs_it(model: Path) -> None:
    path = model.with_suffix(".h5")
    line = "runs in unmodified netx: yes, input_message_bits=8\n"
    assert line in snnc("compile", model, "--code", "one-spike").stdout
    assert line in snnc("inspect", path).stdout
    found = json.loads(snnc("inspect", path, "--json").stdout)["unmodified_netx"]
    assert found == {"runs": True, "input_message_bits": 8, "obstacles": []}


@pytest.mark.parametrize(
    "words",
    [
        ["compile", "{model}", "--calibration", "{data}"],
        ["run", "{net}", "{data}", "--engine", "golden"],
        ["sweep", "{model}", "{data}", "--codes", "graded", "--timesteps", "1"],
        ["errors", "{model}", "{data}", "--timesteps", "2"],
    ],
    ids=lambda words: words[0],
)
def test_pixels_between_two_levels_are_told(
    model: Path, net: Path, data: Path, words: list[str]
) -> None:
    named = [each.format(model=model, net=net, data=data) for each in words]
    said = f"{data}: 288 of 288 pixels lie between two levels of the input (0..1 in 255 levels)"
    result = snnc(*named)
    assert result.exit_code == 0
    assert f"note: {said}" in result.stderr
    assert "compile with more --input-bits" in result.stderr
    found = json.loads(snnc(*named, "--json").stdout)["remarks"]
    assert [each.startswith(said) for each in found].count(True) == 1


def test_inspect_a_model(model: Path) -> None:
    found = json.loads(snnc("inspect", model, "--json").stdout)
    assert [each["levels"] for each in found if each["levels"]] == [7]
    assert "staircase 0..7" in snnc("inspect", model).stdout


def test_tables_fit_the_width_unless_more_is_asked_for(
    net: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    narrow = snnc("inspect", net).stdout.splitlines()
    assert "left out: weights, step Δ, " in "".join(narrow)
    wide = snnc("inspect", net, "--wide").stdout.splitlines()
    assert wide[1].split()[:6] == ["layer", "shape", "from", "synapses", "weights", "bits"]
    chosen = snnc("inspect", net, "--columns", "Worst-Sums, t").stdout.splitlines()
    assert chosen[1].split() == ["layer", "worst", "sums", "T"]
    assert not any("left out" in each for each in (*wide, *chosen))


@pytest.mark.parametrize("verb", ["compile", "inspect", "compare", "sweep", "errors"])
def test_columns_that_no_table_has_are_refused_before_the_work(
    model: Path, net: Path, data: Path, verb: str
) -> None:
    words = {"compare": [model, net, data], "inspect": [net], "compile": [model]}
    result = snnc(verb, *words.get(verb, [model, data]), "--columns", "T,tea,cake")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "--columns: no table here has" in result.stderr
    assert "'tea', 'cake'; allowed: " in result.stderr


@pytest.mark.lava
def test_compare(model: Path, net: Path, data: Path, tmp_path: Path) -> None:
    pytest.importorskip("lava.magma")
    page = tmp_path / "page.html"
    result = snnc("compare", model, net, data, "--json", "--html", page)
    found = json.loads(result.stdout)
    assert result.exit_code == 0
    assert set(found) == {
        "images",
        "remarks",
        "source",
        "golden",
        "lava",
        "slayer",
        "missing",
        "loss_in_points",
        "workers",
        "scheduler",
    }
    for engine in ("lava", "slayer"):
        assert found[engine]["spike_mismatches"] == found[engine]["logit_mismatches"] == 0
        assert found[engine]["spikes_compared"] == 8 * 48 * 3
    assert found["lava"]["time_steps"] == 5 + 7 * 3
    assert found["lava"]["accuracy"] == found["golden"]["accuracy"]
    assert "Equal: 0 of 1,152 spikes" in page.read_text()
    assert "288 of 288 pixels lie between two levels" in found["remarks"][0]
    assert "288 of 288 pixels lie between two levels" in page.read_text()


@pytest.mark.lava
def test_a_mismatch_is_3(
    model: Path, net: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("lava.magma")
    from snnc.runtime.studies import compare

    monkeypatch.setattr(compare, "count_differences", lambda first, second: 1)
    result = snnc("compare", model, net, data)
    assert result.exit_code == 3
    assert "spike mismatches   0" not in result.stdout


@pytest.mark.lava
def test_run_on_lava(net: Path, data: Path) -> None:
    pytest.importorskip("lava.magma")
    found = json.loads(snnc("run", net, data, "--json").stdout)
    assert (found["engine"], found["time_steps"]) == ("lava", 5 + 7 * 3)
    assert found["spikes_per_image"] > 0


def test_compare_refuses_another_model(model: Path, net: Path, data: Path) -> None:
    other = Graph("batch", 1, 6, 6, seed=1)
    other.node("Flatten")
    other.dense(4, 36)
    result = snnc("compare", other.save(model.parent, "other.onnx"), net, data)
    assert result.exit_code == 1
    assert result.stderr.startswith(f"{net}: was compiled from another model (SHA-256 ")


def test_run_without_lava_says_how_to_install_it_and_stops(
    net: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(installing, "find_spec", lambda name: None)
    result = snnc("run", net, data)
    assert result.exit_code == 1
    mend = f"{installing.command('lava')}; snnc run --engine golden needs none of them"
    assert result.stderr == f"Lava: lava is not installed{HELP}{mend}\n"


def test_compare_without_engines_of_spikes_proves_nothing_and_says_so(
    model: Path, net: Path, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(installing, "find_spec", lambda name: None)
    result = snnc("compare", model, net, data, "--html", tmp_path / "page.html")
    assert result.exit_code == 3
    assert "golden" in result.stdout
    assert "spikes compared    none" in result.stdout
    assert "\nLava: lava is not installed" in result.stderr
    assert "Lava-DL: torch is not installed" in result.stderr
    assert "Not verified" in (tmp_path / "page.html").read_text()
    found = json.loads(snnc("compare", model, net, data, "--json").stdout)
    assert (found["lava"], [*found["missing"]]) == (None, ["lava", "slayer"])
    assert found["golden"]["agreement"] > 0


def test_data_out_of_range_are_counted_and_clipped_on_demand(net: Path, tmp_path: Path) -> None:
    x = np.zeros((2, 1, 6, 6), np.float32)
    x[1, 0, 0] = 3
    np.savez(tmp_path / "data.npz", x=x)
    words = ["run", net, tmp_path / "data.npz", "--engine", "golden"]
    refused = snnc(*words)
    assert refused.exit_code == 1
    assert "6 values, the first in image 1, are outside 0..1" in refused.stderr
    assert snnc(*words, "--clip-input").exit_code == 0


def test_compile_with_images_says_what_was_lost(model: Path, data: Path, tmp_path: Path) -> None:
    result = snnc("compile", model, "--calibration", data, "--weight-bits", 4)
    assert result.exit_code == 0
    assert "lost to integer weights" in result.stdout
    as_json = json.loads(snnc("compile", model, "--calibration", data, "--json").stdout)
    assert [each["layer"] for each in as_json["losses"]] == ["conv", "fc"]


def test_plain_relus_are_calibrated(tmp_path: Path, data: Path) -> None:
    graph = Graph("batch", 1, 6, 6)
    graph.conv(3, 1, 3, 3)
    graph.node("Relu", name="relu")
    graph.node("Flatten")
    graph.dense(4, 48)
    path = graph.save(tmp_path, "plain.onnx")
    refused = snnc("compile", path)
    assert refused.exit_code == 1
    assert "--calibration" in refused.stderr
    result = snnc("compile", path, "--calibration", data, "--levels", 7)
    assert result.exit_code == 0
    assert "of the decisions unchanged" in result.stdout
