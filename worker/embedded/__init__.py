"""PostgreSQL and Redis on demand, for development, the demo and the tests: real servers from wheels.

They listen on 127.0.0.1 alone, with passwords made at the first start, and keep everything below one
directory.
"""

from worker.embedded.errors import (
    DataVersionError,
    EmbeddedServerError,
    MissingBinaryError,
    NotAcquiredError,
    RootDirectoryError,
    StartError,
    StartTimeoutError,
    StopError,
)
from worker.embedded.postgres_server import EmbeddedPostgres
from worker.embedded.redis_server import EmbeddedRedis
from worker.embedded.servers import EmbeddedServers, Running, running

__all__ = [
    "DataVersionError",
    "EmbeddedPostgres",
    "EmbeddedRedis",
    "EmbeddedServerError",
    "EmbeddedServers",
    "MissingBinaryError",
    "NotAcquiredError",
    "RootDirectoryError",
    "Running",
    "StartError",
    "StartTimeoutError",
    "StopError",
    "running",
]
