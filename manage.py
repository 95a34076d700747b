#!/usr/bin/env python
"""Django's command line, each command in the database role that it needs."""

import os
import sys
from pathlib import Path

OWNER_COMMANDS = {
    "makemigrations",
    "migrate",
    "showmigrations",
    "sqlmigrate",
    "dbshell",
    "wait_for_database",
    "backup",
    "restore",
}


def main() -> None:
    """Choose the database role of this command, then run it."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "lora_pipeline.settings")
    command = sys.argv[1] if len(sys.argv) > 1 else "help"
    role = "owner" if command in OWNER_COMMANDS else "operator"
    role = "web" if command == "web" else role
    os.environ["LORA_PIPELINE_DATABASE_ROLE"] = role
    sys.path.insert(0, str(Path(__file__).resolve().parent))
    from django.core.management import execute_from_command_line  # noqa: PLC0415 - reads the variables that are set here
    from django.db import ProgrammingError  # noqa: PLC0415

    try:
        execute_from_command_line(sys.argv)
    except ProgrammingError:
        from lora_pipeline.postgres.versions import missing_words  # noqa: PLC0415

        if words := missing_words():
            sys.exit(words)
        raise


if __name__ == "__main__":
    main()
