"""Pages: parents, properties outside a data source, update, erase, trash, one property."""

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.simulator.notion.conftest import Api

_NOBODY = "00000000-0000-0000-0000-000000000000"


def test_an_unknown_parent_is_not_found(api: "Api") -> None:
    for kind, word in (("page_id", "page"), ("data_source_id", "data source"), ("database_id", "database")):
        answer = api.post("/v1/pages", {"parent": {kind: _NOBODY}}, 404)
        assert answer["code"] == "object_not_found"
        assert answer["message"].startswith(f"Could not find {word} with ID: {_NOBODY}. Make sure")
        assert answer["additional_data"] == {"integration_id": api.get("/_control/info")["bot_id"]}


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, "body.parent should be defined, instead was `undefined`."),
        ({"parent": {}}, "body.parent.page_id should be defined, instead was `undefined`."),
        ({"parent": {"page_id": "x"}}, 'body.parent.page_id should be a valid uuid, instead was `"x"`.'),
        ({"parent": {"workspace": True}}, "Internal integrations"),
        ({"tags": []}, "body.tags should be not present, instead was `[]`."),
        ({"parent": {"page_id": "ROOT"}, "icon": {"name": "x"}}, "body.icon.emoji should be defined"),
        (
            {"parent": {"page_id": "ROOT"}, "properties": {"Cost": {"number": 1}}},
            "Cost is not a property that",
        ),
        (
            {"parent": {"page_id": "ROOT"}, "properties": {"title": {"number": 1}}},
            "title is expected to be title",
        ),
        ({"parent": {"page_id": "ROOT"}, "children": {}}, "body.children should be an array"),
    ],
)
def test_wrong_bodies_are_refused(api: "Api", body: Any, message: str) -> None:
    if body.get("parent", {}).get("page_id") == "ROOT":
        body = body | {"parent": {"page_id": api.root}}
    assert message in api.refused("POST", "/v1/pages", body)


def test_other_kinds_of_object_are_told_apart(api: "Api", paragraph: Any) -> None:
    database, source = api.database({"Name": {"title": {}}})
    assert "is a database, not a page" in api.refused("GET", f"/v1/pages/{database}", None)
    assert "is a data source, not a database" in api.refused("GET", f"/v1/databases/{source}", None)
    assert api.get(f"/v1/blocks/{source}", 404)["code"] == "object_not_found"
    assert "path.page_id should be a valid uuid" in api.refused("GET", "/v1/pages/me", None)


def test_icon_cover_and_lock(api: "Api") -> None:
    page = api.page(icon={"emoji": "📈"}, cover={"external": {"url": "https://example.com/c.png"}})
    assert page["icon"] == {"type": "emoji", "emoji": "📈"}
    assert page["cover"] == {"type": "external", "external": {"url": "https://example.com/c.png"}}
    changed = api.patch(f"/v1/pages/{page['id']}", {"icon": None, "cover": None, "is_locked": True})
    assert (changed["icon"], changed["cover"], changed["is_locked"]) == (None, None, True)


def test_erasing_empties_the_page_in_one_call(api: "Api", paragraph: Any) -> None:
    page = api.page(children=[paragraph(str(number)) for number in range(100)])["id"]
    inner = api.post("/v1/pages", {"parent": {"page_id": page}})["id"]
    first = api.children(page)[0]["id"]
    title = {"title": [{"text": {"content": "Renamed"}}]}
    changed = api.patch(f"/v1/pages/{page}", {"erase_content": True, "properties": {"title": title}})
    assert changed["properties"]["title"]["title"][0]["plain_text"] == "Renamed"
    assert api.children(page) == []
    assert api.get(f"/v1/blocks/{first}")["in_trash"] is True
    assert api.get(f"/v1/pages/{inner}")["in_trash"] is True


def test_a_refused_update_changes_nothing(api: "Api", paragraph: Any) -> None:
    page = api.page(children=[paragraph("kept")])["id"]
    api.refused("PATCH", f"/v1/pages/{page}", {"erase_content": True, "properties": {"Cost": {"number": 1}}})
    assert api.texts(page) == ["kept"]


def test_a_page_in_the_trash_takes_no_edit(api: "Api", paragraph: Any) -> None:
    page = api.page(children=[paragraph("x")])["id"]
    block = api.children(page)[0]["id"]
    assert api.patch(f"/v1/pages/{page}", {"archived": True})["archived"] is True
    assert page not in [one["id"] for one in api.children(api.root)]
    body: Any = {"children": [paragraph("y")]}
    assert "archived" in api.refused("PATCH", f"/v1/blocks/{page}/children", body)
    assert "archived" in api.refused("PATCH", f"/v1/pages/{page}", {"icon": {"emoji": "📈"}})
    assert "archived ancestor" in api.refused("DELETE", f"/v1/blocks/{block}", None)
    assert api.get(f"/v1/pages/{page}")["in_trash"] is True
    assert api.patch(f"/v1/pages/{page}", {"in_trash": False})["in_trash"] is False
    assert api.texts(page) == ["x"]


def test_a_database_with_two_data_sources_is_no_parent(api: "Api") -> None:
    database, source = api.database({"Name": {"title": {}}})
    page = api.post("/v1/pages", {"parent": {"database_id": database}})
    assert page["parent"] == {"type": "data_source_id", "data_source_id": source, "database_id": database}
    api.post("/v1/data_sources", {"parent": {"database_id": database}, "properties": {"N": {"title": {}}}})
    answer = api.post("/v1/pages", {"parent": {"database_id": database}}, 400)
    assert answer["additional_data"]["error_type"] == "multiple_data_sources_for_database"


def test_one_property_of_a_page(api: "Api") -> None:
    _, source = api.database({"Name": {"title": {}}, "Cost": {"number": {}}, "Text": {"rich_text": {}}})
    page = api.row(source, {"Cost": {"number": 4}, "Text": {"rich_text": [{"text": {"content": "x"}}] * 30}})
    cost, text = page["properties"]["Cost"]["id"], page["properties"]["Text"]["id"]
    assert api.get(f"/v1/pages/{page['id']}/properties/{cost}")["number"] == 4
    first = api.get(f"/v1/pages/{page['id']}/properties/{text}?page_size=20")
    assert len(first["results"]) == 20
    assert first["results"][0]["rich_text"]["plain_text"] == "x"
    assert first["property_item"]["next_url"].startswith(f"{api.url}/v1/pages/{page['id']}/properties/")
    rest = api.get(f"/v1/pages/{page['id']}/properties/{text}", params={"start_cursor": first["next_cursor"]})
    assert (len(rest["results"]), rest["has_more"], rest["property_item"]["next_url"]) == (10, False, None)
    api.get(f"/v1/pages/{page['id']}/properties/nope", 404)
    only = api.get(f"/v1/pages/{page['id']}", params={"filter_properties": [cost]})
    assert list(only["properties"]) == ["Cost"]


def test_where_a_page_goes_among_the_others(api: "Api", paragraph: Any) -> None:
    page = api.page(children=[paragraph("x")])["id"]
    block = api.children(page)[0]["id"]
    for position in (
        {"type": "page_start"},
        {"type": "page_end"},
        {"type": "after_block", "after_block": {"id": block}},
    ):
        api.post("/v1/pages", {"parent": {"page_id": page}, "position": position})
    kinds = [one["type"] for one in api.children(page)]
    assert kinds == ["child_page", "paragraph", "child_page", "child_page"]
