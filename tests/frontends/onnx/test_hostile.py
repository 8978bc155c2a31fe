"""Models that mean harm, or were damaged: each is read, or refused at once and by a name."""

from __future__ import annotations

import os
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from support.onnx_models import Graph

from snnc.compiler.errors import SnncError
from snnc.compiler.network import Network, evaluate
from snnc.compiler.options import CompileOptions
from snnc.compiler.passes.compose_chains import compose_chains
from snnc.compiler.pipeline import lower
from snnc.frontends.onnx.reader import read_onnx

Build = Callable[[Graph], object]
PLANE, FLAT = (4, 7, 6), (12,)


def saved(model: onnx.ModelProto, folder: Path) -> Path:
    path = folder / "model.onnx"
    path.write_bytes(model.SerializeToString())
    return path


def refused(path: Path) -> str:
    with pytest.raises(SnncError) as caught:
        read_onnx(path)
    assert all(each.where and each.what and each.mend for each in caught.value.problems)
    return str(caught.value).replace(str(path), "MODEL").splitlines()[0]


GRAPHS: dict[str, tuple[tuple[int, ...], Build, str]] = {
    "no stride": (
        PLANE,
        lambda g: g.conv(2, 4, 3, 3, name="c", strides=[0, 1]),
        "c: Conv has strides [0, 1]; allowed: 1 to 65536",
    ),
    "negative pads": (
        PLANE,
        lambda g: g.conv(2, 4, 3, 3, name="c", pads=[-1, 0, 0, 0]),
        "c: Conv has pads [-1, 0, 0, 0]; allowed: 0 to 65536",
    ),
    "huge pads": (
        PLANE,
        lambda g: g.conv(2, 4, 3, 3, name="c", pads=[2**62] * 4),
        f"c: Conv has pads {[2**62] * 4}; allowed: 0 to 65536",
    ),
    "large pads": (
        PLANE,
        lambda g: g.conv(2, 4, 3, 3, name="c", pads=[60000] * 4),
        "c: gives samples of shape (2, 120005, 120004); allowed: 1 to 16777216 values",
    ),
    "too few strides": (
        PLANE,
        lambda g: g.conv(2, 4, 3, 3, name="c", strides=[1]),
        "c: Conv has strides [1]; allowed: 2 whole numbers",
    ),
    "kind of an attribute": (
        PLANE,
        lambda g: g.conv(2, 4, 3, 3, name="c", group="two"),
        "c: Conv has group of kind STRING; allowed: a whole number",
    ),
    "no kernel": (
        PLANE,
        lambda g: g.node("MaxPool", name="p"),
        "p: MaxPool has no attribute 'kernel_shape'; it needs whole numbers",
    ),
    "window of a pool": (
        PLANE,
        lambda g: g.node("MaxPool", name="p", kernel_shape=[60000, 60000]),
        "p: MaxPool has a window larger than its source (4, 7, 6)",
    ),
    "window of a mean": (
        PLANE,
        lambda g: g.node("AveragePool", name="p", kernel_shape=[60000, 60000]),
        "p: AveragePool has a window larger than its source (4, 7, 6)",
    ),
    "groups": (
        PLANE,
        lambda g: g.conv(3, 2, 3, 3, name="c", group=2),
        "c: Conv has 3 kernels for 2 groups; allowed: as many for each",
    ),
    "biases": (
        PLANE,
        lambda g: g.with_constants("Conv", np.ones((2, 4, 1, 1)), np.ones(3), name="c"),
        "c: Conv has biases of shape (3,) for 2 results",
    ),
    "norm": (
        PLANE,
        lambda g: g.with_constants("BatchNormalization", *np.ones((4, 3)), name="bn"),
        "bn: BatchNormalization has scales of shape (3,) for 4 channels",
    ),
    "no operand": (
        FLAT,
        lambda g: g.node("Sub", "x", name="s"),
        "s: Sub has 1 inputs; allowed: 2",
    ),
    "no weights": (
        FLAT,
        lambda g: g.node("Gemm", "x", name="fc"),
        "fc: Gemm has 1 inputs; allowed: 2 to 3",
    ),
    "truth values": (
        FLAT,
        lambda g: g.with_constants("Add", np.ones(12, bool), name="a"),
        "a: Add has constants of type bool; allowed: numbers",
    ),
    "axis": (
        PLANE,
        lambda g: g.node("Flatten", name="f", axis=9),
        "f: Flatten has axis 9; allowed: -4 to 3",
    ),
    "perm": (
        PLANE,
        lambda g: g.node("Transpose", name="t", perm=[0, 1, 1, 3]),
        "t: Transpose has perm [0, 1, 1, 3]; allowed: each axis of (1, 4, 7, 6) once",
    ),
    "pads": (
        PLANE,
        lambda g: g.with_constants("Pad", np.array([0, 0, 1]), name="p"),
        "p: Pad has pads [0, 0, 1]; allowed: 8 numbers, two for each axis",
    ),
    "crop": (
        PLANE,
        lambda g: g.with_constants("Pad", np.array([0, 0, -7, 0, 0, 0, 7, 0]), name="p"),
        "p: Pad crops [(-7, 7), (0, 0)] from (4, 7, 6)",
    ),
    "bits": (
        FLAT,
        lambda g: g.node(
            "Quant", "x", *map(g.constant, (1.0, 0.0, 1e9)), name="q", domain="onnx.brevitas"
        ),
        "q: Quant has bit widths 1e+09; allowed: one whole number, 1 to 32",
    ),
    "type of a quantiser": (
        FLAT,
        lambda g: g.with_constants("QuantizeLinear", 0.1, name="q", output_dtype=8),
        "q: QuantizeLinear rounds to STRING; allowed: whole numbers",
    ),
    "type of a cast": (
        FLAT,
        lambda g: g.node("Cast", to=99, name="c"),
        "c: Cast to 99; allowed: to numbers",
    ),
    "random weights": (
        FLAT,
        lambda g: g.node("Add", "x", g.node("RandomNormalLike", g.constant(0.0), name="r")),
        "r: RandomNormalLike is not supported",
    ),
    "regular expression": (
        FLAT,
        lambda g: g.node(
            "Add", "x", g.node("RegexFullMatch", g.constant(0.0), name="r", pattern="(a*)*b")
        ),
        "r: RegexFullMatch is not supported",
    ),
    "many outputs": (
        FLAT,
        lambda g: g.node(
            "Add", "x", g.node("Split", g.constant(np.ones(4)), name="s", num_outputs=1 << 31)
        ),
        "s: Split has num_outputs 2147483648; allowed: 1 to 1",
    ),
    "product of constants": (
        FLAT,
        lambda g: g.node(
            "Add",
            "x",
            g.node(
                "Add", *(g.constant(np.ones(s)) for s in ((1 << 15, 1), (1, 1 << 15))), name="s"
            ),
        ),
        "s: Add makes a constant of 1.07374e+09 elements; allowed: 268435456",
    ),
}


