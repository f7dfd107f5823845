"""The calls to Notion that reports need, with every failure as one of this room's errors.

The client's own retries are off: they sleep in the caller, and after a doubtful outcome a write must not be
repeated blindly. Its methods drop keyword arguments that they do not know without a word, so nothing outside
this module calls them.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import Any, Self

import httpx
from notion_client import Client
from notion_client.errors import (
    APIResponseError,
    HTTPResponseError,
    InvalidPathParameterError,
    RequestTimeoutError,
)
from pydantic import SecretStr

from reports.errors import (
    NotionBadRequest,
    NotionError,
    NotionMissing,
    NotionRefused,
    NotionThrottled,
    NotionTransient,
)
from reports.rich_text import Json

NOTION_VERSION = "2025-09-03"
PAGE_SIZE = 100

# A wait that no header names, and the longest one that is believed; seconds.
_DEFAULT_WAIT = 10.0
_LONGEST_WAIT = 86_400.0
_CONNECT_SECONDS = 10.0
_MESSAGE_LENGTH = 500
_BAD_ADDRESS = "NOTION_API_URL is not an http:// or https:// address"
_TOKEN = re.compile(r"[!-~]+")


class NotionGateway:
    """Notion for one token. Not for use by several threads at once; close it after use.

    `token` is the integration's secret, `base_url` the address without /v1. `timeout` is in seconds: a call
    that takes longer has a doubtful outcome, so it should not be shorter than Notion's own minute.
    `before_call` runs before every call and may raise (a rate limiter shared by all workers).

    Every method raises NotionThrottled, NotionTransient, NotionRefused, NotionMissing or NotionBadRequest.
    """

    def __init__(
        self,
        token: SecretStr,
        *,
        base_url: str = "https://api.notion.com",
        timeout: float = 60.0,
        before_call: Callable[[], None] | None = None,
    ) -> None:
        secret = token.get_secret_value().strip()
        # Any other character would come back in the text of the HTTP library's error, with the token.
        if not _TOKEN.fullmatch(secret):
            raise NotionRefused(
                "NOTION_API_TOKEN is empty or holds characters that no token has; set it anew"
            )
        # A logger of our own: the client would add a handler to its own one for every client made.
        logger = logging.getLogger(f"{__name__}.client")
        self._http = httpx.Client()
        try:
            self._client = Client(
                client=self._http,
                auth=secret,
                base_url=base_url.rstrip("/"),
                timeout_ms=round(timeout * 1000),
                notion_version=NOTION_VERSION,
                retry=False,
                logger=logger,
                log_level=logging.ERROR,  # failures are raised, and logged by who handles them
            )
        except httpx.InvalidURL:
            raise NotionBadRequest(_BAD_ADDRESS) from None
        self._http.timeout = httpx.Timeout(timeout, connect=min(timeout, _CONNECT_SECONDS))
        self._before_call = before_call
        self.calls = 0

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # Pages

    def retrieve_page(self, page_id: str) -> Json:
        """A page with its properties, in the trash or not."""
        return self._call(self._client.pages.retrieve, page_id=page_id)

    def create_page(self, data_source_id: str, properties: Json, children: Sequence[Json]) -> Json:
        """A new page in a data source with its first blocks."""
        return self._call(
            self._client.pages.create,
            parent={"type": "data_source_id", "data_source_id": data_source_id},
            properties=properties,
            children=list(children),
        )

    def update_page(self, page_id: str, properties: Json, *, erase: bool = False) -> Json:
        """Set properties, and with `erase` take all blocks away in the same call."""
        content = {"erase_content": True} if erase else {}
        return self._call(self._client.pages.update, page_id=page_id, properties=properties, **content)

    def trash_page(self, page_id: str) -> None:
        """Move a page to the trash; doing it twice is no error."""
        self._call(self._client.pages.update, page_id=page_id, in_trash=True)

    def append_blocks(self, page_id: str, children: Sequence[Json]) -> None:
        """Add blocks at the end of a page."""
        self._call(self._client.blocks.children.append, block_id=page_id, children=list(children))

    # Databases

    def list_blocks(self, page_id: str) -> Iterator[Json]:
        """All blocks at the top of a page, in order; a call for each hundred."""
        cursor: str | None = None
        while True:
            answer = self._call(
                self._client.blocks.children.list,
                block_id=page_id,
                page_size=PAGE_SIZE,
                **({} if cursor is None else {"start_cursor": cursor}),
            )
            yield from _results(answer)
            cursor = answer.get("next_cursor")
            if not answer.get("has_more") or not cursor:
                return

    def retrieve_database(self, database_id: str) -> Json:
        """A database with the names of its data sources, in the trash or not."""
        return self._call(self._client.databases.retrieve, database_id=database_id)

    def create_database(
        self, parent_page_id: str, *, title: Sequence[Json], description: Sequence[Json], properties: Json
    ) -> Json:
        """A new database under a page with one data source of the properties given."""
        return self._call(
            self._client.databases.create,
            parent={"type": "page_id", "page_id": parent_page_id},
            title=list(title),
            description=list(description),
            initial_data_source={"properties": properties},
        )

    def trash_database(self, database_id: str) -> None:
        """Move a database to the trash."""
        self._call(self._client.databases.update, database_id=database_id, in_trash=True)

    def retrieve_data_source(self, data_source_id: str) -> Json:
        """A data source with the definitions of its properties."""
        return self._call(self._client.data_sources.retrieve, data_source_id=data_source_id)

    def add_properties(self, data_source_id: str, properties: Json) -> None:
        """Add columns to a data source; the others stay as they are."""
        self._call(self._client.data_sources.update, data_source_id=data_source_id, properties=properties)

    def query(self, data_source_id: str, *, filter: Json) -> list[Json]:
        """The first hundred pages that match and are not in the trash, oldest first."""
        answer = self._call(
            self._client.data_sources.query,
            data_source_id=data_source_id,
            filter=filter,
            sorts=[{"timestamp": "created_time", "direction": "ascending"}],
            page_size=PAGE_SIZE,
        )
        return list(_results(answer))

    def _call(self, function: Callable[..., Any], **arguments: Any) -> Json:
        if self._before_call is not None:
            self._before_call()
        self.calls += 1
        # `from None`: the causes hold the request, whose headers carry the token.
        try:
            answer = function(**arguments)
        except HTTPResponseError as error:
            raise _refusal(error) from None
        except RequestTimeoutError:
            raise NotionTransient("Notion did not answer in time; the call may have been done") from None
        except InvalidPathParameterError:
            raise NotionBadRequest("an id for Notion holds characters that no id has") from None
        except (httpx.InvalidURL, httpx.UnsupportedProtocol):
            raise NotionBadRequest(_BAD_ADDRESS) from None
        except httpx.HTTPError as error:
            raise NotionTransient(f"the connection to Notion failed ({type(error).__name__})") from None
        except ValueError:
            raise NotionTransient("Notion's answer is not JSON, though its status says success") from None
        if not isinstance(answer, dict):
            raise NotionTransient("Notion's answer is not an object, though its status says success")
        return answer


def _results(answer: Json) -> Iterable[Json]:
    results = answer.get("results")
    if not isinstance(results, list):
        raise NotionTransient("Notion's answer holds no list of results")
    return results


def _refusal(error: HTTPResponseError) -> NotionError:
    """The typed error for an answer that is no success.

    The HTTP status decides: what stands in front of Notion answers in HTML, and the client calls Notion's
    newer codes unknown.
    """
    status = error.status
    text = _text(error)
    if status == 429:
        wait = retry_after(error.headers.get("retry-after"))
        return NotionThrottled(f"Notion asks to wait {wait:.0f} s before the next call", retry_after=wait)
    if status in (408, 409, 425) or status >= 500:
        return NotionTransient(f"{text}; the call may have been done")
    if status == 401:
        return NotionRefused(f"{text} Make a new token in Notion's settings and set NOTION_API_TOKEN.")
    if status == 403:
        return NotionRefused(f"{text} Give the integration the right to read, insert and update content.")
    if status == 404 and isinstance(error, APIResponseError):
        return NotionMissing(text)
    if status == 400 and re.search(r"\barchived\b|\btrash\b", text):
        return NotionMissing(f"{text} Restore it from Notion's trash, or set another page.")
    if not isinstance(error, APIResponseError):
        return NotionBadRequest(f"{text}; is NOTION_API_URL the address of Notion?")
    return NotionBadRequest(text)


def _text(error: HTTPResponseError) -> str:
    if not isinstance(error, APIResponseError):
        return f"Notion answered HTTP {error.status} without a reason"
    reason = " ".join(str(error).split())[:_MESSAGE_LENGTH]
    trace = f" [request {error.request_id}]" if error.request_id else ""
    return f"Notion answered {error.status} {error.code.value}: {reason}{trace}"


def retry_after(header: str | None, *, now: datetime | None = None) -> float:
    """Seconds to wait from a Retry-After header, a number of seconds or a date; a default without one."""
    if header is None:
        return _DEFAULT_WAIT
    try:
        seconds = float(header)
    except ValueError:
        try:
            at = parsedate_to_datetime(header)
        except ValueError:
            return _DEFAULT_WAIT
        at = at if at.tzinfo is not None else at.replace(tzinfo=UTC)
        seconds = (at - (now or datetime.now(UTC))).total_seconds()
    # The comparison is false for NaN.
    return min(seconds, _LONGEST_WAIT) if seconds >= 0 else 0.0
