"""Django's PostgreSQL backend: our own server started when it is first needed, how long
an answer is waited for, which errors mean that the server is away, and poolers.

The server itself is in lora_pipeline/postgres/embedded.py.
"""
