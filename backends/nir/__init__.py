"""The spiking IR as a NIR graph, where that is exact: docs/nir.md."""
