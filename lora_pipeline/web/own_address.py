"""Where this console is reached: by trainers, by people, and whether that is true."""

import urllib.error
import urllib.request
from pathlib import Path

from django.conf import settings
from django.urls import get_script_prefix, reverse, set_script_prefix

REMEDY = "set LORA_PIPELINE_BASE_URL to where the web server listens, or start it there"
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def trainers_url() -> str:
    """The console's URL for trainers: the variable, else where `up` runs, else ours."""
    if settings.BASE_URL:
        return str(settings.BASE_URL)
    try:
        return Path(settings.BASE_URL_FILE).read_text().strip()
    except FileNotFoundError:
        return str(settings.DEFAULT_BASE_URL)


def public_url() -> str:
    """The console's URL for people, with its sub-path and no slash at its end."""
    return str(settings.PUBLIC_URL or trainers_url())


def why_unreachable(url: str, seconds: float = 2.0) -> str:
    """Why the console does not answer at a URL of its own; empty if it does."""
    try:
        with _DIRECT.open(f"{url}/healthz", timeout=seconds) as answer:
            found = answer.read(10)
    except urllib.error.HTTPError as error:
        return f"HTTP {error.code}"
    except urllib.error.URLError as error:
        return str(getattr(error.reason, "strerror", "") or error.reason)
    except (OSError, ValueError) as error:
        return str(error) or type(error).__name__
    return "" if found == b"ok\n" else "something else answers there"


def below(path: str) -> str:
    """A path of the console as the browser of this request has to ask for it."""
    return get_script_prefix().rstrip("/") + path


def own_path(name: str, *args: object) -> str:
    """The path of a page below the public URL, whoever asks: for links in messages."""
    prefix = get_script_prefix()
    set_script_prefix("/")
    try:
        return reverse(name, args=args)
    finally:
        set_script_prefix(prefix)
