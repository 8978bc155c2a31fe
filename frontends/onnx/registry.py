"""One reader for each ONNX operator, found by its type."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from snnc.frontends.onnx.values import Call

Reader: TypeAlias = Callable[[Call], str]
READERS: dict[str, Reader] = {}


def reads(*kinds: str) -> Callable[[Reader], Reader]:
    """Register a reader: it adds nodes to the network and gives the name of the last."""

    def register(reader: Reader) -> Reader:
        for kind in kinds:
            assert kind not in READERS, f"{kind} has two readers"
            READERS[kind] = reader
        return reader

    return register


MENDS = {
    "MaxPool": "use an average pool or a strided convolution",
    "GlobalMaxPool": "use a global average pool",
    "LeakyRelu": "use ReLU before quantising: spikes carry no negative slope",
    "PRelu": "use ReLU before quantising: spikes carry no negative slope",
    "Sigmoid": "use a quantised ReLU (snnc.frontends.torch.QCFS)",
    "HardSigmoid": "use a quantised ReLU (snnc.frontends.torch.QCFS)",
    "HardSwish": "use a quantised ReLU (snnc.frontends.torch.QCFS)",
    "Tanh": "use a quantised ReLU (snnc.frontends.torch.QCFS)",
    "Gelu": "use a quantised ReLU (snnc.frontends.torch.QCFS)",
    "Erf": "use a quantised ReLU (snnc.frontends.torch.QCFS)",
    "Elu": "use a quantised ReLU (snnc.frontends.torch.QCFS)",
    "LayerNormalization": "use batch norm, which is constant after training",
    "InstanceNormalization": "use batch norm, which is constant after training",
    "GroupNormalization": "use batch norm, which is constant after training",
    "Softmax": "keep it for the end of the model, where it is dropped",
}


def mend_for(kind: str) -> str:
    """What to do about an operator that has no reader."""
    return MENDS.get(kind, f"rewrite it with one of: {', '.join(sorted(READERS))}")
