"""Where work is done: in this process, or in processes of this machine.

A worker imports this before anything else, so it imports nothing itself.
"""
