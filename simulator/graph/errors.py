"""Graph's errors as the simulator answers them, and one exception that carries each."""

import random
import string
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from simulator.control import json_answer

_TRACE_CHARACTERS = string.ascii_letters + string.digits + "_-"
_RATE_LIMIT_HELP = (
    "Wait a bit and try again. For more info, please refer to "
    "https://developers.facebook.com/docs/graph-api/overview/rate-limiting"
)


@dataclass
class GraphError(Exception):
    """An answer with an ``error`` object. ``status`` is the HTTP status; a client must not judge by it."""

    code: int
    message: str
    subcode: int | None = None
    status: int = 400
    type: str = "OAuthException"
    is_transient: bool | None = None
    title: str | None = None
    user_message: str | None = None

    def __str__(self) -> str:
        return self.message

    def body(self, trace: str) -> dict[str, Any]:
        """The JSON answer."""
        error: dict[str, Any] = {"message": self.message, "type": self.type, "code": self.code}
        if self.subcode is not None:
            error["error_subcode"] = self.subcode
        if self.is_transient is not None:
            error["is_transient"] = self.is_transient
        if self.title is not None:
            error["error_user_title"] = self.title
        if self.user_message is not None:
            error["error_user_msg"] = self.user_message
        error["fbtrace_id"] = trace
        return {"error": error}

    def response(self, trace: str) -> web.Response:
        """The whole HTTP answer."""
        headers = {"x-fb-trace-id": trace}
        if self.type == "OAuthException" and self.code == 190:
            headers["WWW-Authenticate"] = 'OAuth "Facebook Platform" "invalid_token"'
        return json_answer(self.body(trace), self.status, headers)


def trace_id(chance: random.Random) -> str:
    """An ``fbtrace_id``."""
    return "A" + "".join(chance.choices(_TRACE_CHARACTERS, k=22))


def bad_parameter(message: str, *, subcode: int | None = None) -> GraphError:
    """Error 100 for a wrong parameter."""
    return GraphError(100, f"(#100) {message}", subcode)


def unknown_object(entity_id: str, method: str = "get") -> GraphError:
    """100/33: the object does not exist or may not be seen."""
    return GraphError(
        100,
        f"Unsupported {method} request. Object with ID '{entity_id}' does not exist, cannot be loaded due to "
        "missing permissions, or does not support this operation. Please read the Graph API documentation at "
        "https://developers.facebook.com/docs/graph-api",
        33,
        type="GraphMethodException",
    )


def dead_token(subcode: int | None) -> GraphError:
    """190 with the reason as its subcode."""
    reasons = {
        458: "The user has not authorized application.",
        459: "The session has been invalidated because the user has a checkpoint.",
        460: "The session has been invalidated because the user changed their password or Facebook has "
        "changed the session for security reasons.",
        463: "Session has expired.",
        464: "Sessions for the user are not allowed because the user is not a confirmed user.",
        467: "The session is invalid because the user logged out.",
    }
    reason = reasons.get(subcode or 0, "The access token could not be decrypted.")
    return GraphError(190, f"Error validating access token: {reason}", subcode, status=401)


def no_token() -> GraphError:
    """190 for a call without any token."""
    return GraphError(190, "An access token is required to request this resource.", status=401)


def not_permitted() -> GraphError:
    """200 for an account that the token may not see."""
    return GraphError(
        200,
        "(#200) Ad account owner has NOT grant ads_management or ads_read permission",
        status=403,
    )


def bad_proof(given: str | None) -> GraphError:
    """100 for a wrong or missing ``appsecret_proof``."""
    message = (
        "Invalid appsecret_proof provided in the API argument"
        if given
        else "API calls from the server require an appsecret_proof argument"
    )
    return GraphError(100, message, type="GraphMethodException")


def dead_version(version: str) -> GraphError:
    """2635 for a version that is no longer served."""
    return GraphError(
        2635,
        f"(#2635) You are calling a deprecated version of the Ads API ({version}). Please update to the "
        "latest version.",
    )


def throttled(code: int, subcode: int | None) -> GraphError:
    """One of the many forms of "too many calls"."""
    if code == 4:
        return GraphError(4, "(#4) Application request limit reached", subcode, status=403, is_transient=True)
    if code == 17:
        return GraphError(17, "(#17) User request limit reached", subcode, is_transient=True)
    if code == 32:
        return GraphError(32, "(#32) Page request limit reached", subcode, status=403)
    if code == 613:
        return GraphError(613, "(#613) Calls to this api have exceeded the rate limit.", subcode)
    return GraphError(
        code, f"(#{code}) There have been too many calls from this ad-account. {_RATE_LIMIT_HELP}.", subcode
    )


def too_much_data(code: int, subcode: int | None) -> GraphError:
    """The answer would be too large, or took too long to make."""
    if code == 1 and subcode is None:
        return GraphError(
            1, "Please reduce the amount of data you're asking for, then retry your request", status=500
        )
    return GraphError(
        code,
        f"(#{code}) The request is too large: reduce the date range, the level or the page size.",
        subcode,
        status=400 if code == 100 else 500,
    )


def report_not_ready() -> GraphError:
    """2601/1815107: the rows of a report were asked for before it was complete."""
    return GraphError(
        2601,
        "(#2601) Error accessing adreport job.",
        1815107,
        is_transient=True,
        title="Loading Async Ads Report Failed",
        user_message="Sorry, the report you are trying to load failed or is not complete yet.",
    )


def invalid_breakdowns(names: tuple[str, ...]) -> GraphError:
    """2/1504041: code 2 and yet not worth a retry."""
    return GraphError(
        2,
        f"(#2) Current combination of data breakdown columns ({', '.join(names)}) is invalid",
        1504041,
        status=500,
        title="Invalid breakdowns",
    )
