"""Trained adapters: pages, API, downloads, merging, side-by-side answers, lineage.

Uploads from trainers are in runs/protocol.
"""
