"""What can go wrong with what is kept."""

from __future__ import annotations


class DatabaseError(Exception):
    """Base of this room's errors."""


class LeaseLost(DatabaseError):
    """The row was claimed by another worker meanwhile; what this worker did must not be committed."""


class NewerReadExists(DatabaseError):
    """Another worker read these days later and has committed already; read them again."""


class UnexpectedRows(DatabaseError):
    """The answer holds rows that were not asked for; nothing of it was stored."""


class SchemaOutdated(DatabaseError):
    """The schema is not at the head revision; run `adtempo migrate`."""


class MigrationBusy(DatabaseError):
    """Another process is migrating and did not end in time; try again."""