@pytest.mark.parametrize("name", GRAPHS)
def test_what_no_runtime_takes_is_refused_by_its_name(name: str, tmp_path: Path) -> None:
    shape, build, message = GRAPHS[name]
    graph = Graph("batch", *shape)
    build(graph)
    assert refused(graph.save(tmp_path, opset=21)).startswith(message)


def dense(*sizes: int) -> Graph:
    graph = Graph("batch", *sizes)
    graph.dense(3, sizes[0], name="fc")
    return graph


def weights(model: onnx.ModelProto) -> onnx.TensorProto:
    return model.graph.initializer[0]


def _type(kind: int) -> Callable[[onnx.ModelProto], None]:
    return lambda model: setattr(weights(model), "data_type", kind)


def _dims(*dims: int) -> Callable[[onnx.ModelProto], None]:
    return lambda model: weights(model).dims.__setitem__(slice(None), dims)


def _text(model: onnx.ModelProto) -> None:
    weights(model).CopyFrom(helper.make_tensor("c0", TensorProto.STRING, [3], [b"1", b"2", b"3"]))


def _complex(model: onnx.ModelProto) -> None:
    values = onnx.numpy_helper.from_array(np.ones((3, 12), np.complex64), "c0")
    weights(model).CopyFrom(values)


def _twice(model: onnx.ModelProto) -> None:
    model.graph.initializer.append(weights(model))


def _shorter(model: onnx.ModelProto) -> None:
    weights(model).raw_data = weights(model).raw_data[:-1]


def _without_type(model: onnx.ModelProto) -> None:
    model.graph.input[0].ClearField("type")


def _of_text(model: onnx.ModelProto) -> None:
    model.graph.input[0].type.tensor_type.elem_type = TensorProto.STRING


def _nameless(model: onnx.ModelProto) -> None:
    model.graph.input[0].name = ""
    _of_text(model)


