"""Queries: filters, sorts, pages of results."""

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.simulator.notion.conftest import Api


def _rich(text: str) -> list[Any]:
    return [{"text": {"content": text}}]


@pytest.fixture
def source(api: "Api") -> str:
    """Rows a to d; d has a name and nothing else."""
    options = [{"name": name} for name in ("low", "high")]
    _, made = api.database(
        {
            "Name": {"title": {}},
            "Text": {"rich_text": {}},
            "Cost": {"number": {}},
            "Kind": {"select": {"options": options}},
            "Tags": {"multi_select": {}},
            "State": {"status": {}},
            "Day": {"date": {}},
            "Done": {"checkbox": {}},
        }
    )
    api.patch(
        f"/v1/data_sources/{made}",
        {"properties": {"Of": {"relation": {"data_source_id": made, "single_property": {}}}}},
    )
    first = ""
    for index, name in enumerate("abc"):
        page = api.row(
            made,
            {
                "Name": {"title": _rich(f"row {name}")},
                "Text": {"rich_text": _rich(f"Key/{name}")},
                "Cost": {"number": 10 * index},
                "Kind": {"select": {"name": "high" if name == "a" else "low"}},
                "Tags": {"multi_select": [{"name": name}, {"name": "all"}]},
                "State": {"status": {"name": "Done" if name == "b" else "In progress"}},
                "Day": {"date": {"start": f"2026-11-2{index}"}},
                "Done": {"checkbox": name == "c"},
                "Of": {"relation": [{"id": first}] if first else []},
            },
        )
        first = first or page["id"]
    api.row(made, {"Name": {"title": _rich("row d")}})
    return made


def _names(api: "Api", source: str, **body: Any) -> str:
    """Last letters of the names found."""
    found = api.post(f"/v1/data_sources/{source}/query", body)["results"]
    return "".join(page["properties"]["Name"]["title"][0]["plain_text"][-1] for page in found)


def _prop(name: str, kind: str, **condition: Any) -> dict[str, Any]:
    return {"property": name, kind: condition}


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        (_prop("Name", "title", contains="ROW"), "abcd"),
        (_prop("Name", "rich_text", equals="row a"), "a"),
        (_prop("Text", "rich_text", equals="Key/b"), "b"),
        (_prop("Text", "rich_text", equals="key/b"), ""),
        (_prop("Text", "rich_text", does_not_equal="Key/b"), "acd"),
        (_prop("Text", "rich_text", starts_with="Key"), "abc"),
        (_prop("Text", "rich_text", ends_with="/c"), "c"),
        (_prop("Text", "rich_text", does_not_contain="key"), "d"),
        (_prop("Text", "rich_text", is_empty=True), "d"),
        (_prop("Cost", "number", equals=10), "b"),
        (_prop("Cost", "number", greater_than=0), "bc"),
        (_prop("Cost", "number", greater_than_or_equal_to=10), "bc"),
        (_prop("Cost", "number", less_than=10), "a"),
        (_prop("Cost", "number", less_than_or_equal_to=10), "ab"),
        (_prop("Cost", "number", does_not_equal=10), "acd"),
        (_prop("Cost", "number", is_not_empty=True), "abc"),
        (_prop("Kind", "select", equals="high"), "a"),
        (_prop("Kind", "select", does_not_equal="high"), "bcd"),
        (_prop("Kind", "select", is_empty=True), "d"),
        (_prop("State", "status", equals="Done"), "b"),
        (_prop("Tags", "multi_select", contains="all"), "abc"),
        (_prop("Tags", "multi_select", does_not_contain="a"), "bcd"),
        (_prop("Day", "date", equals="2026-11-21"), "b"),
        (_prop("Day", "date", before="2026-11-21"), "a"),
        (_prop("Day", "date", on_or_after="2026-11-21"), "bc"),
        (_prop("Day", "date", after="2026-11-21T00:00:00Z"), "c"),
        (_prop("Day", "date", is_empty=True), "d"),
        (_prop("Done", "checkbox", equals=True), "c"),
        (_prop("Done", "checkbox", does_not_equal=True), "abd"),
        (_prop("Of", "relation", is_not_empty=True), "bc"),
        ({"timestamp": "created_time", "created_time": {"past_week": {}}}, "abcd"),
        ({"timestamp": "created_time", "created_time": {"before": "2020-01-01"}}, ""),
        ({"and": [_prop("Cost", "number", less_than=20), _prop("Done", "checkbox", equals=False)]}, "ab"),
        (
            {
                "or": [
                    _prop("Cost", "number", equals=20),
                    {"and": [_prop("Kind", "select", equals="high"), _prop("Cost", "number", equals=0)]},
                ]
            },
            "ac",
        ),
    ],
)
def test_filters(api: "Api", source: str, condition: Any, found: str) -> None:
    assert _names(api, source, filter=condition)[::-1] == found


