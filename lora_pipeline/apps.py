"""App configuration of the console itself and of its admin."""

from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig as DjangoAdminConfig


class LoraPipelineConfig(AppConfig):
    name = "lora_pipeline"
    verbose_name = "Users and keys"


class AdminConfig(DjangoAdminConfig):
    default_site = "django.contrib.admin.sites.AdminSite"
