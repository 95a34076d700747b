"""The first page: what runs, what ended, and what to do next.

Writes nothing.
"""
