"""Data sources: properties defined, changed and removed; values of pages checked against them."""

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.simulator.notion.conftest import Api

_SCHEMA: dict[str, Any] = {
    "Name": {"title": {}},
    "Text": {"rich_text": {}},
    "Cost": {"number": {"format": "real"}},
    "Kind": {"select": {"options": [{"name": "a", "color": "red"}]}},
    "Tags": {"multi_select": {}},
    "State": {"status": {}},
    "Day": {"date": {}},
    "Done": {"checkbox": {}},
    "Site": {"url": {}},
    "Mail": {"email": {}},
    "Phone": {"phone_number": {}},
    "Who": {"people": {}},
    "Files": {"files": {}},
    "Made": {"created_time": {}},
    "By": {"created_by": {}},
    "Number": {"unique_id": {"prefix": "R"}},
}


def _rich(text: str) -> list[Any]:
    return [{"text": {"content": text}}]


def test_every_type_is_written_and_read(api: "Api") -> None:
    _, source = api.database(_SCHEMA)
    person = api.get("/_control/info")["person_id"]
    page = api.row(
        source,
        {
            "Name": {"title": _rich("One")},
            "Text": {"rich_text": _rich("words")},
            "Cost": {"number": 1.5},
            "Kind": {"select": {"name": "b"}},
            "Tags": {"multi_select": [{"name": "x"}, {"name": "y"}]},
            "State": {"status": {"name": "Done"}},
            "Day": {"date": {"start": "2026-11-22", "end": "2026-11-23"}},
            "Done": {"checkbox": True},
            "Site": {"url": "https://example.com"},
            "Mail": {"email": "a@example.com"},
            "Phone": {"phone_number": "+55 11"},
            "Who": {"people": [{"id": person}]},
            "Files": {"files": [{"name": "f", "external": {"url": "https://example.com/f"}}]},
        },
    )
    values = {name: value[value["type"]] for name, value in page["properties"].items()}
    assert list(values) == list(_SCHEMA)
    assert values["Cost"] == 1.5
    assert values["Kind"]["name"] == "b"
    assert [one["name"] for one in values["Tags"]] == ["x", "y"]
    assert values["State"]["name"] == "Done"
    assert values["Day"] == {"start": "2026-11-22", "end": "2026-11-23", "time_zone": None}
    assert values["Done"] is True
    assert (values["Site"], values["Mail"], values["Phone"]) == (
        "https://example.com",
        "a@example.com",
        "+55 11",
    )
    assert values["Who"] == [{"object": "user", "id": person}]
    assert values["Files"][0]["external"] == {"url": "https://example.com/f"}
    assert values["Number"] == {"prefix": "R", "number": 1}
    assert values["Made"] == page["created_time"]
    assert page["parent"]["data_source_id"] == source
    options = api.get(f"/v1/data_sources/{source}")["properties"]["Kind"]["select"]["options"]
    assert [option["name"] for option in options] == ["a", "b"]


def test_a_page_without_values_has_them_empty(api: "Api") -> None:
    _, source = api.database(_SCHEMA)
    page = api.row(source, {})
    values = {name: value[value["type"]] for name, value in page["properties"].items()}
    empty = [values[name] for name in ("Name", "Text", "Tags", "Who", "Files")]
    assert empty == [[], [], [], [], []]
    assert (values["Cost"], values["Kind"], values["State"], values["Day"]) == (None, None, None, None)
    assert values["Done"] is False


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("Nope", {"number": 1}, "Nope is not a property that exists."),
        ("Cost", {"rich_text": []}, "Cost is expected to be number."),
        (
            "Cost",
            {"number": "1"},
            'body.properties.Cost.number should be a number or `null`, instead was `"1"`.',
        ),
        ("Cost", {"number": True}, "should be a number or `null`"),
        ("Cost", {"amount": 1}, "body.properties.Cost.title should be defined, instead was `undefined`."),
        ("Cost", 5, "body.properties.Cost should be an object"),
        ("Done", {"checkbox": None}, "body.properties.Done.checkbox should be a boolean"),
        ("Kind", {"select": {"name": "a,b"}}, "commas not allowed"),
        ("Kind", {"select": {"name": "x" * 101}}, "select.name.length should be ≤ `100`"),
        ("State", {"status": {"name": "Nope"}}, 'Status option "Nope" does not exist'),
        ("Day", {"date": {"start": "22/11/2026"}}, "Day.date.start should be a valid ISO 8601 date string"),
        ("Day", {"date": {"start": "2026-02-30"}}, "should be a valid ISO 8601 date string"),
        ("Day", {"date": {"start": "2026-11-22", "end": "2026-11-21"}}, "date.end should be after the start"),
        ("Site", {"url": "x" * 2001}, "Site.url.length should be ≤ `2000`, instead was `2001`"),
        ("Text", {"rich_text": [{"text": {"content": "x" * 2001}}]}, "Text.rich_text[0].text.content.length"),
        ("Made", {"created_time": "2026-11-22"}, "Made cannot be updated"),
        ("Tags", {"multi_select": [{"name": "x"}] * 101}, "Tags.multi_select.length should be ≤ `100`"),
    ],
)
def test_wrong_values_are_refused(api: "Api", name: str, value: Any, message: str) -> None:
    _, source = api.database(_SCHEMA)
    body = {"parent": {"data_source_id": source}, "properties": {name: value}}
    assert message in api.refused("POST", "/v1/pages", body)
    page = api.row(source, {})["id"]
    assert message in api.refused("PATCH", f"/v1/pages/{page}", {"properties": {name: value}})


