"""Blocks: kinds, refusals, order, update, trash."""

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.simulator.notion.conftest import Api


def _rich(text: str = "x") -> list[Any]:
    return [{"text": {"content": text}}]


_ROW = {"table_row": {"cells": [_rich("a"), _rich("b")]}}
_EVERY_KIND: list[dict[str, Any]] = [
    {"paragraph": {"rich_text": _rich(), "color": "red_background"}},
    {"heading_1": {"rich_text": _rich()}},
    {"heading_2": {"rich_text": _rich(), "is_toggleable": True, "children": [{"divider": {}}]}},
    {"heading_3": {"rich_text": _rich()}},
    {"bulleted_list_item": {"rich_text": _rich()}},
    {"numbered_list_item": {"rich_text": _rich()}},
    {"to_do": {"rich_text": _rich(), "checked": True}},
    {"toggle": {"rich_text": _rich()}},
    {"quote": {"rich_text": _rich()}},
    {"callout": {"rich_text": _rich(), "icon": {"emoji": "💡"}}},
    {"code": {"rich_text": _rich(), "language": "python"}},
    {"equation": {"expression": "e=mc^2"}},
    {"divider": {}},
    {"breadcrumb": {}},
    {"table_of_contents": {}},
    {"bookmark": {"url": "https://example.com"}},
    {"embed": {"url": "https://example.com"}},
    {"image": {"external": {"url": "https://example.com/x.png"}}},
    {"table": {"table_width": 2, "has_column_header": True, "children": [_ROW]}},
    {"column_list": {"children": [{"column": {"children": [{"divider": {}}]}}] * 2}},
    {"synced_block": {"synced_from": None, "children": [{"divider": {}}]}},
]


def test_every_kind_is_stored_and_read_back(api: "Api") -> None:
    made = api.patch(f"/v1/blocks/{api.root}/children", {"children": _EVERY_KIND})["results"]
    assert [one["type"] for one in made] == [next(iter(one)) for one in _EVERY_KIND]
    assert api.children(api.root) == made
    by_type = {one["type"]: one for one in made}
    assert by_type["callout"]["callout"]["icon"] == {"type": "emoji", "emoji": "💡"}
    assert by_type["table"]["table"] == {
        "table_width": 2,
        "has_column_header": True,
        "has_row_header": False,
    }
    assert by_type["table"]["has_children"] is True
    assert by_type["to_do"]["to_do"]["checked"] is True
    assert by_type["image"]["image"]["external"] == {"url": "https://example.com/x.png"}
    cells = api.children(by_type["table"]["id"])[0]["table_row"]["cells"]
    assert [cell[0]["plain_text"] for cell in cells] == ["a", "b"]
    assert api.get(f"/v1/blocks/{made[0]['id']}")["paragraph"]["color"] == "red_background"


@pytest.mark.parametrize(
    ("block", "message"),
    [
        ({"chart": {}}, "body.children[0].paragraph should be defined, instead was `undefined`."),
        ({"type": "paragraph"}, "body.children[0].paragraph should be defined, instead was `undefined`."),
        ({"paragraph": {}}, "body.children[0].paragraph.rich_text should be defined"),
        (
            {"paragraph": {"rich_text": [], "size": 1}},
            "body.children[0].paragraph.size should be not present",
        ),
        (
            {"paragraph": {"rich_text": []}, "id": "x"},
            "body.children[0].id should be not present, instead was `",
        ),
        ({"paragraph": {"rich_text": [], "color": "mauve"}}, "body.children[0].paragraph.color should be `"),
        ({"divider": {}, "heading_2": {"rich_text": []}}, "should be not present"),
        ({"code": {"rich_text": [], "language": "klingon"}}, "body.children[0].code.language should be `"),
        (
            {"table": {"table_width": 2, "children": [{"table_row": {"cells": [[]]}}]}},
            "match the table width",
        ),
        ({"table": {"table_width": 2, "children": []}}, "at least one row"),
        ({"table": {"table_width": 2}}, "body.children[0].table.children should be defined"),
        ({"table_row": {"cells": [[]]}}, "can only be a child of a table"),
        ({"column_list": {"children": [{"column": {"children": []}}]}}, "at least two columns"),
        ({"column_list": {"children": [{"divider": {}}] * 2}}, "children[0].column should be defined"),
        ({"heading_1": {"rich_text": [], "children": [{"divider": {}}]}}, "toggleable"),
        ({"divider": {"children": [{"divider": {}}]}}, "body.children[0].divider.children should be not"),
        (
            {"paragraph": {"rich_text": [{"text": {"content": "x"}, "bold": True}]}},
            "rich_text[0].bold should be not present, instead was `true`.",
        ),
        ({"paragraph": {"rich_text": [{"text": "x"}]}}, "rich_text[0].text should be an object"),
        ({"paragraph": {"rich_text": [{"text": {"content": 5}}]}}, "text.content should be a string"),
        ({"paragraph": {"rich_text": [{"text": {}}]}}, "rich_text[0].text.content should be defined"),
        (
            {"callout": {"rich_text": [], "icon": {"emoji": "abc"}}},
            "callout.icon.emoji should be an emoji, instead was `abc`.",
        ),
    ],
)
def test_wrong_blocks_are_refused_by_path(api: "Api", block: Any, message: str) -> None:
    given = api.refused("PATCH", f"/v1/blocks/{api.root}/children", {"children": [block]})
    assert message in given


