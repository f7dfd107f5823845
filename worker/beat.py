"""The beat's scheduler: RedBeat, with its own addresses.

RedBeat keeps the schedule and the lock in Redis even when messages travel through another broker. Its
address holds a password and would be shown by `inspect conf`, so only the beat process sets it.
"""

from __future__ import annotations

from typing import Any

from redbeat import RedBeatScheduler

from worker.services import connected_settings


class Scheduler(RedBeatScheduler):
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
