"""`manage.py doctor`: what is in order, what is not, what to do."""

import json
import sys
from collections import Counter
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from lora_pipeline.operations.doctor import examine


class Command(BaseCommand):
    help = "Look at every part of the console; exit status 1 when one is at fault."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="for programs")

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
            self.stdout.write(f"{faults} faults, {warnings} warnings")
        if faults:
            sys.exit(1)
