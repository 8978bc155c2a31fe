"""Lava Processes and their models alone: Lava's compiler imports every module in this folder."""
