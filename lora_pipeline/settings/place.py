"""The installation: folders, secret key, URLs."""

import re
from functools import cache
from urllib.parse import urlsplit

from django.utils.functional import lazy

from lora_pipeline import env
from lora_pipeline.files.secret import kept_secret
from lora_pipeline.settings.folders import VAR_DIR


@cache
def _secret_key() -> str:
    """The key from the environment, else one generated once and kept in var/."""
    if key := env.text("SECRET_KEY"):
        return key
    return kept_secret(VAR_DIR / "secret_key")


DEBUG = env.flag("DEBUG")
SECRET_KEY = lazy(_secret_key, str)()  # created on first use
PUBLIC_URL = env.web_address("LORA_PIPELINE_PUBLIC_URL")
# Where the console is below its host, such as /lora; empty at the top.
SUB_PATH = urlsplit(PUBLIC_URL).path
FORCE_SCRIPT_NAME = SUB_PATH or None
SESSION_COOKIE_PATH = CSRF_COOKIE_PATH = SUB_PATH or "/"
HTTPS = env.flag("HTTPS", PUBLIC_URL.startswith("https://"))
# Trainers on this machine use a loopback name, whatever the public host name is.
LOOPBACK = ["localhost", "127.0.0.1", "[::1]"]
BASE_URL = env.web_address("LORA_PIPELINE_BASE_URL")
DEFAULT_BASE_URL = "http://127.0.0.1:8000"
ALLOWED_HOSTS = env.words("ALLOWED_HOSTS", env.host_of(PUBLIC_URL)) + LOOPBACK
ALLOWED_HOSTS += [host for host in env.host_of(BASE_URL) if host not in ALLOWED_HOSTS]
CSRF_TRUSTED_ORIGINS = env.words("CSRF_TRUSTED_ORIGINS", env.origin_of(PUBLIC_URL))
TRUSTED_PROXIES = env.integer("TRUSTED_PROXIES", int(HTTPS))
# The machines that those are: what anybody else says of X-Forwarded-… is dropped.
PROXY_ADDRESSES = env.networks("PROXY_ADDRESSES", ["127.0.0.0/8", "::1"])
SECURE_PROXY_SSL_HEADER = (
    ("HTTP_X_FORWARDED_PROTO", "https") if TRUSTED_PROXIES else None
)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = HTTPS
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
# Trainers, probes and metrics bypass the proxy, where there is no HTTPS.
_BELOW = re.escape(f"{SUB_PATH}/".lstrip("/"))
SECURE_REDIRECT_EXEMPT = [rf"^{_BELOW}(api/runs/|(healthz|readyz|metrics)$)"]
# A port of its own is part of where to send a browser; a proxy may not pass it on.
SECURE_SSL_HOST = urlsplit(PUBLIC_URL).netloc if urlsplit(PUBLIC_URL).port else None
SECURE_HSTS_SECONDS = env.integer("HSTS_SECONDS", 31_536_000) if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
