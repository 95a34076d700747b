"""Jobs: creating, controlling and their state transitions.

Executing them is in runs/; estimating them in estimates/.
"""
