"""Search, users, comments, views and Markdown."""

from typing import TYPE_CHECKING, Any

import pytest

from simulator.notion import Settings

if TYPE_CHECKING:
    from tests.simulator.notion.conftest import Api


def _rich(text: str) -> list[Any]:
    return [{"text": {"content": text}}]


def test_search_finds_titles(api: "Api") -> None:
    page = api.page("Weekly report")["id"]
    _, source = api.database({"Name": {"title": {}}}, "Report store")
    found = api.post("/v1/search", {"query": "REPORT"})["results"]
    assert {one["id"] for one in found} == {page, source}
    only = api.post(
        "/v1/search", {"query": "report", "filter": {"property": "object", "value": "data_source"}}
    )
    assert [one["id"] for one in only["results"]] == [source]
    api.patch(f"/v1/pages/{page}", {"in_trash": True})
    assert [one["id"] for one in api.post("/v1/search", {"query": "report"})["results"]] == [source]
    assert "filter.value should be `" in api.refused(
        "POST", "/v1/search", {"filter": {"property": "object", "value": "database"}}
    )


def test_search_learns_of_new_objects_late(api: "Api", settings: Settings) -> None:
    settings.index_delay_seconds = 3600.0
    page = api.page("Late")["id"]
    assert api.post("/v1/search", {"query": "Late"})["results"] == []
    settings.index_delay_seconds = 0.0
    assert [one["id"] for one in api.post("/v1/search", {"query": "Late"})["results"]] == [page]


def test_users(api: "Api") -> None:
    users = api.get("/v1/users")["results"]
    assert [one["type"] for one in users] == ["person", "bot"]
    assert api.get(f"/v1/users/{users[0]['id']}")["person"] == {"email": "person@example.com"}
    api.get("/v1/users/00000000-0000-0000-0000-000000000000", 404)


def test_comments_are_made_listed_and_answered(api: "Api") -> None:
    page = api.page()["id"]
    first = api.post("/v1/comments", {"parent": {"page_id": page}, "rich_text": _rich("Why?")})
    answer = {"discussion_id": first["discussion_id"], "rich_text": _rich("Because.")}
    second = api.post("/v1/comments", answer)
    assert second["discussion_id"] == first["discussion_id"]
    assert second["parent"] == {"type": "page_id", "page_id": page}
    listed = api.get(f"/v1/comments?block_id={page}")
    assert [one["rich_text"][0]["plain_text"] for one in listed["results"]] == ["Why?", "Because."]
    assert listed["type"] == "comment"
    api.send("DELETE", f"/v1/comments/{first['id']}")
    changed = api.patch(f"/v1/comments/{second['id']}", {"rich_text": _rich("So.")})
    assert api.get(f"/v1/comments?block_id={page}")["results"] == [
        {key: value for key, value in changed.items() if key != "request_id"}
    ]
    assert "body.parent should be defined" in api.refused("POST", "/v1/comments", {"rich_text": []})


def _chart(source_properties: Any, **more: Any) -> dict[str, Any]:
    return {
        "type": "chart",
        "chart_type": "column",
        "x_axis": {
            "type": "date",
            "property_id": source_properties["Day"]["id"],
            "group_by": "day",
            "sort": {"type": "ascending"},
        },
        "y_axis": {"aggregator": "sum", "property_id": source_properties["Spend"]["id"]},
    } | more


@pytest.fixture
def charted(api: "Api") -> tuple[dict[str, Any], Any]:
    """The body of a chart view without its configuration, and the properties to chart."""
    database, source = api.database({"Name": {"title": {}}, "Day": {"date": {}}, "Spend": {"number": {}}})
    body = {"database_id": database, "data_source_id": source, "name": "Spend a day", "type": "chart"}
    return body, api.get(f"/v1/data_sources/{source}")["properties"]


