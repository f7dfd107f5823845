"""What can go wrong with the embedded servers. Every text says what to do."""

from __future__ import annotations


class EmbeddedServerError(Exception):
    """An embedded server cannot be used. The base of everything this package raises."""


class MissingBinaryError(EmbeddedServerError):
    """The program of a server was not found, or does not run on this machine."""


class RootDirectoryError(EmbeddedServerError):
    """The directory of the embedded servers cannot be made, read or written."""


class DataVersionError(EmbeddedServerError):
    """The data directory was made by another version of the server."""


class StartError(EmbeddedServerError):
    """The server ended before it answered."""


class StartTimeoutError(EmbeddedServerError):
    """The server, or another process that was starting it, took too long."""


class StopError(EmbeddedServerError):
    """The server did not end, not even when killed."""


class NotAcquiredError(EmbeddedServerError):
    """An address was asked for before the server was acquired."""
