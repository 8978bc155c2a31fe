"""Training for conversion: everything here needs PyTorch (the extra `train`)."""

from snnc.frontends.torch.export import export_onnx
from snnc.frontends.torch.qcfs import QCFS
from snnc.frontends.torch.quantize import quantize_activations
from snnc.frontends.torch.regularizer import bit_l1, spikes_per_image

__all__ = ["QCFS", "bit_l1", "export_onnx", "quantize_activations", "spikes_per_image"]
