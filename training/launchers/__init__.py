"""Starts trainer processes on this machine and checks whether they are alive.

Which job starts where is decided in training/runs.
"""
