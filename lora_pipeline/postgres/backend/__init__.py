"""Django's PostgreSQL backend, with our own server started when it is first needed.

The server itself is in lora_pipeline/postgres/embedded.py.
"""
