"""What can go wrong in the process itself; each text says what to do."""

from __future__ import annotations


class WorkerError(Exception):
    """Base of this room's errors. The text is one line, safe to print, and says what to do."""


class SettingsError(WorkerError):
    """A setting is missing or wrong. The text names the variable, the reason, never a secret's value."""


class ServiceUnavailable(WorkerError):
    """A server that is needed (PostgreSQL, Redis, the broker) cannot be reached."""


class BadInput(WorkerError):
    """A person asked for something that cannot be done as asked."""


class NotAllowed(WorkerError):
    """The token or the operator may not do this."""


class WorkFailed(WorkerError):
    """The work was tried and did not succeed."""
