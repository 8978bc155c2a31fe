"""Where work is done: in this process, in processes of this machine, or in a cluster.

A worker imports this before anything else, so it imports nothing itself.
"""
