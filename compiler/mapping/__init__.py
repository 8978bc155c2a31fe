"""Which neuron core holds what: layers are cut into slices, and slices placed on chips."""
