"""The short version of `make chaos`."""

import os

import pytest

from tests.trainer.chaos import SHORT, run_chaos

pytestmark = [pytest.mark.trainer, pytest.mark.long]


@pytest.mark.skipif(os.getuid() != 0, reason="mounting a tmpfs needs root")
def test_no_run_is_lost_doubled_or_charged_wrongly(tmp_path, tiny_model):
    failures, words = run_chaos(tmp_path, SHORT, tiny_model)
    print(words)
    assert not failures, words
