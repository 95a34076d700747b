"""App configuration of the console itself."""

from django.apps import AppConfig


class LoraPipelineConfig(AppConfig):
    name = "lora_pipeline"
    verbose_name = "Users and keys"

    def ready(self) -> None:
        """Register the checks of roles and policies."""
        from lora_pipeline import checks  # noqa: F401
