"""What the agent caches of all processes hold, gathered in Redis for a person to look at.

The caches live in the workers' children, which no remote control command reaches. So each process writes
its figures after a task, under `<prefix>agents:<host>:<pid>`, with a TTL that outlives its agents.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

import orjson
import redis

from worker.agent_cache import AgentCache, AgentStats


@dataclass(frozen=True, slots=True)
class ProcessAgents:
    """The agents of one process as it wrote them at `seen_at` (UTC)."""

    process: str
    seen_at: datetime
    agents: tuple[AgentStats, ...]


class AgentStatsBoard:
    """Writing one's own figures and reading everybody's. All methods raise redis.RedisError."""

    def __init__(self, client: redis.Redis, *, prefix: str) -> None:
        self._redis = client
        self._prefix = f"{prefix}agents:"

    def write(self, process: str, cache: AgentCache, *, ttl_seconds: float) -> None:
        record = {
            "process": process,
            "seen_at": datetime.now(UTC).isoformat(),
            "agents": [asdict(stats) for stats in cache.stats()],
        }
        self._redis.set(self._prefix + process, orjson.dumps(record), px=int(ttl_seconds * 1000))

    def remove(self, process: str) -> None:
        self._redis.delete(self._prefix + process)

    def read(self) -> list[ProcessAgents]:
        """Every process that wrote lately, in the order of their names."""
        return sorted(self._records(), key=lambda record: record.process)

    def _records(self) -> Iterator[ProcessAgents]:
        for key in self._redis.scan_iter(match=f"{self._prefix}*", count=500):
            value = self._redis.get(key)
            if not isinstance(value, str):
                continue
            record = orjson.loads(value)
            yield ProcessAgents(
                process=record["process"],
                seen_at=datetime.fromisoformat(record["seen_at"]),
                agents=tuple(AgentStats(**stats) for stats in record["agents"]),
            )
