"""Neuron programs: what a neuron does in each time step, as transfers between registers.

A program is a text, and the text is what an interpreter runs: docs/neuron-programs.md.
"""

from snnc.compiler.programs.interpreter import ProgramNeurons
from snnc.compiler.programs.laws import LAWS, program_of, programs_of
from snnc.compiler.programs.program import Block, Constant, Program, State

__all__ = [
    "LAWS",
    "Block",
    "Constant",
    "Program",
    "ProgramNeurons",
    "State",
    "program_of",
    "programs_of",
]
