from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.spiking_networks import (
    CODES,
    behind_a_relay,
    chain,
    chain_of,
    copies_of_a_plane,
    networks_of,
    random_network,
)

from snnc.backends.netx import schema
from snnc.backends.netx.arrays import MEND
from snnc.backends.netx.laws import NEVER
from snnc.backends.netx.reader import read
from snnc.backends.netx.writer import write
from snnc.compiler.errors import SnncError
from snnc.compiler.laws import Copies, Graded, OffsetSpike, Rate
from snnc.compiler.mapping.mapper import placed
from snnc.compiler.spiking import (
    Dense,
    Population,
    Projection,
    SpikingNetwork,
)

shared_folder = settings(
    max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def written(network: SpikingNetwork, folder: Path) -> Path:
    write(network, folder / "net.h5")
    return folder / "net.h5"


def arrays(population: Population) -> list[Any]:
    weights = [each.connection.weights for each in population.projections]
    return [*weights, population.bias, *map(np.asarray, vars(population.neuron).values())]


def refused(path: Path) -> str:
    with pytest.raises(SnncError) as caught:
        read(path)
    return str(caught.value)


@given(network=networks_of() | networks_of().map(placed))
@shared_folder
def test_what_is_written_is_read(tmp_path: Path, network: SpikingNetwork) -> None:
    again = read(written(network, tmp_path))
    assert str(again) == str(network)
    assert again.placement == network.placement
    assert type(again.input) is type(network.input)
    assert vars(again.input) == vars(network.input)
    for field in ("schedule", "target", "code", "provenance"):
        assert getattr(again, field) == getattr(network, field)
    for one, two in zip(again, network, strict=True):
        assert type(one.neuron) is type(two.neuron)
        assert one.is_relay is two.is_relay
        for found, expected in zip(arrays(one), arrays(two), strict=True):
            np.testing.assert_array_equal(found, expected)
            assert (found.dtype, found.shape) == (expected.dtype, expected.shape)


@pytest.mark.parametrize("code", CODES)
def test_the_same_network_gives_the_same_bytes(tmp_path: Path, code: str) -> None:
    first = written(random_network(0, code), tmp_path).read_bytes()
    assert written(random_network(0, code), tmp_path).read_bytes() == first


def test_the_input_range_may_be_whole_numbers(tmp_path: Path) -> None:
    network = replace(chain(), input=replace(chain().input, low=0, step=1))
    assert read(written(network, tmp_path)).input.high == 255


@pytest.mark.parametrize("last", [False, True])
def test_images_are_given_as_the_model_has_them(tmp_path: Path, last: bool) -> None:
    network = random_network(0)
    network = replace(network, input=replace(network.input, channels_last=last))
    path = written(network, tmp_path)
    with h5py.File(path) as file:
        assert file.attrs.get(schema.INPUT_CHANNELS_LAST) == (1 if last else None)
    assert read(path).input.image_shape == network.input.image_shape


def test_a_stock_read_out_never_fires(tmp_path: Path) -> None:
    path = written(copies_of_a_plane(), tmp_path)
    with h5py.File(path, "r+") as file:
        *_, last = (file[f"layer/{n}"] for n in range(len(file["layer"])))
        key = f"neuron/{schema.THRESHOLD}"
        assert last[key][()].tolist() == [NEVER]
        last[key][...] = NEVER - 1
    assert f"the read-out fires; allowed: {NEVER}" in refused(path)


@pytest.mark.parametrize(("channels", "said"), [(1, "(1,)"), (2, "(2,)")])
def test_a_read_out_of_changes_has_a_unit_for_each_neuron(
    tmp_path: Path, channels: int, said: str
) -> None:
    network = random_network(0, "delta")
    assert network.readout.shape[0] == 3
    path = written(network, tmp_path)
    with h5py.File(path, "r+") as file:
        *_, last = (file[f"layer/{n}"] for n in range(len(file["layer"])))
        del last[f"neuron/{schema.UNIT}"]
        last[f"neuron/{schema.UNIT}"] = np.ones(channels)
    assert said in refused(path)


def test_axes_and_keys_are_those_of_netx(tmp_path: Path) -> None:
    network = random_network(3)
    with h5py.File(written(network, tmp_path)) as file:
        first = file["layer/1"]
        convolution = network.populations[0].projections[0].connection
        np.testing.assert_array_equal(first["weight"], convolution.weights)
        assert first["weight"].dtype == np.int16
        assert tuple(first["shape"]) == network.populations[0].shape
        assert first["type"][()] == b"conv"
        assert first["neuron/type"][()] == b"CUBA_ATF"


@pytest.mark.parametrize(("pads", "stored"), [((1, 2, 1, 2), (1, 2)), ((1, 2, 1, 1), (1, 2, 1, 1))])
def test_even_pads_are_two_numbers(
    tmp_path: Path, pads: tuple[int, int, int, int], stored: tuple[int, ...]
) -> None:
    conv = next(
        each
        for each in map(random_network, range(1000))
        if each.populations[0].projections[0].connection.pads == pads  # type: ignore[union-attr]
    )
    with h5py.File(written(conv, tmp_path)) as file:
        assert tuple(file["layer/1/padding"]) == stored


def test_an_illegal_network_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(SnncError, match="fc: threshold reaches"):
        written(chain(step=2**22), tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_failure_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(chain(), tmp_path)
    before = path.read_bytes()
    monkeypatch.setattr(schema, "MAX_NUMBERS", 1)
    with pytest.raises(SnncError) as caught:
        write(chain(weight=4), path)
    what = "layer/1: weight has 2 numbers; allowed: 1"
    assert str(caught.value) == f"{what}\n  help: use a smaller layer"
    assert [each.read_bytes() for each in tmp_path.iterdir()] == [before]


def test_a_folder_that_is_missing_is_said(tmp_path: Path) -> None:
    with pytest.raises(SnncError) as caught:
        write(chain(), tmp_path / "no" / "net.h5")
    assert str(caught.value) == (
        f"{tmp_path}/no/net.h5: cannot be written: No such file or directory\n"
        "  help: choose another `output`"
    )


def test_a_missing_file(tmp_path: Path) -> None:
    path = tmp_path / "net.h5"
    assert refused(path) == f"{path}: the file does not exist\n  help: run snnc compile first"


def test_another_kind_of_file(tmp_path: Path) -> None:
    path = tmp_path / "net.h5"
    path.write_text("text")
    assert refused(path).startswith(f"{path}: cannot be read as HDF5 (")
    assert refused(path).endswith(f")\n  help: {MEND}")


def test_a_file_that_snnc_did_not_write(tmp_path: Path) -> None:
    path = tmp_path / "net.h5"
    h5py.File(path, "w").close()
    what = "schemaVersion: it is missing"
    assert refused(path) == f"{path} {what}\n  help: {MEND}"


def test_another_version(tmp_path: Path) -> None:
    path = written(chain(), tmp_path)
    with h5py.File(path, "r+") as file:
        file.attrs["schemaVersion"] = 99
    mend = "compile the model again with this snnc"
    assert refused(path) == f"{path}: schema version 99; allowed: 3\n  help: {mend}"


Tamper = Callable[[h5py.File], None]


def put(key: str, value: Any) -> Tamper:
    def tamper(file: h5py.File) -> None:
        if key in file:
            del file[key]
        file[key] = value

    return tamper


def put_attribute(key: str, value: Any) -> Tamper:
    return lambda file: file.attrs.__setitem__(key, value)


def remove(key: str) -> Tamper:
    return lambda file: file.__delitem__(key)


def declare(key: str, shape: tuple[int, ...]) -> Tamper:
    def tamper(file: h5py.File) -> None:
        del file[key]
        file.create_dataset(key, shape=shape, dtype="i2", chunks=tuple(min(n, 8) for n in shape))

    return tamper


FAULTS: dict[str, tuple[Tamper, str]] = {
    "no weight": (remove("layer/1/weight"), "layer/1/weight: it is missing"),
    "no layers": (remove("layer"), "layer: it is missing"),
    "no layer 1": (remove("layer/1"), "layer/1: it is missing"),
    "no neuron": (remove("layer/1/neuron"), "layer/1/neuron: it is missing"),
    "an array for a group": (put("layer/1/neuron", 1), "layer/1/neuron: it is missing"),
    "real weights": (
        put("layer/1/weight", np.ones((1, 2))),
        "layer/1/weight: it holds float64; allowed: signed whole numbers",
    ),
    "weights of another shape": (
        put("layer/1/weight", np.ones((1, 3), int)),
        "layer/1/weight: shape (1, 3); allowed: (1, 2)",
    ),
    "steps of another shape": (
        put("layer/1/neuron/vThMant", np.ones(2, int)),
        "layer/1/neuron/vThMant: shape (2,); allowed: (1,)",
    ),
    "terabytes": (
        lambda file: [
            put("layer/0/shape", np.array([2**27]))(file),
            put("layer/1/shape", np.array([2**27]))(file),
            declare("layer/1/weight", (2**27, 2**27))(file),
            declare("layer/1/bias", (2**27,))(file),
            declare("layer/1/neuron/vThMant", (2**27,))(file),
        ][0],
        f"layer/1/weight: it declares {2**54} numbers; allowed: {2**28}",
    ),
    "no neurons": (
        put("layer/1/shape", np.array([0])),
        f"layer/1/shape: shape (0,); allowed: 1..{2**26} neurons",
    ),
    "type of layer": (
        put("layer/1/type", np.bytes_("pool")),
        "layer/1/type: found 'pool'; allowed: flatten, conv, dense",
    ),
    "type of neuron": (
        put("layer/1/neuron/type", np.bytes_("SDNN")),
        "layer/1/neuron/type: found 'SDNN'; allowed: CUBA, CUBA_ATF, CUBA_ATF_GRADED, "
        "CUBA_CURRENT, CUBA_SOFT, CUBA_SOFT_OFFSET, CUBA_COPIES, CUBA_DELTA, CUBA_DELTA_OUT, "
        "CUBA_ATF_OUT",
    ),
    "source": (
        put("layer/1/source", np.array([1])),
        "layer/1/source: layer 1; allowed: 0..0",
    ),
    "leak": (
        put("layer/1/neuron/vDecay", 1),
        "layer/1/neuron/vDecay: the neuron decays by 1; allowed: 0",
    ),
    "time steps": (
        put("layer/1/neuron/timeSteps", 2),
        "layer/1/neuron/timeSteps: 2 for 7 levels; allowed: 3..67",
    ),
    "target": (
        put_attribute("target", np.bytes_("x")),
        "target: found 'x'; allowed: loihi2, loihi1, loihi",
    ),
    "low": (
        put_attribute("inputLow", "x"),
        "inputLow: it holds object; allowed: real numbers",
    ),
    "mean": (
        put_attribute("inputMean", np.array([1])),
        "inputMean: it holds int64; allowed: real numbers",
    ),
    "levels of the input": (
        put_attribute("inputLevels", np.array([1, 2])),
        "inputLevels: shape (2,); allowed: ()",
    ),
    "a rule": (
        put("layer/1/neuron/vThMant", np.array([2**22])),
        "fc: threshold reaches 33554431; allowed: up to 8388607",
    ),
    "an infinite unit": (
        put("layer/2/neuron/unit", np.array([np.inf])),
        "out: a unit is not finite and above 0",
    ),
}


@pytest.mark.parametrize(("tamper", "expected"), FAULTS.values(), ids=FAULTS)
def test_fault(tmp_path: Path, tamper: Tamper, expected: str) -> None:
    path = written(chain(), tmp_path)
    with h5py.File(path, "r+") as file:
        tamper(file)
    assert refused(path).startswith(f"{path} {expected}\n  help: ")


ONE = np.array([1])
RATE = chain_of(Rate(700 * ONE, 350 * ONE, 5))
OFFSET = chain_of(OffsetSpike(700 * ONE, 350 * ONE, 5, 4))
RELAYED = behind_a_relay(Rate(700 * ONE, 350 * ONE, 5))
COPIES = chain_of(Copies(np.array([[9], [99], [999]])))


def as_graded(file: h5py.File) -> None:
    for key in ("iDecay", "vDecay"):
        put(f"layer/1/neuron/{key}", 0)(file)
    put("layer/1/neuron/type", np.bytes_("CUBA_ATF_GRADED"))(file)
    put("layer/1/neuron/levels", 1)(file)
    del file["layer/1/neuron/copies"]


def as_current(file: h5py.File) -> None:
    put("layer/1/neuron/type", np.bytes_("CUBA_CURRENT"))(file)
    put("layer/1/neuron/timeSteps", 3)(file)
    put("layer/1/neuron/delay", 0)(file)


def two_layers() -> SpikingNetwork:
    """Of stock neurons: one copy before three."""
    fc, out = COPIES.populations
    first = replace(fc, name="first", neuron=Copies(np.array([[5]])))
    one = Projection("first", Dense(np.array([[100]])))
    return COPIES.replaced((first, replace(fc, projections=(one,)), out))


FAULTS_OF_CODES: dict[str, tuple[SpikingNetwork, Tamper, str]] = {
    "weights of copies": (
        COPIES,
        put("layer/1/weight", np.array([[3, 3], [3, 3], [3, 4]])),
        "layer/1/weight: the copies of a neuron differ; allowed: one set",
    ),
    "weights from copies": (
        COPIES,
        put("layer/2/weight", np.array([[1, 1, 2]])),
        "layer/2/weight: the copies of a neuron differ; allowed: one set",
    ),
    "biases of copies": (
        COPIES,
        put("layer/1/bias", np.array([0, 1, 0])),
        "layer/1/bias: the copies of a neuron differ; allowed: one value",
    ),
    "copies": (
        COPIES,
        put("layer/1/neuron/copies", 2),
        "layer/1/neuron/copies: 2; allowed: what divides 3 channels",
    ),
    "no copies": (
        COPIES,
        put("layer/1/neuron/copies", 0),
        "layer/1/neuron/copies: 0; allowed: what divides 3 channels",
    ),
    "falling thresholds": (
        COPIES,
        put("layer/1/neuron/vThMant", np.array([9, 999, 99])),
        "fc: thresholds of its copies fall",
    ),
    "a stock neuron that remembers": (
        COPIES,
        put("layer/1/neuron/vDecay", 0),
        "layer/1/neuron/vDecay: the neuron decays by 0; allowed: 4096",
    ),
    "a stock neuron whose current stays": (
        COPIES,
        put("layer/2/neuron/iDecay", 4095),
        "layer/2/neuron/iDecay: the neuron decays by 4095; allowed: 4096",
    ),
    "a rate neuron that forgets": (
        RATE,
        put("layer/1/neuron/vDecay", 4096),
        "layer/1/neuron/vDecay: the neuron decays by 4096; allowed: 0",
    ),
    "rho": (
        OFFSET,
        put("layer/1/neuron/rho", 0),
        "layer/1/neuron/rho: 0; allowed: 1..4096",
    ),
    "iterations": (
        OFFSET,
        put("layer/1/neuron/iterations", 4097),
        "layer/1/neuron/iterations: 4097; allowed: 1..4096",
    ),
    "light": (
        OFFSET,
        put("layer/1/neuron/light", 2),
        "layer/1/neuron/light: 2; allowed: 0..1",
    ),
    "mixed neurons": (
        two_layers(),
        as_graded,
        "first: it is no stock neuron, and others are; allowed: one kind",
    ),
    "copies of another neuron": (
        chain(),
        put("layer/1/neuron/copies", 1),
        "layer/1/neuron/type: found 'CUBA_ATF'; allowed: CUBA, CUBA_COPIES",
    ),
    "no time steps": (
        RATE,
        put("layer/1/neuron/timeSteps", 0),
        "layer/1/neuron/timeSteps: 0; allowed: 1..4096",
    ),
    "other time steps": (
        RATE,
        put("layer/1/neuron/timeSteps", 6),
        "fc, out, x, fc: time steps differ: 5, 6; allowed: one number",
    ),
    "repeats of the input": (
        RATE,
        put_attribute("inputRepeats", -1),
        "inputRepeats: -1; allowed: 1..4096",
    ),
    "other repeats of the input": (
        RATE,
        put_attribute("inputRepeats", 4),
        "x, fc: time steps differ: 4, 5; allowed: one number",
    ),
    "a current of bits": (
        RATE,
        put_attribute("inputCode", np.bytes_("bits")),
        "fc: x sends 'bits'; allowed: 'spikes'",
    ),
    "time steps of a current": (
        RELAYED,
        put("layer/1/neuron/timeSteps", -1),
        "layer/1/neuron/timeSteps: -1; allowed: 1..4096",
    ),
    "delay": (
        RELAYED,
        put("layer/1/neuron/delay", -1),
        "layer/1/neuron/delay: -1; allowed: 0..4096",
    ),
    "relay": (
        RELAYED,
        put("layer/1/relay", 2),
        "layer/1/relay: 2; allowed: 0..1",
    ),
    "a payload for a current": (
        chain_of(Graded(5 * ONE, 7)),
        as_current,
        "fc: x sends 'once'; allowed: 'spikes'",
    ),
    "start": (
        RATE,
        put("layer/1/neuron/vInit", np.array([700])),
        "fc: initial potential 700..700; allowed: from 0 to below the threshold",
    ),
    "spikes taken for bits": (
        RATE,
        put("layer/2/neuron/listens", 0),
        "out: fc sends 'spikes'; allowed: 'bits', 'once'",
    ),
    "listens": (
        RATE,
        put("layer/2/neuron/listens", -1),
        "layer/2/neuron/listens: -1; allowed: 0..4096",
    ),
    "target": (
        RATE,
        put_attribute("target", np.bytes_("loihi1")),
        "x: 'graded' on loihi1, which has no graded spikes; allowed: 'bits'",
    ),
}


@pytest.mark.parametrize(
    ("network", "tamper", "expected"), FAULTS_OF_CODES.values(), ids=FAULTS_OF_CODES
)
def test_fault_of_a_code(
    tmp_path: Path, network: SpikingNetwork, tamper: Tamper, expected: str
) -> None:
    path = written(network, tmp_path)
    with h5py.File(path, "r+") as file:
        tamper(file)
    message = refused(path)
    assert f"{path} {expected}\n  help: " in message


def test_a_dense_layer_needs_a_flat_source(tmp_path: Path) -> None:
    path = written(random_network(0), tmp_path)
    with h5py.File(path, "r+") as file:
        last = len(file["layer"]) - 1
        put(f"layer/{last}/source", np.array([last - 2]))(file)
    where = f"{path} layer/{last}/source"
    assert refused(path).startswith(f"{where}: a dense layer listens to (4, ")


def test_every_layer_with_a_fault_is_named(tmp_path: Path) -> None:
    path = written(chain(), tmp_path)
    with h5py.File(path, "r+") as file:
        del file["layer/1/bias"], file["layer/2/bias"]
    where = ", ".join(f"{path} layer/{index}/bias" for index in (1, 2))
    assert refused(path) == f"{where}: it is missing\n  help: {MEND}"


@given(data=st.data())
@settings(shared_folder, max_examples=60, derandomize=True)
def test_a_damaged_file_is_read_or_refused(tmp_path: Path, data: st.DataObject) -> None:
    whole = bytearray(written(chain(), tmp_path).read_bytes())
    for _ in range(data.draw(st.integers(1, 8))):
        whole[data.draw(st.integers(0, len(whole) - 1))] ^= data.draw(st.integers(1, 255))
    path = tmp_path / "damaged.h5"
    path.write_bytes(whole[: data.draw(st.sampled_from([len(whole), len(whole) // 2, 100]))])
    with suppress(SnncError):
        assert isinstance(read(path), SpikingNetwork)


@pytest.mark.lava
@pytest.mark.parametrize("seed", range(3))
def test_stock_netx_refuses_the_neurons(tmp_path: Path, seed: int) -> None:
    from lava.lib.dl.netx import hdf5

    path = written(random_network(seed), tmp_path)
    with pytest.raises((TypeError, AttributeError)):
        hdf5.Network(str(path))


@pytest.mark.lava
def test_stock_netx_reads_the_layers_of_a_chain(tmp_path: Path) -> None:
    from lava.lib.dl.netx import hdf5

    path = written(replace(chain(), schedule="sequential"), tmp_path)
    with h5py.File(path, "r+") as file:
        for index in (1, 2):
            put(f"layer/{index}/neuron/type", np.bytes_("CUBA"))(file)
            put(f"layer/{index}/neuron/vThMant", np.array([5]))(file)
    network = hdf5.Network(str(path))
    assert [each.shape for each in network.layers] == [(1,), (1,)]
    weights = network.layers[0].synapse.weights.get() >> 6
    assert weights.tolist() == [[3, 3]]
