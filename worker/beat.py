"""The beat's scheduler: RedBeat with its own addresses, and with patience.

RedBeat keeps the schedule and the lock in Redis even when messages travel through another broker. Its
address holds a password and would be shown by `inspect conf`, so only the beat process sets it.
"""

from __future__ import annotations

import logging
from types import SimpleNamespace
from typing import Any

import redis
from redbeat import RedBeatScheduler
from redbeat.schedulers import acquire_distributed_beat_lock
from redis.exceptions import LockError

from worker.services import connected_settings

log = logging.getLogger(__name__)

# Seconds until the next look, while Redis is away or another beat holds the lock.
_PAUSE = 2.0


class Scheduler(RedBeatScheduler):
    """RedBeat ends with the first error of Redis; this one goes on when Redis is back."""

    def __init__(self, app: Any, *args: Any, **kwargs: Any) -> None:
        app.conf.redbeat_redis_url = connected_settings().redis_url.get_secret_value()
        app.conf.redbeat_redis_options = {
            "socket_timeout": 30,
            "socket_connect_timeout": 5,
            "socket_keepalive": True,
            "health_check_interval": 25,
            "retry_period": 60,
        }
        super().__init__(app, *args, **kwargs)

    def tick(self, *args: Any, **kwargs: Any) -> float:
        """Send what is due, if this beat holds the lock; the seconds until the next look."""
        try:
            if self.lock is None:
                # Redis was away when beat started.
                acquire_distributed_beat_lock(SimpleNamespace(scheduler=self))
            wait: float = super().tick(*args, **kwargs)
        except LockError:
            # It ran out while Redis was away. Whoever gets it now sends; the slots of the jobs in the
            # database keep two beats from asking for the same work.
            self._take_lock()
            return _PAUSE
        except redis.RedisError as error:
            log.warning("beat cannot use Redis (%s); it tries again", type(error).__name__)
            return _PAUSE
        return wait

    def close(self) -> None:
        try:
            super().close()
        except redis.RedisError as error:
            log.warning("beat could not release its lock (%s); it runs out by itself", type(error).__name__)

    def _take_lock(self) -> None:
        try:
            if self.lock.acquire(blocking=False):
                log.warning("beat has its lock again")
        except redis.RedisError as error:
            log.warning("beat cannot use Redis (%s); it tries again", type(error).__name__)
