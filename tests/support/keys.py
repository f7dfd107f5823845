"""What Redis holds, as text, for looking whether a secret is in it."""

from __future__ import annotations

from typing import Any

import redis


def everything(client: redis.Redis, pattern: str = "*") -> dict[str, str]:
    """Every key that matches, with all that is stored under it. The client must decode its answers."""
    return {str(key): _content(client, str(key)) for key in client.scan_iter(match=pattern, count=1000)}


def _content(client: redis.Redis, key: str) -> str:
    readers: dict[str, Any] = {
        "string": client.get,
        "list": lambda name: client.lrange(name, 0, -1),
        "hash": client.hgetall,
        "set": client.smembers,
        "zset": lambda name: client.zrange(name, 0, -1, withscores=True),
    }
    kind = str(client.type(key))
    # It may have gone since the scan.
    return "" if kind == "none" else str(readers[kind](key))
