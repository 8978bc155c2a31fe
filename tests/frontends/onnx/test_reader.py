from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper
from support.onnx_models import Graph

import snnc
from snnc.compiler.errors import SnncError
from snnc.compiler.options import CompileOptions
from snnc.compiler.pipeline import lower
from snnc.frontends.onnx.reader import read_onnx
from snnc.frontends.onnx.registry import mend_for

DATA = Path(__file__).parents[2] / "data"
EXPORTS = ("torchscript_2_13", "dynamo_2_13", "published_qcfs", "ste_detach")


def message(path: Path) -> str:
    with pytest.raises(SnncError) as caught:
        read_onnx(path)
    return str(caught.value).replace(str(path), "MODEL")


@pytest.mark.parametrize("name", EXPORTS)
def test_every_exporter_and_every_spelling_of_qcfs_gives_the_same_integers(name: str) -> None:
    network = lower(read_onnx(DATA / f"{name}.onnx")[0], CompileOptions())
    first = lower(read_onnx(DATA / f"{EXPORTS[0]}.onnx")[0], CompileOptions())
    for ours, theirs in zip(network, first, strict=True):
        np.testing.assert_array_equal(ours.bias, theirs.bias)
        weights = (each.projections[0].connection.weights for each in (ours, theirs))
        np.testing.assert_array_equal(*weights)


def test_decisions_behind_the_logits_are_dropped(tmp_path: Path) -> None:
    graph = Graph("batch", 3)
    graph.dense(2, 3, name="fc")
    graph.node("Softmax", name="softmax")
    graph.node("ArgMax", name="argmax", axis=1)
    network, model = read_onnx(graph.save(tmp_path))
    assert network.output.name == "fc"
    assert [each.name for each in model.proto.graph.output] == ["fc"]
    assert network.remarks == (
        "dropped ArgMax argmax: it does not change the decision",
        "dropped Softmax softmax: it does not change the decision",
    )


def test_a_sigmoid_behind_the_logits_is_dropped_whatever_shows_its_result(tmp_path: Path) -> None:
    graph = Graph("batch", 3)
    graph.dense(1, 3, name="fc")
    graph.node("Sigmoid", name="sigmoid")
    graph.with_constants("Reshape", np.array([-1]))
    network, _ = read_onnx(graph.save(tmp_path))
    assert network.output.name == "fc"
    assert network.remarks == ("dropped Sigmoid sigmoid: it does not change the decision",)


def test_logits_in_many_places_have_their_channels_first(tmp_path: Path) -> None:
    graph = Graph("batch", 2, 4, 4)
    graph.conv(3, 2, 1, 1, name="logits")
    graph.node("Transpose", name="t", perm=[0, 2, 3, 1])
    network, _ = read_onnx(graph.save(tmp_path))
    assert network.output.shape == (3, 4, 4)
    assert network.remarks == ("dropped Transpose t: it does not change the decision",)


def test_unsupported_operators_are_told_all_at_once(tmp_path: Path) -> None:
    graph = Graph("batch", 3, 8, 8)
    graph.node("LRN", size=3, name="lrn1")
    graph.node("LayerNormalization", graph.last, graph.constant([0.5]), name="norm")
    graph.node("LRN", size=3, name="lrn2")
    assert message(graph.save(tmp_path)) == (
        "lrn1, lrn2: LRN is not supported (2 nodes)\n"
        f"  help: {mend_for('LRN')}\n"
        "norm: LayerNormalization is not supported\n"
        "  help: use batch norm, which is constant after training"
    )


def test_many_nodes_of_one_operator_are_counted(tmp_path: Path) -> None:
    graph = Graph("batch", 3)
    for index in range(40):
        graph.node("Asin", name=f"e{index}")
    first = "e0, e1, e2 and 37 more: Asin is not supported (40 nodes)\n"
    assert message(graph.save(tmp_path)).startswith(first)


