"""Executing jobs: dispatch, the reconciler and run outcomes.

The trainer's HTTP protocol is in protocol/; starting processes in launchers/.
"""
