"""Tokens that must not be used any more, known to all workers through Redis.

A token is kept as its SHA-256 under `<prefix>revoked:<hash>`, with the reason and the time as value and a
TTL until the token would have expired anyway. The check fails secure: when Redis does not answer, the
token counts as unusable. The synchronous and the asyncio interface read and write the same keys.
"""

from __future__ import annotations

import hashlib
import logging
import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta

import orjson
import redis
import redis.asyncio
from pydantic import SecretStr

from agent.errors import TokenRefused, TokenStateUnknown

log = logging.getLogger(__name__)

# For a token whose expiry is not known, or that never expires. The daily check of the tokens renews it
# for as long as the token stays configured.
UNKNOWN_EXPIRY = timedelta(days=90)
# What Redis answers for the TTL of a key that is not there.
_NO_SUCH_KEY = -2
_UNREACHABLE = "cannot know whether the token is revoked, because Redis does not answer; no call was made"


def fingerprint(token: SecretStr) -> str:
    """The SHA-256 of a token, in hexadecimal: what may be stored and compared."""
    return hashlib.sha256(token.get_secret_value().encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Revocation:
    """Why and when (UTC, ISO 8601) the token with this SHA-256 was revoked."""

    fingerprint: str
    reason: str
    revoked_at: str


@dataclass(frozen=True, slots=True)
class _Keys:
    """The keys and values that both interfaces share."""

    prefix: str

    def of(self, token: SecretStr) -> str:
        return f"{self.prefix}revoked:{fingerprint(token)}"

    def pattern(self) -> str:
        return f"{self.prefix}revoked:*"

    @staticmethod
    def encode(token: SecretStr, reason: str) -> str:
        secret = token.get_secret_value()
        safe = reason.replace(secret, "[token]") if secret else reason
        entry = Revocation(fingerprint(token), safe[:500], datetime.now(UTC).isoformat(timespec="seconds"))
        return orjson.dumps(asdict(entry)).decode()

    @staticmethod
    def decode(value: str) -> Revocation:
        return Revocation(**orjson.loads(value))

    @staticmethod
    def ttl(expires_at: datetime | None) -> timedelta:
        if expires_at is None:
            return UNKNOWN_EXPIRY
        # In whole seconds and rounded up: the entry must not end before the token does. One that has expired
        # already needs no entry, but Redis wants a TTL of a second at least.
        left = math.ceil((expires_at - datetime.now(UTC)).total_seconds())
        return timedelta(seconds=max(left, 1))


def _refuse(value: str | None) -> None:
    if value is not None:
        entry = _Keys.decode(value)
        raise TokenRefused(f"the token was revoked at {entry.revoked_at}: {entry.reason}")


class RevokedTokens:
    """The synchronous interface; also the guard that the ad agent asks before every call."""

    def __init__(self, client: redis.Redis, *, prefix: str) -> None:
        self._redis = client
        self._keys = _Keys(prefix)

    def check(self, token: SecretStr) -> None:
        """Raises TokenRefused for a revoked token, TokenStateUnknown when Redis does not answer."""
        try:
            value = self._redis.get(self._keys.of(token))
        except redis.RedisError:
            raise TokenStateUnknown(_UNREACHABLE) from None
        _refuse(_text(value))

    def died(self, token: SecretStr, reason: str) -> None:
        """Graph refused the token: revoke it for every worker. Redis being away does not raise here.

        No call is made while Redis is away, and the first one after that revokes the token again.
        """
        try:
            self.revoke(token, reason=reason)
        except redis.RedisError as error:
            log.warning("a dead token could not be revoked: %s", type(error).__name__)

    def revoke(self, token: SecretStr, *, reason: str, expires_at: datetime | None = None) -> None:
        """Revoke until `expires_at` (None: not known). Raises redis.RedisError when not stored."""
        self._redis.set(self._keys.of(token), self._keys.encode(token, reason), ex=self._keys.ttl(expires_at))

    def restore(self, token: SecretStr) -> bool:
        """Allow the token again; whether it was revoked. Raises redis.RedisError."""
        return bool(self._redis.delete(self._keys.of(token)))

    def extend(self, token: SecretStr) -> bool:
        """Keep a revoked token revoked for another while; whether it is revoked. Raises redis.RedisError."""
        key = self._keys.of(token)
        left = self._redis.ttl(key)
        assert isinstance(left, int), "the client is synchronous"
        if 0 <= left < UNKNOWN_EXPIRY.total_seconds():
            return bool(self._redis.expire(key, UNKNOWN_EXPIRY))
        return left != _NO_SUCH_KEY

    def find(self, token: SecretStr) -> Revocation | None:
        """The entry of a token, None if it is not revoked. Raises redis.RedisError."""
        value = _text(self._redis.get(self._keys.of(token)))
        return None if value is None else self._keys.decode(value)

    def all(self) -> Iterator[Revocation]:
        """Every revoked token, in no order. Raises redis.RedisError."""
        for key in self._redis.scan_iter(match=self._keys.pattern(), count=500):
            value = _text(self._redis.get(key))
            if value is not None:
                yield self._keys.decode(value)


class AsyncRevokedTokens:
    """The asyncio interface over the same keys."""

    def __init__(self, client: redis.asyncio.Redis, *, prefix: str) -> None:
        self._redis = client
        self._keys = _Keys(prefix)

    async def check(self, token: SecretStr) -> None:
        """Raises TokenRefused for a revoked token, TokenStateUnknown when Redis does not answer."""
        try:
            value = await self._redis.get(self._keys.of(token))
        except redis.RedisError:
            raise TokenStateUnknown(_UNREACHABLE) from None
        _refuse(_text(value))

    async def revoke(self, token: SecretStr, *, reason: str, expires_at: datetime | None = None) -> None:
        """Revoke until `expires_at` (None: not known). Raises redis.RedisError when not stored."""
        await self._redis.set(
            self._keys.of(token), self._keys.encode(token, reason), ex=self._keys.ttl(expires_at)
        )

    async def restore(self, token: SecretStr) -> bool:
        """Allow the token again; whether it was revoked. Raises redis.RedisError."""
        return bool(await self._redis.delete(self._keys.of(token)))


def _text(value: object) -> str | None:
    # A client may answer in bytes; an entry must not be overlooked for that.
    return value.decode() if isinstance(value, bytes) else value if isinstance(value, str) else None
