"""All settings of the console; every value that differs by place is a variable."""

import os
import secrets
from datetime import timedelta
from pathlib import Path
from typing import Any

from lora_pipeline import env
from lora_pipeline.logs.configuration import logging_settings
from lora_pipeline.web import headers

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = env.path("LORA_PIPELINE_VAR", BASE_DIR / "var")
STORAGE_DIR = VAR_DIR / "storage"
UPLOAD_DIR = VAR_DIR / "uploads"
RUNS_DIR = VAR_DIR / "runs"
MODELS_DIR = env.path("LORA_PIPELINE_MODELS", VAR_DIR / "models")
for _folder in (VAR_DIR, STORAGE_DIR, UPLOAD_DIR, RUNS_DIR, MODELS_DIR):
    _folder.mkdir(
        mode=0o711 if _folder == VAR_DIR else 0o700, exist_ok=True, parents=True
    )


def _secret_key() -> str:
    """The key from the environment, else one made once and kept in var/."""
    if key := env.text("SECRET_KEY"):
        return key
    kept = VAR_DIR / "secret_key"
    try:
        descriptor = os.open(kept, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return kept.read_text()
    with os.fdopen(descriptor, "w") as file:
        file.write(key := secrets.token_urlsafe(50))
    return key


# -- The place it runs in ------------------------------------------------------
DEBUG = env.flag("DEBUG")
SECRET_KEY = _secret_key()
PUBLIC_URL = env.web_address("LORA_PIPELINE_PUBLIC_URL")
HTTPS = env.flag("HTTPS", PUBLIC_URL.startswith("https://"))
# Trainers on this machine ask by a loopback name, whatever people call the console.
LOOPBACK = ["localhost", "127.0.0.1", "[::1]"]
ALLOWED_HOSTS = env.words("ALLOWED_HOSTS", env.host_of(PUBLIC_URL)) + LOOPBACK
CSRF_TRUSTED_ORIGINS = env.words("CSRF_TRUSTED_ORIGINS", env.origin_of(PUBLIC_URL))
TRUSTED_PROXIES = env.integer("TRUSTED_PROXIES", int(HTTPS))
SECURE_PROXY_SSL_HEADER = (
    ("HTTP_X_FORWARDED_PROTO", "https") if TRUSTED_PROXIES else None
)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = HTTPS
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
# Trainers, probes and metrics ask past the proxy, where there is no HTTPS.
SECURE_REDIRECT_EXEMPT = [r"^api/runs/", r"^(healthz|readyz|metrics)$"]
SECURE_HSTS_SECONDS = env.integer("HSTS_SECONDS", 31_536_000) if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
BASE_URL = env.text("LORA_PIPELINE_BASE_URL", "http://127.0.0.1:8000")
BASE_URL_FILE = VAR_DIR / "base_url"

# -- What it is made of --------------------------------------------------------
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
    "lora_pipeline.logs.middleware.RequestIds",
    "csp.middleware.CSPMiddleware",
    "lora_pipeline.web.headers.Permissions",
    "lora_pipeline.operations.metrics.Requests",
    "lora_pipeline.operations.probes.AliveFirst",
    "django.middleware.security.SecurityMiddleware",
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

# -- Database ------------------------------------------------------------------
DATABASE_ROLES = {"web": "lp_web", "operator": "lp_operator", "owner": ""}
DATABASE_ROLE = DATABASE_ROLES[
    env.choice("LORA_PIPELINE_DATABASE_ROLE", list(DATABASE_ROLES), "web")
]
DATABASE_EMBEDDED = not env.text("DATABASE_URL")


def _database() -> dict[str, Any]:
    """The server of DATABASE_URL, else our own, started or adopted here."""
    if env.flag("LORA_PIPELINE_NO_DATABASE"):
        return {"ENGINE": "django.db.backends.postgresql", "NAME": "none"}
    if DATABASE_EMBEDDED:
        from lora_pipeline.postgres import embedded

        server = embedded.hold(VAR_DIR)
        where: dict[str, Any] = {
            "HOST": server.host,
            "PORT": str(server.port),
            "NAME": server.name,
            "USER": server.user,
            "PASSWORD": server.password,
            "OPTIONS": {},
        }
    else:
        where = env.database_url(env.text("DATABASE_URL"))
    if DATABASE_ROLE:
        where["OPTIONS"]["options"] = f"-c role={DATABASE_ROLE}"
    return where | {
        "ENGINE": "django.db.backends.postgresql",
        "CONN_MAX_AGE": 600,
        "CONN_HEALTH_CHECKS": True,
    }


DATABASES = {"default": _database()}
POSTGRES_PROGRAMS = env.text("POSTGRES_PROGRAMS")
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
PROCRASTINATE_ON_APP_READY = None

# -- People --------------------------------------------------------------------
AUTH_USER_MODEL = "lora_pipeline.User"
SESSION_ENGINE = "lora_pipeline.accounts.sessions"
LOGIN_URL = "sign-in"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "sign-in"
_HASHERS = "django.contrib.auth.hashers"
PASSWORD_HASHERS = [
    f"{_HASHERS}.Argon2PasswordHasher",
    f"{_HASHERS}.PBKDF2PasswordHasher",
    f"{_HASHERS}.ScryptPasswordHasher",
]
_VALIDATION = "django.contrib.auth.password_validation"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"{_VALIDATION}.UserAttributeSimilarityValidator"},
    {"NAME": f"{_VALIDATION}.MinimumLengthValidator"},
    {"NAME": f"{_VALIDATION}.CommonPasswordValidator"},
    {"NAME": f"{_VALIDATION}.NumericPasswordValidator"},
]

AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "lora_pipeline.accounts.backends.Users",
]
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_FAILURE_LIMIT = env.integer("SIGN_IN_FAILURES", 5, minimum=1)
AXES_COOLOFF_TIME = timedelta(minutes=env.number("SIGN_IN_LOCK_MINUTES", 15, minimum=1))
AXES_RESET_ON_SUCCESS = True
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_CLIENT_IP_CALLABLE = "lora_pipeline.web.addresses.client_address"
AXES_USERNAME_CALLABLE = "lora_pipeline.accounts.lockout.tried_name"
AXES_LOCKOUT_CALLABLE = "lora_pipeline.accounts.lockout.locked_out"
AXES_SENSITIVE_PARAMETERS = ["username", "ip_address", "csrfmiddlewaretoken"]
AXES_DISABLE_ACCESS_LOG = True
AXES_VERBOSE = False

# -- API -----------------------------------------------------------------------
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
    "DEFAULT_THROTTLE_CLASSES": ["rest_framework.throttling.UserRateThrottle"],
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
        {"name": "Jobs", "description": "Estimate, create, follow, cancel."},
        {"name": "Datasets", "description": "Upload and look after training data."},
        {"name": "Adapters", "description": "What was trained, to download."},
        {"name": "Costs", "description": "What jobs came to."},
        {"name": "Notifications", "description": "What happened."},
        {"name": "Notification-preferences", "description": "What leaves the console."},
        {"name": "Webhooks", "description": "Where notices are posted to."},
        {"name": "Deliveries", "description": "What was sent, and what became of it."},
        {"name": "Catalogue", "description": "What a job can be made of."},
    ],
    "SCHEMA_PATH_PREFIX": "/api",
    "ENUM_NAME_OVERRIDES": {
        "DatasetStatus": "datasets.models.Dataset.Status",
        "JobStatus": "training.models.JOB_STATUSES",
        "JobPriority": "training.models.TrainingJob.Priority",
        "WorkStatus": "training.models.Work",
        "DeliveryStatus": "notifications.models.Delivery.Status",
        "DeliveryChannel": "notifications.models.Delivery.Channel",
    },
    "COMPONENT_SPLIT_PATCH": False,
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.IsAuthenticated"],
}

# -- Files ---------------------------------------------------------------------
STATIC_URL = "static/"
STATIC_ROOT = VAR_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_USE_FINDERS = True
S3_BUCKET = env.text("S3_BUCKET")
S3_ENDPOINT = env.text("S3_ENDPOINT_URL")


