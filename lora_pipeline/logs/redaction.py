"""Removes secrets from log lines. Pure."""

import re
from collections.abc import Callable, Iterable

GONE = "[redacted]"
SHORTEST_SECRET = 8
# PostgreSQL quotes the row it rejected, which may contain training text.
QUOTED_ROW = re.compile(r"^(DETAIL|CONTEXT|LINE \d+):.*$", re.MULTILINE)
WHOLE = re.compile(
    r"\b(?:lp|run)_[\w-]{16,}"  # our API keys and run tokens
    r"|\bhf_\w{8,}"  # Hugging Face
    r"|\bwhsec_[\w+/=-]{8,}"  # webhook signing secrets
    r"|\bargon2\$\S+|\bpbkdf2_\w+\$\S+"  # password hashes
)
# Anyone who knows such a URL can post there: everything after the host is secret.
HOOK = re.compile(
    r"(https?://(?:hooks?\.[^/\s'\"]+|[^/\s'\"]+/api/webhooks))/[^\s'\"\\]+"
)
# Each begins at the edge of a word and gives nothing back: a long word is read once.
IN_ADDRESS = re.compile(r"(\b\w++://[^:/@\s'\"]*):[^@/\s'\"]+@")
SCHEME = re.compile(r"\b(bearer|basic)\s+[\w.~+/=-]{4,}", re.IGNORECASE)
NAMED = re.compile(
    r"(\b(?:authorization|cookie|set-cookie|sessionid|csrftoken|csrfmiddlewaretoken"
    r"|x-csrftoken|password\w*|passwd|secret\w*|api_?key|access_token|\w*_token|token)"
    r"[\"']?\s*[:=]\s*)(?:\"[^\"]*\"|'[^']*'|[^\s,;}&]+)",
    re.IGNORECASE,
)


def redactor(secrets: Iterable[str] = ()) -> Callable[[str], str]:
    """A function that removes known secrets and anything that looks like one."""
    known = sorted({s for s in secrets if len(s) >= SHORTEST_SECRET}, key=len)
    exactly = re.compile("|".join(map(re.escape, reversed(known)))) if known else None

    def redact(text: str) -> str:
        text = exactly.sub(GONE, text) if exactly else text
        text = QUOTED_ROW.sub(rf"\1: {GONE}", text)
        text = WHOLE.sub(GONE, text)
        text = HOOK.sub(rf"\1/{GONE}", text)
        text = IN_ADDRESS.sub(rf"\1:{GONE}@", text)
        text = SCHEME.sub(rf"\1 {GONE}", text)
        return NAMED.sub(rf"\1{GONE}", text)

    return redact
