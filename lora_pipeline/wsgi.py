"""The WSGI entry point of the web server."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "lora_pipeline.settings")
os.environ["LORA_PIPELINE_DATABASE_ROLE"] = "web"

from django.core.wsgi import get_wsgi_application

application = get_wsgi_application()
