"""The compiled network in Lava-DL's own terms: slayer's blocks, synapses, neurons."""
