"""How many messages wait in each queue."""

from __future__ import annotations

from urllib.parse import urlsplit

import redis

from worker.queues import Queue
from worker.redis_client import redis_client
from worker.settings import Settings


def queue_lengths(settings: Settings) -> dict[str, int] | None:
    """Messages that no worker has taken yet, by queue; None when the broker is not Redis.

    Takes connected settings. Raises redis.RedisError when the broker does not answer.
    """
    url = settings.broker_url
    if urlsplit(url.get_secret_value()).scheme not in ("redis", "rediss"):
        return None
    client: redis.Redis = redis_client(url)
    try:
        with client.pipeline(transaction=False) as pipe:
            for queue in Queue:
                # The transport keeps a queue as a list under its name, behind the global key prefix.
                pipe.llen(f"{settings.redis_key_prefix}{queue.value}")
            return dict(zip((queue.value for queue in Queue), map(int, pipe.execute()), strict=True))
    finally:
        client.close()
