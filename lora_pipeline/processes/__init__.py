"""Starting, watching and ending the console's own processes.

Trainers are started by training/launchers.
"""
