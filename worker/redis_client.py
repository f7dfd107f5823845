"""Redis clients with bounded waits, so that a server that hangs is noticed and not waited for."""

from __future__ import annotations

from typing import Any

import redis
import redis.asyncio
from pydantic import SecretStr

_OPTIONS: dict[str, Any] = {
    "decode_responses": True,
    "socket_timeout": 5,
    "socket_connect_timeout": 5,
    "socket_keepalive": True,
    "health_check_interval": 25,
}


def redis_client(url: SecretStr) -> redis.Redis:
    return redis.Redis.from_url(url.get_secret_value(), **_OPTIONS)


def async_redis_client(url: SecretStr) -> redis.asyncio.Redis:
    return redis.asyncio.Redis.from_url(url.get_secret_value(), **_OPTIONS)
