"""Times the admin's pages; run inside the console's own environment.

Prints a JSON list for each table: its name, and the seconds of its first page, its last
page and its searches, each the median of ROUNDS.
"""

import json
import re
import statistics
import time

import django

django.setup()

from django.contrib import admin  # noqa: E402
from django.test import Client  # noqa: E402
from django.urls import reverse  # noqa: E402

from lora_pipeline.models import User  # noqa: E402
from lora_pipeline.postgres import row_security  # noqa: E402
from training.models import TrainingJob  # noqa: E402

ROUNDS = 5
PAGES = re.compile(r"\?p=(\d+)")


def seconds(client, page):
    took = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        answer = client.get(page)
        took.append(time.perf_counter() - began)
        assert answer.status_code == 200, (page, answer.status_code)
    return statistics.median(took), answer.content.decode()


def of_table(client, model, terms):
    page = reverse(f"admin:{model._meta.label_lower.replace('.', '_')}_changelist")
    first, shown = seconds(client, page)
    last = max((int(number) for number in PAGES.findall(shown)), default=1)
    found = {
        "first page": first,
        f"page {last}": seconds(client, f"{page}?p={last}")[0],
    }
    if 'name="q"' in shown:
        for name, term in terms.items():
            found[f"search {name}"] = seconds(client, f"{page}?q={term}")[0]
    return found


def main():
    client = Client(HTTP_HOST="localhost")
    with row_security.operator():
        client.force_login(User.objects.get(username="root"))
        job = TrainingJob.objects.first()
    terms = {"user": "made-7", "name": "made job 1999", "id": job.pk, "any": "made"}
    for model in sorted(admin.site._registry, key=lambda model: model.__name__):
        print(json.dumps([model.__name__, of_table(client, model, terms)]))
    pages = {
        "failed jobs": "/admin/training/trainingjob/?status__exact=failed",
        "one job": f"/admin/training/trainingjob/{job.pk}/change/",
        "fleet": "/admin/fleet",
        "index": "/admin/",
    }
    timed = {name: seconds(client, page)[0] for name, page in pages.items()}
    print(json.dumps(["other pages", timed]))


main()
