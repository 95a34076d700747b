"""Django's building blocks: apps, middleware, templates, language, logs."""

from lora_pipeline import env
from lora_pipeline.logs.configuration import logging_settings
from lora_pipeline.settings.folders import BASE_DIR
from lora_pipeline.web import headers

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "axes",
    "csp",
    "rest_framework",
    "django_filters",
    "django_htmx",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "lucide",
    "template_partials",
    "procrastinate.contrib.django",
    "lora_pipeline",
    "datasets",
    "training",
    "notifications",
]
MIDDLEWARE = [
    "lora_pipeline.web.addresses.ProxiesWords",
    "lora_pipeline.logs.middleware.RequestIds",
    "csp.middleware.CSPMiddleware",
    "lora_pipeline.web.headers.Permissions",
    "lora_pipeline.operations.metrics.Requests",
    "django.middleware.security.SecurityMiddleware",
    "lora_pipeline.operations.probes.ProbesFirst",
    "lora_pipeline.web.middleware.Compression",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "lora_pipeline.web.middleware.ErrorEnvelope",
    "lora_pipeline.web.middleware.BodyLimit",
    "lora_pipeline.accounts.sessions.Sessions",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "lora_pipeline.web.middleware.RowSecurity",
    "lora_pipeline.web.rate_limits.RateLimits",
    "lora_pipeline.web.middleware.SignInRequired",
    "lora_pipeline.web.middleware.LargeBodies",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "axes.middleware.AxesMiddleware",
]
ROOT_URLCONF = "lora_pipeline.urls"
WSGI_APPLICATION = "lora_pipeline.wsgi.application"
APPEND_SLASH = False
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = headers.CONTENT_SECURITY_POLICY
SECURE_REFERRER_POLICY = "same-origin"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "lora_pipeline.web.context.console",
                "notifications.context.unread",
            ]
        },
    }
]
LANGUAGE_CODE = "en-us"
TIME_ZONE = env.text("TIME_ZONE", "UTC")
USE_TZ = True
LOG_FORMAT = env.choice("LOG_FORMAT", ["text", "json"], "text")
LOGGING = logging_settings(form=LOG_FORMAT, level=env.text("LOG_LEVEL", "INFO"))
