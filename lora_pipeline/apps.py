"""App configuration of the console itself."""

from django.apps import AppConfig


class LoraPipelineConfig(AppConfig):
    name = "lora_pipeline"
    verbose_name = "Users and keys"
