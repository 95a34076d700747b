#!/usr/bin/env python
"""Django's command line, with the console's database started first."""

import os
import sys
from pathlib import Path

OWNER_COMMANDS = {
    "makemigrations",
    "migrate",
    "showmigrations",
    "sqlmigrate",
    "dbshell",
    "backup",
    "restore",
}
NEEDS_PORT = {"up", "demo"}
NO_DATABASE = {
    "help",
    "version",
    "--help",
    "--version",
    "collectstatic",
    "compilemessages",
}


def main() -> None:
    """Choose the database role of this command, start the database, run it."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "lora_pipeline.settings")
    command = sys.argv[1] if len(sys.argv) > 1 else "help"
    role = "owner" if command in OWNER_COMMANDS else "operator"
    role = "web" if command == "web" else role
    os.environ["LORA_PIPELINE_DATABASE_ROLE"] = role
    if command in NO_DATABASE:
        os.environ["LORA_PIPELINE_NO_DATABASE"] = "1"
    sys.path.insert(0, str(Path(__file__).resolve().parent))
    if command in NEEDS_PORT:
        from lora_pipeline.processes import ports

        ports.require_free(sys.argv[2:])
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
