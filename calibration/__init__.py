"""What sample images teach a compilation: levels for plain activations, and how to round weights.

A compile-time room above the engines: it hands the pipeline its `CalibrationHooks`, and keeps what
it found for the report. Only the verbs know of it.
"""
