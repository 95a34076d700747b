"""Likely secrets, by their usual shapes."""

import pytest

from datasets.domain.secrets import find_secret


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (b"write to jo@lumen.io", "an e-mail address"),
        (b"write to jo@example.com", ""),
        (b"jo@example.org or jo@lumen.io", "an e-mail address"),
        (b"an @ alone", ""),
        (b"AKIA" + b"A" * 16, "an AWS access key"),
        (b"AKIA" + b"A" * 15, ""),
        (b"sk-" + b"a" * 24, "an API key"),
        (b"task-force", ""),
        (b"ghp_" + b"a" * 36, "a GitHub token"),
        (b"hf_" + b"a" * 34, "a Hugging Face token"),
        (b"xoxb-1234567890-abc", "a Slack token"),
        (b"AIza" + b"a" * 35, "a Google API key"),
        (b"-----BEGIN PRIVATE KEY-----", "a private key"),
        (b"eyJ" + b"a" * 12 + b".eyJ" + b"b" * 12 + b"." + b"c" * 12, "a web token"),
        (b"nothing at all", ""),
    ],
)
def test_each_shape_is_told_and_its_neighbour_is_not(text, found):
    assert find_secret(text) == found
