"""The life of an uploaded file: pending until its bytes arrive, expired an hour later unless something shows
it."""

from datetime import datetime

from simulator.notion.checks import Json
from simulator.notion.store import Store


def upload_status(upload: Json, store: Store) -> str:
    """``pending``, ``uploaded`` or ``expired``, by the clock."""
    if upload["attached"] or store.now() < datetime.fromisoformat(upload["expires"]):
        return str(upload["status"])
    return "expired"
