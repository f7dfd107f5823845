"""Every way in which Graph refuses, by (code, subcode), and what the collector should do about it.

The HTTP status decides nothing: Graph answers errors with 200, 400 and 500 alike. No text here holds the
request's address or parameters, since the access token travels in them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar


class AgentError(Exception):
    """Base of this room's errors. `kind` is the stable name stored with a failed slice."""

    kind: ClassVar[str] = "agent"


class TokenRefused(AgentError):
    """The token is revoked: no call was made. Set a new token."""

    kind = "token_refused"


class TokenStateUnknown(AgentError):
    """Whether the token is revoked cannot be known, as Redis does not answer: no call was made."""

    kind = "token_state_unknown"


class GraphError(AgentError):
    """Graph's answer to one call was an error, or there was no answer."""

    kind = "graph"

    def __init__(
        self,
        message: str,
        *,
        code: int | None = None,
        subcode: int | None = None,
        trace_id: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        where = "" if code is None else f" (code {code}" + (f"/{subcode})" if subcode else ")")
        trace = f" [fbtrace {trace_id}]" if trace_id else ""
        super().__init__(f"{message}{where}{trace}")
        self.code = code
        self.subcode = subcode
        # Seconds until Meta expects to answer again, where it said so.
        self.retry_after = retry_after


class Transient(GraphError):
    """A passing fault: the same call may succeed later."""

    kind = "transient"


class Throttled(GraphError):
    """The account or the app has used up its quota; calling again now would lengthen the block."""

    kind = "throttled"


class TooMuchData(GraphError):
    """The answer would be too large: ask for less at a time."""

    kind = "too_much_data"


class TokenDead(GraphError):
    """The access token is no longer valid; a person has to make a new one."""

    kind = "token_dead"


class PermissionMissing(GraphError):
    """The token may not see or do this, or the object does not exist for it."""

    kind = "not_allowed"


class BadRequest(GraphError):
    """Graph does not accept the call as it is; the same call will never succeed."""

    kind = "bad_request"


class BadAnswer(AgentError):
    """Graph's answer has a value that cannot be what it should be; it is named in the text."""

    kind = "bad_answer"


_THROTTLED = {4, 17, 32, 613, *range(80000, 80007), 80008, 80009, 80014}
_TOO_MUCH_DATA = {(100, 1487534), (100, 1504018), (2, 1504038), (1, 99)}
_FATAL_THOUGH_TRANSIENT = {(2, 1504041), (2, 1504042), (1, 2853001)}
_TRANSIENT_PAIRS = {(2601, 1815107)}
_TOKEN_DEAD = {102, 190}
_TRANSIENT = {-2, 1, 2}
_OBJECT_INVISIBLE = (100, 33)


def classify(error: Mapping[str, Any], *, retry_after: float | None = None) -> GraphError:
    """The typed error for the `error` object of an answer of Graph.

    `retry_after` is what the usage headers say, in seconds.
    """
    code = _number(error.get("code"))
    subcode = _number(error.get("error_subcode"))
    message = str(error.get("error_user_msg") or error.get("message") or "Graph gave no reason")
    kind = _kind(code, subcode, str(error.get("message", "")), bool(error.get("is_transient")))
    return kind(
        " ".join(message.split()),
        code=code,
        subcode=subcode,
        trace_id=str(error["fbtrace_id"]) if error.get("fbtrace_id") else None,
        retry_after=retry_after,
    )


def _kind(code: int | None, subcode: int | None, message: str, is_transient: bool) -> type[GraphError]:
    pair = (code, subcode)
    if code in _TOKEN_DEAD:
        return TokenDead
    if code in _THROTTLED:
        return Throttled
    if pair in _TOO_MUCH_DATA or (code == 1 and "reduce the amount of data" in message.lower()):
        return TooMuchData
    if pair in _FATAL_THOUGH_TRANSIENT:
        return BadRequest
    if is_transient or code in _TRANSIENT or pair in _TRANSIENT_PAIRS:
        return Transient
    if code == 10 or (code is not None and 200 <= code <= 299) or pair == _OBJECT_INVISIBLE:
        return PermissionMissing
    if code == 100 and "missing permission" in message.lower():
        return PermissionMissing
    return BadRequest


def _number(value: object) -> int | None:
    try:
        return int(str(value))
    except ValueError:
        return None
