"""Operators' view of people."""

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin

from lora_pipeline.models import User

admin.site.register(User, UserAdmin)