def test_relation_contains(api: "Api", source: str) -> None:
    first = api.post(f"/v1/data_sources/{source}/query", {"filter": _prop("Cost", "number", equals=0)})
    assert _names(api, source, filter=_prop("Of", "relation", contains=first["results"][0]["id"])) == "cb"


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        (_prop("Nope", "number", equals=1), "Could not find property with name or id: Nope"),
        (_prop("Cost", "rich_text", equals="1"), "database property number does not match filter rich_text"),
        (_prop("Cost", "number", equals="1"), "body.filter.number.equals should be a number"),
        (_prop("Cost", "number", near=1), "body.filter.number.near should be not present"),
        (_prop("Cost", "number"), "body.filter.number.equals should be defined"),
        (_prop("Cost", "number", is_empty=False), "body.filter.number.is_empty should be `true`"),
        (_prop("Day", "date", equals="today"), "date.equals should be a valid ISO 8601"),
        ({"property": "Cost"}, "body.filter.number should be defined"),
        ({}, "body.filter.or should be defined"),
        ({"and": [{"or": [{"and": []}]}]}, "body.filter.and[0].or[0].and should be not present"),
    ],
)
def test_wrong_filters_are_refused(api: "Api", source: str, condition: Any, message: str) -> None:
    assert message in api.refused("POST", f"/v1/data_sources/{source}/query", {"filter": condition})


@pytest.mark.parametrize(
    ("sorts", "found"),
    [
        ([], "dcba"),
        ([{"property": "Cost", "direction": "descending"}], "cbad"),
        ([{"property": "Cost", "direction": "ascending"}], "abcd"),
        ([{"property": "Name", "direction": "ascending"}], "abcd"),
        ([{"timestamp": "created_time", "direction": "ascending"}], "abcd"),
        (
            [{"property": "Kind", "direction": "ascending"}, {"property": "Cost", "direction": "descending"}],
            "cbad",
        ),
        ([{"property": "Day", "direction": "descending"}], "cbad"),
    ],
)
def test_sorts(api: "Api", source: str, sorts: Any, found: str) -> None:
    assert _names(api, source, sorts=sorts) == found


def test_wrong_queries_are_refused(api: "Api", source: str) -> None:
    address = f"/v1/data_sources/{source}/query"
    assert "sort property" in api.refused(
        "POST", address, {"sorts": [{"property": "Nope", "direction": "ascending"}]}
    )
    sorts = [{"property": "Cost", "direction": "up"}]
    assert "body.sorts[0].direction should be `" in api.refused("POST", address, {"sorts": sorts})
    assert "body.limit should be not present" in api.refused("POST", address, {"limit": 1})
    api.post("/v1/data_sources/00000000-0000-0000-0000-000000000000/query", {}, 404)


def test_results_are_paged_and_leave_the_trash_out(api: "Api", source: str) -> None:
    address = f"/v1/data_sources/{source}/query"
    first = api.post(address, {"page_size": 3})
    assert (len(first["results"]), first["has_more"]) == (3, True)
    second = api.post(address, {"page_size": 3, "start_cursor": first["next_cursor"]})
    assert (len(second["results"]), second["has_more"], second["next_cursor"]) == (1, False, None)
    api.patch(f"/v1/pages/{second['results'][0]['id']}", {"in_trash": True})
    assert len(api.post(address, {})["results"]) == 3
    assert len(api.post(address, {"in_trash": True})["results"]) == 1


def test_only_the_properties_asked_for(api: "Api", source: str) -> None:
    found = api.post(f"/v1/data_sources/{source}/query", {}, params={"filter_properties": ["title"]})
    assert all(list(page["properties"]) == ["Name"] for page in found["results"])
