"""Line charts as SVG, and which of a job's points they show.

Measured points are written by runs/protocol.
"""
