"""Starts, supervises and stops the console's own processes.

Trainers are started by training/launchers.
"""
