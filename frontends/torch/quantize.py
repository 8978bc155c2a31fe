"""From a trained ReLU network to one that can be fine-tuned for conversion."""

from __future__ import annotations

from copy import deepcopy
from itertools import takewhile
from math import ceil

import torch
from torch import Tensor, fx, nn
from torch.nn import functional

from snnc.compiler.errors import refusal
from snnc.frontends.torch.evaluation import evaluating
from snnc.frontends.torch.qcfs import QCFS

PERCENTILE = 0.999
_FUNCTIONS = (torch.relu, torch.relu_, functional.relu, functional.relu_, functional.relu6)
_METHODS = ("relu", "relu_")
_IN_PLACE = (torch.relu_, functional.relu_, "relu_")


def quantize_activations(
    model: nn.Module, levels: int, samples: Tensor | None = None
) -> fx.GraphModule:
    """Copy a model with a QCFS of its own in every place where a ReLU or ReLU6 is computed.

    Layers and plain calls alike are found, by tracing the forward pass; a ReLU layer that is used
    in several places becomes several QCFS. Weights keep their names, the model its mode.

    Args:
        model: is left as it is.
        levels: the highest level of every QCFS.
        samples: (N, …) as the model takes them; each threshold then starts at the 99.9th
            percentile of what is positive in its input. Without samples it starts at 4.

    Raises:
        SnncError: for a forward pass that cannot be traced, that would be another one in training
            than in evaluation, or that computes no ReLU.
    """
    quantized = _traced(deepcopy(model))
    relus = [node for node in quantized.graph.nodes if _is_relu(node, quantized)]
    if not relus:
        raise refusal(
            type(model).__name__,
            "its forward pass computes no ReLU and no ReLU6",
            "put snnc.frontends.torch.QCFS where its activations are",
        )
    layers = [_replace(node, quantized, QCFS(levels)) for node in relus]
    quantized.recompile()
    quantized.delete_all_unused_submodules()
    if samples is not None:
        _calibrate(quantized, layers, samples)
    return quantized


class _Tracer(fx.Tracer):
    """Sees a QCFS that the model has already as one piece."""

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        return isinstance(m, QCFS) or super().is_leaf_module(m, module_qualified_name)


def _traced(model: nn.Module) -> fx.GraphModule:
    name = type(model).__name__
    try:
        graphs = [_Tracer().trace(deepcopy(model).train(mode)) for mode in (True, False)]
    except Exception as error:  # the model's own code runs on stand-ins here: anything may fail
        what = f"its forward pass cannot be traced: {error}"
        mend = "put snnc.frontends.torch.QCFS in place of its ReLUs by hand"
        raise refusal(name, what, mend) from error
    if str(graphs[0]) != str(graphs[1]):
        what = "its forward pass depends on self.training, which a trace cannot keep"
        raise refusal(name, what, "use layers such as nn.Dropout in place of plain calls")
    for node in graphs[0].nodes:
        node.type = None  # an annotation kept as a string could not be pickled
    traced: fx.GraphModule = fx.GraphModule(model, graphs[0], name)
    return traced


def _is_relu(node: fx.Node, model: fx.GraphModule) -> bool:
    if node.op == "call_module":
        return isinstance(model.get_submodule(str(node.target)), (nn.ReLU, nn.ReLU6))
    return node.target in {"call_function": _FUNCTIONS, "call_method": _METHODS}.get(node.op, ())


def _is_in_place(node: fx.Node, model: fx.GraphModule) -> bool:
    if node.op == "call_module":
        return bool(model.get_submodule(str(node.target)).inplace)
    return node.target in _IN_PLACE or bool(node.kwargs.get("inplace"))


def _replace(relu: fx.Node, model: fx.GraphModule, layer: QCFS) -> QCFS:
    """Put the layer where the ReLU is.

    A ReLU in place changes its input too: whoever reads that input later must read the layer.
    """
    (source,) = relu.all_input_nodes
    earlier = set(takewhile(lambda node: node is not relu, relu.graph.nodes))
    target = f"{relu.name}_qcfs"
    model.add_submodule(target, layer.train(model.training))
    layer.to(next(model.parameters()))
    with relu.graph.inserting_after(relu):
        staircase = relu.graph.call_module(target, (source,))
    relu.replace_all_uses_with(staircase)
    if _is_in_place(relu, model):
        source.replace_all_uses_with(staircase, lambda user: user not in {*earlier, staircase})
    relu.graph.erase_node(relu)
    return layer


def _calibrate(model: nn.Module, layers: list[QCFS], samples: Tensor) -> None:
    """Fit the thresholds in the order of computation, each to what the ones before it let pass."""
    hooks = [layer.register_forward_pre_hook(_fit_threshold) for layer in layers]
    try:
        with evaluating(model):
            model(samples)
    finally:
        for hook in hooks:
            hook.remove()


def _fit_threshold(layer: QCFS, inputs: tuple[Tensor, ...]) -> None:
    positive = inputs[0][inputs[0] > 0]
    if len(positive):
        layer.threshold.fill_(positive.kthvalue(ceil(PERCENTILE * len(positive))).values)
