"""The netx file: the one place that knows its keys and its numbers' types.

docs/file-format.md says what they mean. The names of the laws stand in laws.py.
"""

from __future__ import annotations

import numpy as np

from snnc.compiler.limits import MOST_NUMBERS

VERSION = 3

SCHEMA_VERSION = "schemaVersion"
SNNC_VERSION = "snncVersion"
CODE = "code"
TARGET = "target"
SCHEDULE = "schedule"
SOURCE_SHA256 = "sourceSha256"
INPUT_LEVELS = "inputLevels"
INPUT_LOW = "inputLow"
INPUT_STEP = "inputStep"
INPUT_CODE = "inputCode"
INPUT_MEAN = "inputMean"
INPUT_STD = "inputStd"
INPUT_REPEATS = "inputRepeats"
INPUT_PLANES = "inputPlanes"
INPUT_CHANNELS_LAST = "inputChannelsLast"
LABELS = "labels"
REMARKS = "remarks"

LAYER = "layer"
NAME = "name"
TYPE = "type"
SHAPE = "shape"
SOURCE = "source"
WEIGHT = "weight"
WEIGHT_EXPONENT = "wgtExp"
WEIGHT_ERROR = "wgtError"
STRIDE = "stride"
DILATION = "dilation"
PADDING = "padding"
GROUPS = "groups"
IN_CHANNELS = "inChannels"
OUT_CHANNELS = "outChannels"
KERNEL_SIZE = "kernelSize"
BIAS = "bias"
RELAY = "relay"
PROJECTION = "projection"

NEURON = "neuron"
THRESHOLD = "vThMant"
LEVELS = "levels"
TIME_STEPS = "timeSteps"
CURRENT_DECAY = "iDecay"
POTENTIAL_DECAY = "vDecay"
UNIT = "unit"
INITIAL = "vInit"
DELAY = "delay"
RHO = "rho"
ITERATIONS = "iterations"
LIGHT = "light"
COPIES = "copies"
LISTENS = "listens"

MAPPING = "mapping"
CUTS = "cuts"
CHIPS = "chips"
STATE_WORDS = "stateWords"

INPUT = "input"
FLATTEN = "flatten"
CONVOLUTION = "conv"
DENSE = "dense"
STOCK = "CUBA"
FORGETS, KEEPS = 4096, 0
"""Decays of neurons that remember nothing, and of those that lose nothing."""

WEIGHT_TYPE = np.int16
"""Holds every legal weight, −256 … 255."""
STATE_TYPE = np.int32
"""Holds every 24-bit state."""
COUNT_TYPE = np.int64
"""Shapes, indices and geometry, as stock netx writes them."""

MAX_NUMBERS = MOST_NUMBERS
"""Arrays with more numbers are a fault of the file: nothing is allocated for them."""
