"""Trained adapters: pages, API, download, merging, asking, lineage.

Receiving one from a trainer is in runs/protocol.
"""
