"""SVG line charts of a job's metrics.

Metric points are written by runs/protocol.
"""
