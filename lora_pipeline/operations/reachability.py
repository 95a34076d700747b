"""The doctor's checks of the console's addresses: each is asked, as a browser would."""

import http.client
import ssl
from collections.abc import Iterator
from urllib.parse import urlsplit

from django.conf import settings

from lora_pipeline.operations.diagnosis import Check, Finding, fault, ok, warning
from lora_pipeline.web.addresses import NGINX_LINE
from lora_pipeline.web.own_address import REMEDY, trainers_url, why_unreachable

SECONDS = 5.0
PAGE = "/sign-in"


def trainers_address() -> Iterator[Finding]:
    """Whether trainers reach the console at the URL that they are given."""
    url = trainers_url()
    if why := why_unreachable(url, SECONDS):
        yield fault("address", f"trainers cannot reach {url}: {why}", REMEDY)
    else:
        yield ok("address", f"trainers reach {url}")


def public_address() -> Iterator[Finding]:
    """Whether a browser gets a page at the public URL, and is not sent in a circle."""
    url = str(settings.PUBLIC_URL)
    if not url:
        return
    try:
        status, target = _first_answer(url + PAGE)
    except ssl.SSLError as error:
        words = f"{url}: its certificate is not accepted here: {error.reason}"
        yield warning("address", words, "check the certificate in the proxy")
    except (OSError, http.client.HTTPException) as error:
        words = f"{url} cannot be asked from this machine: {error}"
        yield warning("address", words, "check DNS, the proxy and the firewall")
    else:
        yield _judged(url, status, target)


def _judged(url: str, status: int, target: str) -> Finding:
    if status in {301, 302, 307, 308}:
        if target.rstrip("/") == url + PAGE:
            words = f"{url} redirects to itself: the proxy sends no X-Forwarded-Proto"
            return fault("address", words, f"in nginx: {NGINX_LINE}")
        words = f"{url} redirects to {target}"
        remedy = "LORA_PIPELINE_PUBLIC_URL must be the URL that browsers end at"
        return fault("address", words, remedy)
    if status == 400:
        words = f"{url}: the console refuses the host name that the proxy passes on"
        return fault("address", words, "in nginx: proxy_set_header Host $http_host;")
    if status != 200:
        words = f"{url}{PAGE} answers {status}"
        remedy = "the proxy must pass on the whole path, that of the URL included"
        return fault("address", words, remedy)
    return ok("address", f"browsers reach {url}")


def _first_answer(url: str) -> tuple[int, str]:
    """Status and Location of the first answer; no redirect is followed."""
    parts = urlsplit(url)
    secure = parts.scheme == "https"
    kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
    asking = kind(parts.hostname or "", parts.port, timeout=SECONDS)
    try:
        asking.request("GET", parts.path)
        answer = asking.getresponse()
        return answer.status, answer.getheader("Location") or ""
    finally:
        asking.close()


CHECKS = [Check(trainers_address), Check(public_address)]
