"""The database wrapper that Django loads for our ENGINE."""

from typing import Any

from django.conf import settings
from django.db.backends.postgresql import base

from lora_pipeline.files.folders import make_own_folders
from lora_pipeline.postgres import embedded
from lora_pipeline.postgres.backend.patience import DRIVER


class DatabaseWrapper(base.DatabaseWrapper):
    """PostgreSQL; the first connection makes the folders and starts our own server.

    So a command that needs no database, a type checker and a test of a pure module
    touch no disk.
    """

    Database = DRIVER

    def get_connection_params(self) -> dict[str, Any]:
        """Django's, with where the embedded server listens."""
        make_own_folders()
        if settings.DATABASE_EMBEDDED:
            server = embedded.hold(settings.VAR_DIR)
            self.settings_dict |= {
                "HOST": server.host,
                "PORT": str(server.port),
                "USER": server.user,
                "PASSWORD": server.password,
            }
        return super().get_connection_params()
