"""Backup and restore: one database snapshot and every file it refers to.

A backup is a folder: `manifest.json` (what, when, sha256 of each file),
`database.dump`, `secret_key`, and the files of `storage/`, `uploads/` and `runs/`.
"""
