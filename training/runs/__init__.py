"""Carrying jobs out: dispatch, the reconciler, what became of a run.

What a trainer asks and reports is in protocol/; starting a process in launchers/.
"""
