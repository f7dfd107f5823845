"""Reading a list of Graph page by page.

Only a missing `paging.next` ends a list: an empty page with a next link is followed. The link itself is
never called, as it holds the token and names a host; its parameters are put on our own call.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from agent.errors import BadAnswer
from agent.graph import GraphApi

# How often an empty page may name the same next page.
_EMPTY_PAGES = 10
_NOT_REPEATED = {"access_token", "appsecret_proof"}


def pages(api: GraphApi, path: tuple[str, ...], params: Mapping[str, Any]) -> Iterator[list[dict[str, Any]]]:
    """Yield the `data` of every page, as Graph sent it; an empty page is left out.

    Raises what `GraphApi.call` raises, and BadAnswer when a page is no page or the list turns in a circle.
    """
    current = dict(params)
    seen: Counter[str] = Counter()
    while True:
        body = api.call("GET", path, current).json()
        data = body.get("data")
        if not isinstance(data, list) or not all(isinstance(row, dict) for row in data):
            raise BadAnswer("a page of Graph's answer has no list of objects in `data`")
        if data:
            yield data
        following = _next_link(body)
        if not following:
            return
        # An empty page may point to itself until its rows are ready; one with rows must lead on.
        if seen[following] >= (1 if data else _EMPTY_PAGES):
            raise BadAnswer("Graph's paging leads back to a page that was read already")
        seen[following] += 1
        try:
            query = parse_qsl(urlsplit(following).query)
        except ValueError:
            raise BadAnswer("the link to the next page is no address") from None
        current = {**params, **{name: value for name, value in query if name not in _NOT_REPEATED}}


def _next_link(body: Mapping[str, Any]) -> str:
    """The address of the next page, empty at the end."""
    paging = body.get("paging") or {}
    following = paging.get("next") or "" if isinstance(paging, dict) else None
    if not isinstance(following, str):
        raise BadAnswer("`paging` of Graph's answer is not what it should be")
    return following
