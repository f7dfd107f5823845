"""The addresses of PostgreSQL and Redis: those that are set, or embedded servers started on demand."""

from __future__ import annotations

from functools import lru_cache

from pydantic import SecretStr

from worker.embedded import EmbeddedServers
from worker.settings import Settings, get_settings


def needs_embedded(settings: Settings) -> bool:
    """Whether at least one of the two addresses is empty."""
    return not (settings.database_url.get_secret_value() and settings.redis_url.get_secret_value())


def connect(settings: Settings) -> Settings:
    """The settings with every address filled in.

    Where one is empty, the embedded servers under `ADTEMPO_DATA_DIR` are started, or joined if they run,
    and let go again at the exit of this process. Raises worker.embedded's errors when they cannot start.
    """
    if not needs_embedded(settings):
        return settings
    servers = EmbeddedServers(settings.adtempo_data_dir.resolve())
    servers.acquire()
    addresses = {}
    if not settings.database_url.get_secret_value():
        addresses["database_url"] = SecretStr(servers.database_url)
    if not settings.redis_url.get_secret_value():
        addresses["redis_url"] = SecretStr(servers.redis_url)
    return settings.model_copy(update=addresses)


@lru_cache(maxsize=1)
def connected_settings() -> Settings:
    """The settings of this process with every address filled in."""
    return connect(get_settings())