def _huge(model: onnx.ModelProto) -> None:
    shape = helper.make_tensor_type_proto(TensorProto.FLOAT, ["batch", 1, 100000, 100000])
    model.graph.input[0].type.CopyFrom(shape)


def _writes_twice(model: onnx.ModelProto) -> None:
    model.graph.node.append(helper.make_node("Neg", ["x"], ["fc"], name="again"))


def _writes_nothing(model: onnx.ModelProto) -> None:
    del model.graph.node[0].output[:]


def _unsaid_attribute(model: onnx.ModelProto) -> None:
    model.graph.node[0].attribute.append(helper.make_attribute("transB", 1))


def _long_name(model: onnx.ModelProto) -> None:
    model.graph.node[0].name = "a" * 5000


def _no_text(model: onnx.ModelProto) -> None:
    model.graph.node[0].name = "fc\0"


PARTS: dict[str, tuple[Callable[[onnx.ModelProto], None], str]] = {
    "undefined": (_type(0), "c0: its constant 'c0' is of type UNDEFINED; allowed: real numbers"),
    "unknown type": (_type(99), "c0: its constant 'c0' is of type 99; allowed: real numbers"),
    "another type": (
        _type(TensorProto.DOUBLE),
        "c0: its constant 'c0' of shape [3, 12] has 144 bytes; allowed: 288 bytes",
    ),
    "text": (_text, "c0: its constant 'c0' is of type STRING; allowed: real numbers"),
    "complex": (_complex, "c0: its constant 'c0' is of type COMPLEX64; allowed: real numbers"),
    "shape": (_dims(3, 11), "c0: its constant 'c0' of shape [3, 11] has 144 bytes; allowed: 132"),
    "negative": (_dims(-3, -12), "c0: its constant 'c0' has shape [-3, -12]; allowed: sizes from"),
    "large": (_dims(1 << 20, 1 << 20), "c0: its constant 'c0' has shape [1048576, 1048576]; all"),
    "data": (_shorter, "c0: its constant 'c0' of shape [3, 12] has 143 bytes; allowed: 144 bytes"),
    "twice": (_twice, "c0: is stored twice; allowed: once"),
    "input without type": (_without_type, "x: is of type UNDEFINED; allowed: real numbers"),
    "input of text": (_of_text, "x: is of type STRING; allowed: real numbers"),
    "input without name": (_nameless, "input: is of type STRING; allowed: real numbers"),
    "pixels": (_huge, "x: gives samples of shape (1, 100000, 100000); allowed: 1 to 16777216"),
    "written twice": (_writes_twice, "again: writes 'fc', which is there before it; allowed: a"),
    "no result": (_writes_nothing, "fc: the output does not depend on the input"),
    "attribute twice": (_unsaid_attribute, "fc: Gemm has attribute 'transB' twice; allowed: once"),
    "long name": (_long_name, f"MODEL: holds the name '{'a' * 40}'; allowed: up to 1000 printable"),
    "name that is no text": (_no_text, r"MODEL: holds the name 'fc\x00'; allowed: up to 1000"),
}


@pytest.mark.parametrize("name", PARTS)
def test_what_is_damaged_is_refused_by_its_name(name: str, tmp_path: Path) -> None:
    change, message = PARTS[name]
    model = dense(12).model()
    change(model)
    assert refused(saved(model, tmp_path)).startswith(message)


def test_a_name_in_no_encoding_is_refused(tmp_path: Path) -> None:
    model = dense(12).model()
    model.graph.node[0].name = "nnnn"
    path = tmp_path / "model.onnx"
    path.write_bytes(model.SerializeToString().replace(b"nnnn", b"n\xff\xfen"))
    assert refused(path).startswith(r"MODEL: holds the name b'n\xff\xfen'; allowed: up to 1000")


@pytest.mark.parametrize("kind", ["Softmax", "Identity"])
def test_a_cycle_behind_the_output_is_refused(kind: str, tmp_path: Path) -> None:
    graph = dense(12)
    graph.node(kind, "last", name="first")
    graph.node("Identity", name="last")
    assert refused(graph.save(tmp_path)).endswith("stands in a cycle: it needs its own result")


def test_a_cycle_before_the_output_is_refused(tmp_path: Path) -> None:
    graph = Graph("batch", 12)
    graph.node("Add", "x", "relu", name="add")
    graph.node("Relu", name="relu")
    assert refused(graph.save(tmp_path)) == "add: reads 'relu', which nothing before it writes"


