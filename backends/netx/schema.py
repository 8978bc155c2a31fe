"""The netx file: the one place that knows its keys, its numbers' types and its axis orders.

    /                     attributes schemaVersion, snncVersion, code, target, schedule,
                          sourceSha256, inputLevels, inputLow, inputStep, inputCode, inputMean,
                          inputStd
    /labels, /remarks     (n,) UTF-8 text; absent where there is none
    /layer/<i>            attribute name; i counts from 0, every source before its consumers
        type              input | flatten | conv | dense
        shape             (channels, height, width) or (neurons,)
        source            (1,) the index of the layer that sends; not on the input
        weight            conv (out, in / groups, height, width), dense (neurons, source neurons)
        wgtExp            () the neuron receives weight · 2^wgtExp
        stride, dilation  conv: (2,) rows, columns
        padding           conv: (2,) rows, columns; where uneven (4,) top, left, bottom, right
        groups            conv: (), with inChannels, outChannels and kernelSize for the reader's eye
        bias              (channels,) or shape: B in membrane units, added once for each image
        neuron/type       CUBA_ATF: accumulates, then fires its level bit by bit
                          CUBA_ATF_OUT: shows its potential once
        neuron/vThMant    CUBA_ATF: (channels,) Δ; the first threshold is Δ · 2^(timeSteps − 1)
        neuron/levels     CUBA_ATF: () N, the highest level
        neuron/timeSteps  CUBA_ATF: () fire steps
        neuron/iDecay, neuron/vDecay   () 0: neither u nor v leaks
        neuron/unit       CUBA_ATF_OUT: (channels,) the real value of one unit of v
        projection/<k>    the second and further sources: type, source, weight, wgtExp and geometry

Keys that stock netx knows mean there what they mean here: an axis order is (C, H, W) and (Y, X), a
convolution is a cross-correlation. A dense layer that listens to a (C, H, W) source does so through
a flatten layer of its own, whose one source is that layer. Stock netx refuses both neuron types.
"""

from __future__ import annotations

import numpy as np

VERSION = 1

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
LABELS = "labels"
REMARKS = "remarks"

LAYER = "layer"
NAME = "name"
TYPE = "type"
SHAPE = "shape"
SOURCE = "source"
WEIGHT = "weight"
WEIGHT_EXPONENT = "wgtExp"
STRIDE = "stride"
DILATION = "dilation"
PADDING = "padding"
GROUPS = "groups"
IN_CHANNELS = "inChannels"
OUT_CHANNELS = "outChannels"
KERNEL_SIZE = "kernelSize"
BIAS = "bias"
PROJECTION = "projection"

NEURON = "neuron"
STEP = "vThMant"
LEVELS = "levels"
TIME_STEPS = "timeSteps"
CURRENT_DECAY = "iDecay"
POTENTIAL_DECAY = "vDecay"
UNIT = "unit"

INPUT = "input"
FLATTEN = "flatten"
CONVOLUTION = "conv"
DENSE = "dense"
FIRING = "CUBA_ATF"
READOUT = "CUBA_ATF_OUT"

WEIGHT_TYPE = np.int16
"""Holds every legal weight, −256 … 255."""
STATE_TYPE = np.int32
"""Holds every 24-bit state."""
COUNT_TYPE = np.int64
"""Shapes, indices and geometry, as stock netx writes them."""

MAX_NUMBERS = 1 << 28
"""An array with more numbers is a fault of the file: nothing is allocated for it."""
