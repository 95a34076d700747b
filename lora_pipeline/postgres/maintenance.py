"""What is done to the embedded database while nobody uses it."""

import contextlib
import secrets
from collections.abc import Iterator
from pathlib import Path

from lora_pipeline.files.durable import sync_path
from lora_pipeline.postgres import cluster, refusals
from lora_pipeline.postgres.embedded import has_stopped, locked
from lora_pipeline.postgres.places import Places, existing_root, find_places

STOP_SECONDS = 10.0


@contextlib.contextmanager
def unused(var_dir: Path) -> Iterator[Places]:
    """The places of a database that has stopped, which nobody starts meanwhile.

    Raises DatabaseRefused if there is none, or while it is in use.
    """
    if existing_root(var_dir.resolve(), None) is None:
        raise refusals.DatabaseRefused(f"There is no embedded database in {var_dir}.")
    places = find_places(var_dir.resolve())
    with locked(places.root / "start.lock"):
        if not has_stopped(places.root, STOP_SECONDS):
            raise refusals.DatabaseRefused(
                f"The database in {places.root} is in use. Stop the console first."
            )
        if not cluster.is_cluster(places.data):
            raise refusals.lost_database(places.passwords, places.data)
        yield places


def new_passwords(var_dir: Path) -> Path:
    """Give the database new passwords, where the file with the old ones is lost.

    Returns that file. An existing one is kept beside it.
    """
    with unused(var_dir) as places:
        cluster.require_version(places.data)
        passwords = {name: secrets.token_urlsafe(24) for name in cluster.USERS}
        words = "".join(
            f"ALTER ROLE {name} PASSWORD '{secret}';\n"
            for name, secret in passwords.items()
        )
        single = ["--single", "-D", str(places.data), "postgres"]
        cluster.run(places, "postgres", *single, said=words.encode())
        if places.passwords.exists():
            places.passwords.rename(places.passwords.with_suffix(".old"))
        cluster.write_passwords(places.passwords, passwords)
        sync_path(places.passwords.parent)
        return places.passwords
