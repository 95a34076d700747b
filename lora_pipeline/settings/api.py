"""The REST API and its OpenAPI schema."""

from lora_pipeline import env
from lora_pipeline.settings.folders import BASE_DIR
from lora_pipeline.settings.place import SUB_PATH, TRUSTED_PROXIES

API_REQUESTS_PER_MINUTE = env.integer("API_REQUESTS_PER_MINUTE", 600, minimum=1)
ADDRESS_REQUESTS_PER_MINUTE = env.integer(
    "ADDRESS_REQUESTS_PER_MINUTE", 3000, minimum=1
)
REFUSED_SIGN_INS_PER_MINUTE = env.integer("REFUSED_SIGN_INS_PER_MINUTE", 30, minimum=1)
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
        "OPTIONS": {"MAX_ENTRIES": 100_000},
    }
}
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "lora_pipeline.accounts.authentication.ApiKeyAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": [
        "rest_framework.permissions.IsAuthenticated",
        "lora_pipeline.accounts.permissions.KeyScope",
    ],
    "DEFAULT_THROTTLE_CLASSES": [
        "rest_framework.throttling.UserRateThrottle",
        "lora_pipeline.web.large_bodies.LargeBodyThrottle",
    ],
    "DEFAULT_THROTTLE_RATES": {"user": f"{API_REQUESTS_PER_MINUTE}/min"},
    "NUM_PROXIES": TRUSTED_PROXIES,
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["lora_pipeline.api.parsers.JsonParser"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "lora_pipeline.api.negotiation.WhatThereIs",
    "DEFAULT_METADATA_CLASS": "lora_pipeline.api.negotiation.AllowedMethods",
    "URL_FORMAT_OVERRIDE": None,
    "DEFAULT_SCHEMA_CLASS": "lora_pipeline.api.openapi.EnvelopeSchema",
    "EXCEPTION_HANDLER": "lora_pipeline.api.envelope.exception_handler",
    "COERCE_DECIMAL_TO_STRING": False,
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "LoRA Pipeline",
    "DESCRIPTION": (BASE_DIR / "lora_pipeline" / "api.md").read_text(),
    "VERSION": "0.1.0",
    "OAS_VERSION": "3.1.0",
    "TAGS": [
        {
            "name": "Jobs",
            "description": "Estimate, create, monitor and cancel training jobs.",
        },
        {"name": "Datasets", "description": "Upload and manage training data."},
        {"name": "Adapters", "description": "Download trained adapters."},
        {"name": "Costs", "description": "Costs of jobs."},
        {"name": "Quotas", "description": "Your limits and how much of them you use."},
        {
            "name": "Notifications",
            "description": "Notifications about jobs, datasets and budgets.",
        },
        {
            "name": "Notification-preferences",
            "description": "Which notifications are sent by e-mail and webhook.",
        },
        {"name": "Webhooks", "description": "URLs that notifications are posted to."},
        {"name": "Deliveries", "description": "Sent notifications and their outcome."},
        {"name": "Catalogue", "description": "GPUs, presets and base models."},
    ],
    "SCHEMA_PATH_PREFIX": "/api",
    "SERVERS": [{"url": SUB_PATH}] if SUB_PATH else [],
    "ENUM_NAME_OVERRIDES": {
        "DatasetStatus": "datasets.models.Dataset.Status",
        "JobStatus": "training.models.JOB_STATUSES",
        "JobPriority": "training.models.TrainingJob.Priority",
        "AskedPriority": "training.domain.priority.USERS_PRIORITIES",
        "WorkStatus": "training.models.Work",
        "DeliveryStatus": "notifications.models.Delivery.Status",
        "DeliveryChannel": "notifications.models.Delivery.Channel",
    },
    "COMPONENT_SPLIT_PATCH": False,
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.IsAuthenticated"],
}
