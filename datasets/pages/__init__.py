"""Dataset pages: views, forms and template context.

Rules and writes are elsewhere: see services.py.
"""
