"""The console's settings, for a server whose owner filters are all taken away."""

from lora_pipeline.settings import *  # noqa: F403
from lora_pipeline.settings import INSTALLED_APPS

INSTALLED_APPS = [*INSTALLED_APPS, "tests.isolation.unfiltered.Unfiltered"]