def test_several_mistakes_are_told_together(api: "Api") -> None:
    _, source = api.database(_SCHEMA)
    properties = {"Cost": {"checkbox": True}, "Nope": {"number": 1}}
    message = api.refused(
        "POST", "/v1/pages", {"parent": {"data_source_id": source}, "properties": properties}
    )
    assert message == "Cost is expected to be number. Nope is not a property that exists."


def test_properties_are_added_renamed_and_removed(api: "Api") -> None:
    _, source = api.database({"Name": {"title": {}}, "Cost": {"number": {}}, "Old": {"rich_text": {}}})
    page = api.row(source, {"Cost": {"number": 3}})["id"]
    address = f"/v1/data_sources/{source}"
    changed = api.patch(
        address,
        {
            "properties": {
                "Cost": {"name": "Spend"},
                "Old": None,
                "Day": {"date": {}},
                "title": {"name": "Title"},
            }
        },
    )
    assert list(changed["properties"]) == ["Title", "Spend", "Day"]
    assert changed["properties"]["Spend"]["id"] == api.get(f"/v1/pages/{page}")["properties"]["Spend"]["id"]
    values = api.get(f"/v1/pages/{page}")["properties"]
    assert list(values) == ["Title", "Spend", "Day"]
    assert values["Spend"]["number"] == 3
    assert "title property" in api.refused("PATCH", address, {"properties": {"Title": None}})
    assert "exists already" in api.refused("PATCH", address, {"properties": {"Day": {"name": "Spend"}}})
    assert "Could not find property" in api.refused("PATCH", address, {"properties": {"Gone": None}})


def test_options_keep_their_ids_through_a_change(api: "Api") -> None:
    options = [{"name": "a", "color": "red"}, {"name": "b", "color": "blue"}]
    _, source = api.database({"Name": {"title": {}}, "Kind": {"select": {"options": options}}})
    page = api.row(source, {"Kind": {"select": {"name": "a"}}})
    option = page["properties"]["Kind"]["select"]
    update = {"select": {"options": [{"id": option["id"], "name": "renamed", "color": "green"}]}}
    api.patch(f"/v1/data_sources/{source}", {"properties": {"Kind": update}})
    now = api.get(f"/v1/pages/{page['id']}")["properties"]["Kind"]["select"]
    assert now == {"id": option["id"], "name": "renamed", "color": "green"}


@pytest.mark.parametrize(
    ("properties", "message"),
    [
        ({"Cost": {"number": {}}}, "exactly one title property, instead were 0"),
        ({"A": {"title": {}}, "B": {"title": {}}}, "exactly one title property, instead were 2"),
        ({"A": {"title": {}}, "B": {"money": {}}}, "properties.B.checkbox should be defined"),
        ({"A": {"title": {}}, "B": {"number": {"format": "shells"}}}, "B.number.format should be `"),
        ({"A": {"title": {"x": 1}}}, "properties.A.title.x should be not present"),
        ({"A": {"title": {}}, "B": {"select": {"options": [{"name": "x"}] * 2}}}, "must be unique"),
        (
            {"A": {"title": {}}, "B": {"select": {"options": [{"name": "x", "color": "mauve"}]}}},
            "color should be",
        ),
        ({"A": {"title": {}}, "B": {"formula": {"expression": "1"}}}, "has no formula properties"),
    ],
)
def test_wrong_definitions_are_refused(api: "Api", properties: Any, message: str) -> None:
    body = {"parent": {"page_id": api.root}, "initial_data_source": {"properties": properties}}
    assert message in api.refused("POST", "/v1/databases", body)


def test_relations_point_into_their_data_source(api: "Api") -> None:
    _, target = api.database({"Name": {"title": {}}})
    related = {"relation": {"data_source_id": target, "single_property": {}}}
    _, source = api.database({"Name": {"title": {}}, "Of": related})
    wanted, other = api.row(target, {})["id"], api.row(source, {})["id"]
    page = api.row(source, {"Of": {"relation": [{"id": wanted}]}})
    assert page["properties"]["Of"]["relation"] == [{"id": wanted}]
    assert page["properties"]["Of"]["has_more"] is False
    properties = {"Of": {"relation": [{"id": other}]}}
    message = api.refused(
        "POST", "/v1/pages", {"parent": {"data_source_id": source}, "properties": properties}
    )
    assert "is not in the data source" in message