def _storage() -> dict[str, Any]:
    """A folder, or the bucket of S3_BUCKET; boto3 finds the credentials itself."""
    if not S3_BUCKET:
        folder = {"location": STORAGE_DIR, "file_permissions_mode": 0o600}
        backend = "django.core.files.storage.FileSystemStorage"
        return {"BACKEND": backend, "OPTIONS": folder}
    style = env.choice(
        "S3_ADDRESSING_STYLE",
        ["path", "virtual", "auto"],
        "path" if S3_ENDPOINT else "auto",
    )
    options = {
        "bucket_name": S3_BUCKET,
        "endpoint_url": S3_ENDPOINT or None,
        "region_name": env.text("S3_REGION") or None,
        "location": env.text("S3_PREFIX"),
        "addressing_style": style,
        "signature_version": "s3v4",
        "file_overwrite": False,
    }
    return {"BACKEND": "lora_pipeline.files.s3.Bucket", "OPTIONS": options}


STORAGES = {
    "default": _storage(),
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
FILE_UPLOAD_HANDLERS = ["django.core.files.uploadhandler.TemporaryFileUploadHandler"]
FILE_UPLOAD_TEMP_DIR = UPLOAD_DIR
MAX_UPLOAD_BYTES = env.integer("MAX_UPLOAD_BYTES", 5 * 1024**3, minimum=1)
MAX_UNPACKED_BYTES = env.integer("MAX_UNPACKED_BYTES", 20 * 1024**3, minimum=1)
MAX_BODY_BYTES = env.integer("MAX_BODY_BYTES", 2 * 1024**2, minimum=1)
MAX_ADAPTER_BYTES = env.integer("MAX_ADAPTER_BYTES", 20 * 1024**3, minimum=1)
DATA_UPLOAD_MAX_MEMORY_SIZE = MAX_BODY_BYTES

# -- Training ------------------------------------------------------------------
DEFAULT_BASE_MODEL = env.text(
    "DEFAULT_BASE_MODEL", "HuggingFaceTB/SmolLM2-135M-Instruct"
)
TRAINER_PROGRAM = BASE_DIR / "training" / "trainer"
TRAINER_PYTHON = Path(
    env.text("TRAINER_PYTHON", str(BASE_DIR / ".venv-trainer" / "bin" / "python"))
)
REMOTE_CODE_MODELS = env.words("REMOTE_CODE_MODELS")
HF_TOKEN = env.text("HF_TOKEN")
TRAINER_THREADS = env.integer("TRAINER_THREADS", os.cpu_count() or 1, minimum=1)
CPU_SLOTS = env.integer("CPU_SLOTS", 1, minimum=1)
RECONCILE_SECONDS = env.number("RECONCILE_SECONDS", 5.0, minimum=0.05)
RUN_STALLED_SECONDS = env.number("RUN_STALLED_SECONDS", 600.0, minimum=1.0)
RUN_IDLE_SECONDS = env.number("RUN_IDLE_SECONDS", 7200.0, minimum=1.0)
RUN_RETRY_SECONDS = env.number("RUN_RETRY_SECONDS", 10.0)
RUN_MAX_ATTEMPTS = env.integer("RUN_MAX_ATTEMPTS", 3, minimum=1)
CHECKPOINT_EVERY_STEPS = env.integer("CHECKPOINT_EVERY_STEPS", 0)
ASK_SECONDS = env.number("ASK_SECONDS", 300.0, minimum=1.0)
EXPORT_SECONDS = env.number("EXPORT_SECONDS", 3600.0, minimum=1.0)

# -- Notices -------------------------------------------------------------------
EMAIL_HOST = env.text("EMAIL_HOST")
EMAIL_PORT = env.integer("EMAIL_PORT", 587, minimum=1)
EMAIL_HOST_USER = env.text("EMAIL_HOST_USER")
EMAIL_HOST_PASSWORD = env.text("EMAIL_HOST_PASSWORD")
EMAIL_USE_SSL = env.flag("EMAIL_USE_SSL")
EMAIL_USE_TLS = env.flag("EMAIL_USE_TLS", not EMAIL_USE_SSL)
EMAIL_TIMEOUT = env.number("EMAIL_TIMEOUT", 20.0, minimum=1.0)
DEFAULT_FROM_EMAIL = env.text("DEFAULT_FROM_EMAIL", "lora-pipeline@localhost")
WEBHOOK_ALLOW_PRIVATE = env.flag("WEBHOOK_ALLOW_PRIVATE")
WEBHOOK_SECONDS = env.number("WEBHOOK_SECONDS", 10.0, minimum=0.1)
NOTICE_MAX_ATTEMPTS = env.integer("NOTICE_MAX_ATTEMPTS", 6, minimum=1)
NOTICE_RETRY_SECONDS = env.number("NOTICE_RETRY_SECONDS", 10.0)

# -- Operation -----------------------------------------------------------------
METRICS_DIR = VAR_DIR / "metrics"
METRICS_TOKEN = env.text("METRICS_TOKEN")
RETENTION_DELETED_DATASET_DAYS = env.number("RETENTION_DELETED_DATASET_DAYS", 30)
RETENTION_UPLOAD_DAYS = env.number("RETENTION_UPLOAD_DAYS", 1)
RETENTION_RUN_DAYS = env.number("RETENTION_RUN_DAYS", 30)
RETENTION_IDEMPOTENCY_DAYS = env.number("RETENTION_IDEMPOTENCY_DAYS", 1, minimum=1)
RETENTION_NOTICE_DAYS = env.number("RETENTION_NOTICE_DAYS", 365)
RETENTION_DELIVERY_DAYS = env.number("RETENTION_DELIVERY_DAYS", 90)
RETENTION_SESSION_DAYS = env.number("RETENTION_SESSION_DAYS", 1)

# What the apps add to the console's own operation, as dotted paths. A retention rule is
# a setting of days and the function that removes what is older.
HEALTH_CHECKS = {"reconciler": "training.runs.heartbeat.check"}
METRIC_SOURCES = ["training.operators.figures.gather"]
DOCTOR_CHECKS = [
    "training.operators.doctor.CHECKS",
    "training.operators.overdue.CHECKS",
]
GIVE_UP = {
    "validate_dataset": "datasets.checking.check.give_up_waiting",
    "export_merged": "training.adapters.work.give_up_export",
    "answer_question": "training.adapters.work.give_up_question",
    "deliver_notice": "notifications.sending.attempt.give_up",
}
OVERDUE_SECONDS = env.number("OVERDUE_SECONDS", 3600.0, minimum=1.0)
BACKUP_FILES = {
    "storage": ["datasets.stored_files.paths", "training.adapters.stored_files.paths"],
    "runs": ["training.runs.stored_files.paths"],
}
BACKUP_BUSY = ["training.runs.stored_files.busy"]
RETENTION_RULES = {
    "RETENTION_DELETED_DATASET_DAYS": "datasets.retention.remove_deleted_files",
    "RETENTION_UPLOAD_DAYS": "datasets.uploads.remove_stale_before",
    "RETENTION_RUN_DAYS": "training.runs.retention.remove_run_folders",
    "RETENTION_IDEMPOTENCY_DAYS": "training.jobs.idempotency.remove_keys",
    "RETENTION_NOTICE_DAYS": "notifications.retention.remove_notices",
    "RETENTION_DELIVERY_DAYS": "notifications.retention.remove_deliveries",
    "RETENTION_SESSION_DAYS": "lora_pipeline.operations.retention.remove_sessions",
}

# -- Language, time, logs ------------------------------------------------------
LANGUAGE_CODE = "en-us"
TIME_ZONE = env.text("TIME_ZONE", "UTC")
USE_TZ = True
LOG_FORMAT = env.choice("LOG_FORMAT", ["text", "json"], "text")
LOGGING = logging_settings(form=LOG_FORMAT, level=env.text("LOG_LEVEL", "INFO"))