def test_blocks_keep_the_order_they_are_given(api: "Api", paragraph: Any) -> None:
    page = api.page(children=[paragraph("a"), paragraph("d")])["id"]
    first = api.children(page)[0]["id"]
    address = f"/v1/blocks/{page}/children"
    api.patch(address, {"children": [paragraph("b"), paragraph("c")], "after": first})
    api.patch(address, {"children": [paragraph("0")], "position": {"type": "start"}})
    after = {"type": "after_block", "after_block": {"id": first}}
    api.patch(address, {"children": [paragraph("a+")], "position": after})
    api.patch(address, {"children": [paragraph("e")], "position": {"type": "end"}})
    assert api.texts(page) == ["0", "a", "a+", "b", "c", "d", "e"]


def test_appending_where_nothing_can_be(api: "Api", paragraph: Any) -> None:
    page = api.page(children=[{"divider": {}}, {"heading_1": {"rich_text": []}}])["id"]
    for block in api.children(page):
        message = api.refused("PATCH", f"/v1/blocks/{block['id']}/children", {"children": [paragraph("x")]})
        assert message.startswith("Block does not support children")
    elsewhere = api.page(children=[paragraph("x")])["id"]
    body = {"children": [paragraph("x")], "after": api.children(elsewhere)[0]["id"]}
    assert "is not parented by" in api.refused("PATCH", f"/v1/blocks/{page}/children", body)


def test_a_block_changes_what_is_named_and_keeps_the_rest(api: "Api") -> None:
    block = {"to_do": {"rich_text": _rich("old"), "checked": True, "color": "blue"}}
    page = api.page(children=[block])["id"]
    block_id = api.children(page)[0]["id"]
    changed = api.patch(f"/v1/blocks/{block_id}", {"to_do": {"rich_text": _rich("new")}})
    assert changed["to_do"]["rich_text"][0]["plain_text"] == "new"
    assert changed["to_do"]["checked"] is True
    assert changed["to_do"]["color"] == "blue"
    message = api.refused("PATCH", f"/v1/blocks/{block_id}", {"paragraph": {"rich_text": []}})
    assert "cannot be changed" in message


def test_a_deleted_block_cannot_be_edited_until_it_is_back(api: "Api", paragraph: Any) -> None:
    page = api.page(children=[paragraph("x")])["id"]
    block_id = api.children(page)[0]["id"]
    assert api.send("DELETE", f"/v1/blocks/{block_id}")["in_trash"] is True
    assert api.children(page) == []
    body: dict[str, Any] = {"paragraph": {"rich_text": []}}
    message = "Can't edit block that is archived. You must unarchive the block before editing."
    assert api.refused("PATCH", f"/v1/blocks/{block_id}", body) == message
    assert api.refused("DELETE", f"/v1/blocks/{block_id}", None) == message
    assert api.patch(f"/v1/blocks/{block_id}", {"in_trash": False})["in_trash"] is False
    assert api.texts(page) == ["x"]


def test_children_are_paged(api: "Api", paragraph: Any) -> None:
    page = api.page(children=[paragraph(str(number)) for number in range(5)])["id"]
    address = f"/v1/blocks/{page}/children?page_size=2"
    first = api.get(address)
    second = api.get(f"{address}&start_cursor={first['next_cursor']}")
    last = api.get(f"{address}&start_cursor={second['next_cursor']}")
    assert [len(one["results"]) for one in (first, second, last)] == [2, 2, 1]
    assert (first["has_more"], last["has_more"], last["next_cursor"]) == (True, False, None)
    assert "start_cursor" in api.refused("GET", f"{address}&start_cursor=nowhere", None)