def with_functions(depth: int, *, calls: int = 2) -> onnx.ModelProto:
    """Functions of functions, each of which calls the one before several times."""
    graph = Graph("batch", 12)
    graph.node(f"f{depth}", domain="local")
    model = graph.model()
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("local", 1)]
    model.opset_import.append(opsets[1])
    for level in range(depth + 1):
        kind, domain = (f"f{level - 1}", "local") if level else ("Neg", "")
        names = ["a", *(f"v{i}" for i in range(calls - 1)), "b"]
        nodes = [helper.make_node(kind, [s], [r], domain=domain) for s, r in pairwise(names)]
        made = helper.make_function("local", f"f{level}", ["a"], ["b"], nodes, opsets)
        model.functions.append(made)
    return model


def test_functions_are_written_out_as_far_as_the_limit_allows(tmp_path: Path) -> None:
    assert len(read_onnx(saved(with_functions(3), tmp_path))[0].nodes) == 17
    message = "MODEL: has 32769 nodes once its functions are written out; allowed: 32768"
    assert refused(saved(with_functions(60), tmp_path)) == message


def test_a_function_that_calls_itself_is_refused(tmp_path: Path) -> None:
    model = with_functions(2)
    model.functions[0].node[0].op_type = "f2"
    model.functions[0].node[0].domain = "local"
    assert refused(saved(model, tmp_path)).endswith("that calls itself")


def test_a_concatenation_that_doubles_and_doubles_is_refused(tmp_path: Path) -> None:
    graph = Graph("batch", 4, 4, 4)
    for index in range(26):
        graph.node("Concat", graph.last, graph.last, name=f"c{index}", axis=1)
    assert refused(graph.save(tmp_path)) == (
        "c18.c17: gives samples of shape (2097152, 4, 4); allowed: 1 to 16777216 values"
    )