def test_a_custom_operator_is_named_with_its_domain(tmp_path: Path) -> None:
    graph = Graph("batch", 3)
    graph.node("Fire", name="fire", domain="my.lab")
    assert message(graph.save(tmp_path)).startswith("fire: my.lab.Fire is not supported\n")


def test_no_file(tmp_path: Path) -> None:
    text = "MODEL: cannot be read: No such file or directory\n  help: check the path"
    assert message(tmp_path / "none.onnx") == text


def test_no_onnx(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    path.write_text("I am a text, and a long one at that.")
    assert message(path).startswith(
        "MODEL: is no ONNX model, or only a part of one\n  help: export"
    )


def test_half_a_file(tmp_path: Path) -> None:
    path = DATA / "torchscript_2_13.onnx"
    (tmp_path / "half.onnx").write_bytes(path.read_bytes()[:3000])
    assert message(tmp_path / "half.onnx").startswith("MODEL: is no ONNX model, or only a part")


def test_an_empty_file(tmp_path: Path) -> None:
    (tmp_path / "empty.onnx").touch()
    assert message(tmp_path / "empty.onnx").startswith("MODEL: is no ONNX model: it holds no graph")


def test_external_data_that_are_missing(tmp_path: Path) -> None:
    graph = Graph("batch", 300)
    graph.dense(300, 300)
    onnx.save(graph.model(), tmp_path / "m.onnx", save_as_external_data=True, location="m.bin")
    assert read_onnx(tmp_path / "m.onnx")[0].output.shape == (300,)
    (tmp_path / "m.bin").unlink()
    assert message(tmp_path / "m.onnx").startswith(
        "MODEL: its weights lie in another file that cannot be read: "
    )


def test_external_data_outside_the_folder_are_not_read(tmp_path: Path) -> None:
    graph = Graph("batch", 300)
    graph.dense(300, 300)
    (tmp_path / "inner").mkdir()
    path = tmp_path / "inner" / "m.onnx"
    onnx.save(graph.model(), path, save_as_external_data=True, location="m.bin")
    (tmp_path / "inner" / "m.bin").rename(tmp_path / "m.bin")
    model = onnx.load(path, load_external_data=False)
    for each in model.graph.initializer:
        each.external_data[0].value = "../m.bin"
    path.write_bytes(model.SerializeToString())
    assert message(path).startswith("MODEL: its weights lie in another file that cannot be read: ")


@pytest.mark.parametrize("shape", [("batch", 3, "h", "w"), ("batch",), ("batch", 1, 2, 3, 4)])
def test_a_shape_that_is_not_known(tmp_path: Path, shape: tuple[int | str, ...]) -> None:
    graph = Graph(*shape)
    graph.node("Relu")
    found = message(graph.save(tmp_path))
    assert found.startswith(f"x: has shape {list(shape)}; allowed: ")
    assert "help: give the sizes of a sample: `input_shape=" in found


def test_two_inputs_and_two_outputs(tmp_path: Path) -> None:
    graph = Graph("batch", 3)
    graph.node("Neg", name="first")
    graph.node("Neg", name="second")
    path = graph.save(tmp_path, outputs=["first", "second"])
    assert message(path) == (
        "second: the model has 2 outputs (first, second); allowed: 1\n  help: export one of them"
    )
    model = graph.model()
    model.graph.input.append(helper.make_tensor_value_info("y", 1, ["batch", 3]))
    onnx.save(model, path)
    assert message(path).startswith("g: the model has 2 inputs (x, y); allowed: 1\n")


def test_what_the_output_does_not_need_is_not_read(tmp_path: Path) -> None:
    graph = Graph("batch", 3)
    graph.node("Sigmoid", name="aside")
    graph.node("Neg", "x", name="main")
    assert read_onnx(graph.save(tmp_path))[0].output.name == "main"


def test_nothing_is_written_when_a_model_is_refused(tmp_path: Path) -> None:
    graph = Graph("batch", 3)
    graph.node("Erf")
    path = graph.save(tmp_path)
    with pytest.raises(SnncError):
        snnc.compile(path)
    assert list(tmp_path.iterdir()) == [path]