def test_a_chart_view(api: "Api", charted: Any) -> None:
    body, properties = charted
    made = api.post("/v1/views", body | {"configuration": _chart(properties, height="large")})
    assert made["configuration"]["chart_type"] == "column"
    assert made["configuration"]["height"] == "large"
    assert made["configuration"]["x_axis"]["property_name"] == "Day"
    got = api.get(f"/v1/views/{made['id']}")
    assert {**got, "request_id": ""} == {**made, "request_id": ""}
    changed = api.patch(f"/v1/views/{made['id']}", {"configuration": _chart(properties, chart_type="line")})
    assert changed["configuration"]["chart_type"] == "line"
    assert len(api.get(f"/v1/views?database_id={body['database_id']}")["results"]) == 2
    api.send("DELETE", f"/v1/views/{made['id']}")
    assert len(api.get(f"/v1/views?data_source_id={body['data_source_id']}")["results"]) == 1
    api.get(f"/v1/views/{made['id']}", 404)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"chart_type": "pie"}, "body.configuration.chart_type should be `"),
        ({"x_axis": None}, "body.configuration.x_axis should be defined for a column chart"),
        ({"chart_type": "number"}, "body.configuration.value should be defined"),
        ({"y_axis": {"aggregator": "sum"}}, "y_axis.property_id should be defined"),
        ({"y_axis": {"aggregator": "sum", "property_id": "nope"}}, "could not find property with id: nope"),
        ({"y_axis": {"aggregator": "sum", "property_id": "title"}}, "sum needs a number property"),
        ({"colour": "red"}, "body.configuration.colour should be not present"),
        ({"type": "table"}, "body.configuration.type should be `"),
    ],
)
def test_wrong_charts_are_refused(api: "Api", charted: Any, change: Any, message: str) -> None:
    body, properties = charted
    configuration = _chart(properties, **change)
    assert message in api.refused("POST", "/v1/views", body | {"configuration": configuration})


def test_a_plan_without_charts(api: "Api", charted: Any) -> None:
    api.post("/_control/settings", {"charts_allowed": False})
    body, properties = charted
    answer = api.post("/v1/views", body | {"configuration": _chart(properties)}, 403)
    assert answer["code"] == "restricted_resource"
    api.post("/v1/views", body | {"type": "table"})


_TEXT = """# Title
Some **bold**, *slanted* and `code` with a [link](https://example.com).
- one
\t- below
- [x] done
1. first
2. second
> said
---
```python
print(1)
```
| a | b |
| --- | --- |
| 1 | 2 |"""


def test_markdown_comes_back_as_it_was_written(api: "Api") -> None:
    page = api.page(markdown=_TEXT)["id"]
    assert [one["type"] for one in api.children(page)] == [
        "heading_1",
        "paragraph",
        "bulleted_list_item",
        "to_do",
        "numbered_list_item",
        "numbered_list_item",
        "quote",
        "divider",
        "code",
        "table",
    ]
    assert api.get(f"/v1/pages/{page}/markdown")["markdown"] == _TEXT


def test_markdown_replaces_a_page_in_one_call(api: "Api", paragraph: Any) -> None:
    page = api.page(children=[paragraph("old")])["id"]
    address = f"/v1/pages/{page}/markdown"
    body = {"type": "replace_content", "replace_content": {"new_str": "new\n\n## head"}}
    assert api.patch(address, body)["markdown"] == "new\n## head"
    updates = [{"old_str": "new", "new_str": "newer"}]
    body = {"type": "update_content", "update_content": {"content_updates": updates}}
    assert api.patch(address, body)["markdown"] == "newer\n## head"
    assert "old_str should be in the page's content" in api.refused(
        "PATCH",
        address,
        body | {"update_content": {"content_updates": [{"old_str": "absent", "new_str": ""}]}},
    )
    api.post("/v1/pages", {"parent": {"page_id": page}})
    body = {"type": "replace_content", "replace_content": {"new_str": "x"}}
    assert "allow_deleting_content" in api.refused("PATCH", address, body)
    assert len(api.children(page)) == 3
    body["replace_content"] = {"new_str": "x", "allow_deleting_content": True}
    assert api.patch(address, body)["markdown"] == "x"