def sums(count: int, size: int, kernel: int) -> Graph:
    """Each adds two convolutions of the one before: twice as many paths with every sum."""
    graph = Graph("batch", 2, size, size)
    for index in range(count):
        start = graph.last
        ends = []
        for _ in range(2):
            graph.last = start
            ends.append(graph.conv(2, 2, kernel, kernel, pads=[kernel // 2] * 4))
        graph.node("Add", *ends, name=f"sum{index}")
    graph.node("Flatten")
    graph.dense(3, 2 * size * size)
    return graph


@pytest.mark.parametrize("kernel", [1, 3])
def test_sums_of_sums_are_composed_once_and_not_for_each_path(kernel: int, tmp_path: Path) -> None:
    network = read_onnx(sums(16, 6, kernel).save(tmp_path))[0]
    found = compose_chains(network)
    x = np.random.default_rng(0).uniform(size=(3, 2, 6, 6))
    assert len(found.nodes) == 2
    expected = values(network, x)
    np.testing.assert_allclose(values(found, x), expected, rtol=1e-9)


def test_many_paths_that_are_no_one_projection_are_refused(tmp_path: Path) -> None:
    graph = sums(16, 300, 3)
    with pytest.raises(SnncError, match="are no single projection"):
        lower(read_onnx(graph.save(tmp_path))[0], CompileOptions())


def test_what_is_no_regular_file_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path, kind in ((tmp_path / "pipe", "a pipe"), (tmp_path, "a folder")):
        assert refused(path) == f"MODEL: it is {kind}; allowed: a regular file"
    assert refused(Path("/dev/zero")) == "MODEL: it is a device; allowed: a regular file"


def test_a_file_larger_than_the_limit_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    with path.open("wb") as file:
        file.truncate(1 << 40)  # takes no space
    assert refused(path) == f"MODEL: has {1 << 40} bytes; allowed: {(1 << 31) - 1}"


EXTERNAL: dict[str, tuple[dict[str, str], str]] = {
    "elsewhere": ({"location": "/dev/zero"}, "'/dev/zero' is not in the folder of the model"),
    "above": ({"location": "../w.bin"}, "'../w.bin' is not in the folder of the model"),
    "pipe": ({"location": "pipe"}, "there is no file 'pipe'"),
    "link": ({"location": "link"}, "'link' is not in the folder of the model"),
    "nothing": ({}, "'' is not in the folder of the model"),
    "no path": ({"location": "a\0b"}, ""),
    "key": ({"location": "w.bin", "basepath": "/"}, "it says 'basepath'; allowed: checksum, le"),
    "offset": ({"location": "w.bin", "offset": "-1"}, "its offset is '-1'; allowed: a whole"),
    "no offset": ({"location": "w.bin", "offset": "one"}, "its offset is 'one'; allowed: a whole"),
    "length": ({"location": "w.bin", "length": "9"}, "its length is 9; allowed: 144"),
    "end": ({"location": "w.bin", "offset": "9"}, "w.bin ends after 144 bytes"),
}


@pytest.mark.parametrize("name", EXTERNAL)
def test_data_beside_the_model_are_read_from_there_alone(name: str, tmp_path: Path) -> None:
    entries, message = EXTERNAL[name]
    (tmp_path / "w.bin").write_bytes(bytes(144))
    (tmp_path / "link").symlink_to("/dev/zero")
    os.mkfifo(tmp_path / "pipe")
    model = dense(12).model()
    weights(model).ClearField("raw_data")
    weights(model).data_location = TensorProto.EXTERNAL
    for key, value in entries.items():
        weights(model).external_data.add(key=key, value=value)
    found = refused(saved(model, tmp_path))
    if message:
        start = "MODEL: its weights lie in another file that cannot be read: 'c0', "
        assert found.startswith(start + message)


def test_one_large_file_is_not_read_for_each_of_many_constants(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("snnc.frontends.onnx.arrays.ALL_NUMBERS", 99)
    (tmp_path / "w.bin").write_bytes(bytes(144))
    model = dense(12).model()
    weights(model).ClearField("raw_data")
    weights(model).data_location = TensorProto.EXTERNAL
    weights(model).external_data.add(key="location", value="w.bin")
    for _ in range(2):
        model.graph.initializer.append(weights(model))
    what = "brings the external numbers of the model to 108; allowed: 99"
    assert refused(saved(model, tmp_path)) == f"MODEL: {what}"


def values(network: Network, x: Any) -> Any:
    return evaluate(network, x)[network.output.name]


def test_more_levels_than_a_state_can_tell_apart_are_refused(tmp_path: Path) -> None:
    graph = Graph("batch", 12)
    graph.dense(3, 12)
    graph.qcfs(10**30, name="act")
    graph.dense(3, 3)
    with pytest.raises(SnncError, match=r"has 1e\+30 levels; allowed: up to 16777216"):
        lower(read_onnx(graph.save(tmp_path))[0], CompileOptions())


def pooled(*, pads: int) -> Graph:
    """A mean over windows of four million pixels."""
    graph = Graph("batch", 1, 2000, 2000)
    graph.qcfs(3)
    graph.node("AveragePool", kernel_shape=[1999] * 2, pads=[pads] * 4, name="pool")
    graph.node("GlobalAveragePool")
    graph.node("Flatten")
    graph.dense(3, 1)
    return graph


@pytest.mark.parametrize("pads", [0, 1998])
def test_windows_of_too_many_taps_are_no_projection(pads: int, tmp_path: Path) -> None:
    graph = pooled(pads=pads)
    with pytest.raises(SnncError, match="taps; allowed: 262144"):
        lower(read_onnx(graph.save(tmp_path))[0], CompileOptions())


def test_dilations_that_do_not_agree_become_no_huge_kernel(tmp_path: Path) -> None:
    graph = Graph("batch", 1, 3000, 3000)
    graph.conv(1, 1, 2, 2, dilations=[2900, 2900])
    graph.conv(1, 1, 2, 2, dilations=[97, 97])
    graph.node("GlobalAveragePool")
    graph.node("Flatten")
    graph.dense(3, 1)
    lower(read_onnx(graph.save(tmp_path))[0], CompileOptions())


def test_a_constant_that_is_random_is_refused_and_never_drawn(tmp_path: Path) -> None:
    graph = Graph("batch", 12)
    graph.node("Add", "x", graph.node("RandomNormal", shape=[12], name="noise"))
    model = graph.model()
    model.graph.node[0].ClearField("input")
    assert refused(saved(model, tmp_path)) == "noise: RandomNormal is not supported"


@pytest.mark.parametrize("shape", [(1, 4, 1, 4), (1, 1, 4, 1), (4,)])
def test_what_is_added_to_columns_or_rows_is_a_bias_of_every_neuron(
    shape: tuple[int, ...], tmp_path: Path
) -> None:
    graph = Graph("batch", 2, 4, 4)
    graph.conv(4, 2, 1, 1)
    graph.with_constants("Add", graph.rng.normal(size=shape))
    graph.qcfs(7)
    graph.node("Flatten")
    graph.dense(3, 64)
    network = lower(read_onnx(graph.save(tmp_path))[0], CompileOptions())
    assert network.populations[0].bias.shape == (4, 4, 4)
