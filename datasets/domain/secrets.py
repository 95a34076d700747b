"""Finds likely secrets in training text by their usual prefixes."""

import re

# A literal that must occur in the text before its expression is tried: searching for
# bytes is a hundred times faster. Patterns as their issuers document them.
SHAPES: tuple[tuple[bytes, str, re.Pattern[bytes]], ...] = (
    (b"@", "an e-mail address",
     re.compile(rb"[\w+-]@[\w-]{1,63}(?:\.[\w-]{1,63}){0,8}\.[a-zA-Z]{2,24}\b")),
    (b"-----BEGIN", "a private key", re.compile(rb"-----BEGIN [A-Z ]*PRIVATE KEY")),
    (b"AKIA", "an AWS access key", re.compile(rb"\bAKIA[0-9A-Z]{16}\b")),
    (b"sk-", "an API key", re.compile(rb"\bsk-[\w-]{20,}")),
    (b"ghp_", "a GitHub token", re.compile(rb"\bghp_\w{36}\b")),
    (b"github_pat_", "a GitHub token", re.compile(rb"\bgithub_pat_\w{22,}")),
    (b"hf_", "a Hugging Face token", re.compile(rb"\bhf_[A-Za-z0-9]{30,}")),
    (b"xox", "a Slack token", re.compile(rb"\bxox[abprs]-[\w-]{10,}")),
    (b"AIza", "a Google API key", re.compile(rb"\bAIza[\w-]{35}")),
    (b"eyJ", "a web token",
     re.compile(rb"\beyJ[\w-]{10,300}+\.eyJ[\w-]{10,}+\.[\w-]{10,}")),
)  # fmt: skip
LOOKED_AT_BYTES = 1_000_000
EXAMPLE_HOSTS = (b"example.com", b"example.org", b"example.net", b"example.edu")


def find_secret(text: bytes) -> str:
    """The kind of secret the text seems to contain, or ""; never the secret itself.

    Scans the first megabyte. Addresses at example.com and other reserved domains do
    not count.
    """
    text = text[:LOOKED_AT_BYTES]
    for literal, words, shape in SHAPES:
        if literal not in text:
            continue
        for found in shape.finditer(text):
            if not found.group().lower().endswith(EXAMPLE_HOSTS):
                return words
    return ""
