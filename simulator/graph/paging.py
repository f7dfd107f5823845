"""Pages: opaque cursors and the link to the next page, which holds the access token as the real one does."""

import base64
import binascii
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from simulator.graph.errors import bad_parameter

DEFAULT_LIMIT = 25
MOST = 5_000


def encode(text: str) -> str:
    """A cursor for a position."""
    return base64.urlsafe_b64encode(text.encode()).decode().replace("=", "ZD")


def decode(cursor: str) -> str:
    """The position in a cursor; error 100 for what is none."""
    padding = 0
    while cursor.endswith("ZD") and padding < 2:
        cursor, padding = cursor[:-2], padding + 1
    try:
        return base64.urlsafe_b64decode(cursor + "=" * padding).decode()
    except (binascii.Error, ValueError):
        raise bad_parameter(
            "Invalid cursors values. Please use the cursors returned by the previous page"
        ) from None


def limit_of(params: Mapping[str, str]) -> int:
    """The page size asked for; 25 when none was."""
    text = params.get("limit", str(DEFAULT_LIMIT))
    if not (text.isascii() and text.isdigit()) or int(text) < 1:
        raise bad_parameter("Param limit must be a positive integer")
    return min(int(text), MOST)


def page(
    rows: list[Any], base: str, params: Mapping[str, str], token: str, cursors: tuple[str, str], more: bool
) -> dict[str, Any]:
    """The envelope. ``base`` is the address without a query, ``cursors`` the encoded (before, after)."""
    paging: dict[str, Any] = {}
    if rows or more:
        paging["cursors"] = {"before": cursors[0], "after": cursors[1]}
    if more:
        # The proof is not repeated in the link: whoever follows it has to add it.
        kept = {
            name: value
            for name, value in params.items()
            if name not in {"after", "before", "appsecret_proof"}
        }
        paging["next"] = f"{base}?{urlencode({'access_token': token, **kept, 'after': cursors[1]})}"
    return {"data": rows, "paging": paging} if paging else {"data": rows}
