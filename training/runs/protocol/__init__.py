"""The HTTP protocol between trainer and console: spec, data, events, artifact.

Decisions about a run are in runs/.
"""
