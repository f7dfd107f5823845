"""The errors the API answers with, as exceptions, and the one a bad state file raises."""

from collections.abc import Mapping
from typing import Any


class StateError(Exception):
    """The state file cannot be used; the text says why and what to do."""


class ApiError(Exception):
    """An answer other than 2xx: HTTP status, Notion's error code and message."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        additional_data: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(f"{code}: {message}")
        self.status = status
        self.code = code
        self.message = message
        self.additional_data = additional_data
        self.headers = dict(headers or {})

    def document(self, request_id: str) -> dict[str, Any]:
        """The JSON body, keys in the order the real service uses."""
        body: dict[str, Any] = {
            "object": "error",
            "status": self.status,
            "code": self.code,
            "message": self.message,
        }
        if self.additional_data is not None:
            body["additional_data"] = dict(self.additional_data)
        body["request_id"] = request_id
        return body


class HtmlError(Exception):
    """An answer that does not come from the API but from what stands in front of it: an HTML page."""

    def __init__(self, status: int, title: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(f"{status} {title}")
        self.status = status
        self.title = title
        self.headers = dict(headers or {})


def invalid(message: str) -> ApiError:
    """A `validation_error` whose message is given whole."""
    return ApiError(400, "validation_error", message)


def creation_failed(reason: str) -> ApiError:
    """What blocks are refused with when their shape is right and their content is not."""
    return invalid(f"Content creation Failed. Fix the following: \n{reason}")


def rate_limited(retry_after: int) -> ApiError:
    """HTTP 429 with the seconds to wait."""
    return ApiError(
        429,
        "rate_limited",
        "You have been rate limited. Please try again in a few minutes.",
        headers={"Retry-After": str(retry_after)},
    )


_PLAIN = {
    "unauthorized": (401, "API token is invalid."),
    "restricted_resource": (403, "Insufficient permissions for this endpoint."),
    "conflict_error": (409, "Conflict occurred while saving. Please try again."),
    "internal_server_error": (500, "Unexpected error occurred."),
    "service_unavailable": (503, "Notion is unavailable, please try again later."),
    "gateway_timeout": (504, "The request timed out, please try again later."),
    "service_overload": (529, "The service is overloaded, please try again later."),
    "validation_error": (400, "body failed validation: body should be defined, instead was `undefined`."),
}
PLAIN_CODES = frozenset(_PLAIN)


def plain(code: str) -> ApiError:
    """One of the errors that carry nothing of the request."""
    status, message = _PLAIN[code]
    return ApiError(status, code, message)
