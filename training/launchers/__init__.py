"""Starting trainer processes on this machine, and asking whether they live.

Which job starts where is decided in training/runs.
"""
