"""Every way in which a report cannot be made or written; each text says what to do.

No text holds the Notion token: it travels in a header that none of these errors knows of.
"""

from __future__ import annotations

from typing import ClassVar


class ReportError(Exception):
    """Base of this room's errors. `kind` is the stable name stored with a failed job."""

    kind: ClassVar[str] = "report"


class NothingToReport(ReportError):
    """The account, or the day, was never collected. Collect first; a day without delivery is no error."""

    kind = "nothing_to_report"


class ReportBusy(ReportError):
    """Another worker writes this report or makes its database right now. Try again in a minute."""

    kind = "report_busy"


class NotionError(ReportError):
    """Notion's answer to one call was an error, or there was no answer."""

    kind = "notion"


class NotionThrottled(NotionError):
    """Too many calls for this token or workspace; nothing was written by the refused call."""

    kind = "notion_throttled"

    def __init__(self, message: str, *, retry_after: float) -> None:
        super().__init__(message)
        # Seconds to wait before the next call of any worker.
        self.retry_after = retry_after


class NotionTransient(NotionError):
    """A passing fault. The call may have been carried out or not: look before writing again."""

    kind = "notion_transient"


class NotionRefused(NotionError):
    """The token is not valid, or may not do this; a person has to change it or the page's sharing."""

    kind = "notion_refused"


class NotionMissing(NotionError):
    """The page or database does not exist, is in the trash or is not shared with the integration."""

    kind = "notion_missing"


class NotionBadRequest(NotionError):
    """Notion does not accept the call as it is; the same call will never succeed."""

    kind = "notion_bad_request"
