"""`manage.py doctor`: checks the installation and says how to fix problems."""

import json
import sys
from collections import Counter
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from lora_pipeline.operations.doctor import examine


class Command(BaseCommand):
    help = "Check every part of the console. Exit status 1 if any check fails."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="output JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        found = []
        for finding in examine():
            found.append(finding)
            if not options["json"]:
                self.stdout.write(str(finding))
        count = Counter(finding.level for finding in found)
        faults, warnings = count["fault"], count["warning"]
        if options["json"]:
            report = {"faults": faults, "warnings": warnings}
            report |= {"findings": [asdict(finding) for finding in found]}  # type: ignore[dict-item]
            self.stdout.write(json.dumps(report, indent=1))
        else:
            self.stdout.write(f"{faults} errors, {warnings} warnings")
        if faults:
            sys.exit(1)
