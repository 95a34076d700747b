"""Number and duration formats for templates."""

import pytest

from lora_pipeline.templatetags import words


@pytest.mark.parametrize(
    ("hours", "read"),
    [(0.0, "0 s"), (0.0125, "45 s"), (0.06, "3 min 36 s"), (3.5714, "3.57 h")],
)
def test_less_than_an_hour_is_told_in_minutes(hours, read):
    assert words.hours(hours) == read


@pytest.mark.parametrize(
    ("hours", "read"),
    [(0.004, "1 minute"), (0.6, "36 minutes"), (3.57, "3 h 34 min"), (50, "2 d 2 h")],
)
def test_about_is_not_to_the_second(hours, read):
    assert words.about(hours) == read
