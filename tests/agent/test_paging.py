"""Reading a list to its end."""

from __future__ import annotations

from typing import Any

import pytest

from agent.errors import BadAnswer, Throttled
from agent.graph import GraphApi
from agent.paging import pages
from tests.agent.answers import Answer, HandMade, answer, error
from tests.agent.conftest import MakeApi
from tests.conftest import TOKEN
from tests.support.simulators import GraphSimulator

PATH = ("act_1", "ads")
PARAMS = {"fields": "id", "limit": "2"}


def page(*ids: str, following: str | None = None, **cursors: str) -> Answer:
    paging: dict[str, Any] = {"cursors": cursors or {"before": "a", "after": "z"}}
    if following is not None:
        paging["next"] = following
    return answer({"data": [{"id": one} for one in ids], "paging": paging})


def link(after: str, host: str = "https://graph.facebook.com") -> str:
    return f"{host}/v26.0/act_1/ads?access_token=OTHER&appsecret_proof=OTHER&limit=2&after={after}"


def read(api: GraphApi) -> list[list[str]]:
    return [[row["id"] for row in rows] for rows in pages(api, PATH, PARAMS)]


def test_pages_come_in_order_until_there_is_no_next(server: HandMade, api: GraphApi) -> None:
    server.give(page("1", "2", following=link("b")), page("3", following=link("c")), page("4"))
    assert read(api) == [["1", "2"], ["3"], ["4"]]
    assert [seen.query.get("after") for seen in server.requests] == [None, "b", "c"]


def test_a_cursor_without_a_next_link_is_the_end(server: HandMade, api: GraphApi) -> None:
    server.give(page("1", after="b"))
    assert read(api) == [["1"]]
    assert len(server.requests) == 1


def test_a_page_comes_as_soon_as_it_is_there(server: HandMade, api: GraphApi) -> None:
    server.give(page("1", following=link("b")), page("2"))
    found = pages(api, PATH, PARAMS)
    next(found)
    assert len(server.requests) == 1


def test_an_empty_page_with_a_next_link_is_followed(server: HandMade, api: GraphApi) -> None:
    server.give(page("1", following=link("b")), page(following=link("c")), page("2"))
    assert read(api) == [["1"], ["2"]]


def test_an_empty_page_may_point_to_itself_for_a_while(server: HandMade, api: GraphApi) -> None:
    server.give(
        page("1", following=link("b")), page(following=link("b")), page(following=link("b")), page("2")
    )
    assert read(api) == [["1"], ["2"]]


def test_the_host_in_the_next_link_is_never_called(server: HandMade, api: GraphApi) -> None:
    """The link names the very server, so that a call of it would be seen there."""
    other = f"{server.url}/elsewhere?after=b&access_token=OTHER&appsecret_proof=OTHER"
    server.give(page("1", following=other), page("2"))
    assert read(api) == [["1"], ["2"]]
    assert {seen.path for seen in server.requests} == {"/v26.0/act_1/ads"}
    assert {seen.query["access_token"] for seen in server.requests} == {TOKEN}
    assert "OTHER" not in {seen.query["appsecret_proof"] for seen in server.requests}


def test_what_was_asked_for_is_asked_for_on_every_page(server: HandMade, api: GraphApi) -> None:
    server.give(page("1", following="https://graph.facebook.com/x?after=b"), page("2"))
    read(api)
    assert [(seen.query["fields"], seen.query["limit"]) for seen in server.requests] == [("id", "2")] * 2


def test_a_list_that_turns_in_a_circle_ends(server: HandMade, api: GraphApi) -> None:
    server.give(page("1", following=link("b")))
    with pytest.raises(BadAnswer, match="leads back"):
        read(api)
    assert len(server.requests) < 5


def test_a_list_of_empty_pages_that_never_ends_is_given_up(server: HandMade, api: GraphApi) -> None:
    server.give(page(following=link("b")))
    with pytest.raises(BadAnswer, match="leads back"):
        read(api)
    assert len(server.requests) < 30


@pytest.mark.parametrize(
    "document",
    [{}, {"data": None}, {"data": {}}, {"data": "rows"}, {"data": [1]}, {"data": [{}, None]}, {"data": [[]]}],
)
def test_a_page_without_a_list_of_objects_is_refused(
    server: HandMade, api: GraphApi, document: dict[str, Any]
) -> None:
    server.give(answer(document))
    with pytest.raises(BadAnswer, match="list of objects"):
        read(api)


@pytest.mark.parametrize("document", [{"data": [{"id": "1"}]}, {"data": [{"id": "1"}], "paging": None}])
def test_a_list_without_paging_is_one_page(server: HandMade, api: GraphApi, document: dict[str, Any]) -> None:
    server.give(answer(document))
    assert read(api) == [["1"]]


def test_an_error_in_the_middle_is_raised_after_the_pages_before_it(server: HandMade, api: GraphApi) -> None:
    server.give(page("1", following=link("b")), error(17))
    found = pages(api, PATH, PARAMS)
    assert next(found) == [{"id": "1"}]
    with pytest.raises(Throttled):
        next(found)


def test_the_simulators_lists_are_read_whole_whatever_the_page_size(
    graph: GraphSimulator, make_api: MakeApi
) -> None:
    api = make_api(graph.url)
    account = f"act_{graph.account_ids()[0]}"
    graph.fault("empty_page_with_next", times=2, after=1)

    def ids(limit: int) -> list[str]:
        found = pages(api, (account, "campaigns"), {"fields": "id", "limit": str(limit)})
        return [row["id"] for rows in found for row in rows]

    assert ids(1) == ids(500)
    assert len(ids(500)) > 1


@pytest.mark.parametrize(
    "paging",
    ["next", [1], {"next": 5}, {"next": {"href": "x"}}, {"next": "http://["}],
    ids=["text", "list", "number", "object", "no-address"],
)
def test_paging_that_is_no_paging_is_a_bad_answer(server: HandMade, api: GraphApi, paging: object) -> None:
    server.give(answer({"data": [{"id": "1"}], "paging": paging}))
    with pytest.raises(BadAnswer):
        read(api)


@pytest.mark.parametrize("paging", [None, {}, [], {"next": None}, {"next": ""}])
def test_paging_that_says_nothing_is_the_end(server: HandMade, api: GraphApi, paging: object) -> None:
    server.give(answer({"data": [{"id": "1"}], "paging": paging}))
    assert read(api) == [["1"]]
