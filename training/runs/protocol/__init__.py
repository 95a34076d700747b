"""What trainer and console say to each other over HTTP: spec, data, events, artifact.

Deciding what a run does next is in runs/.
"""
