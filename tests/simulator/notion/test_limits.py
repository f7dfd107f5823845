"""Every documented limit is refused the way the real service does, and what is just within it is taken."""

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.simulator.notion.conftest import Api


def _append(api: "Api", children: Any) -> str:
    return api.refused("PATCH", f"/v1/blocks/{api.root}/children", {"children": children})


def test_text_longer_than_2000(api: "Api", paragraph: Any) -> None:
    blocks = [paragraph("x")] * 3 + [paragraph("x" * 2500)]
    assert _append(api, blocks) == (
        "body failed validation: body.children[3].paragraph.rich_text[0].text.content.length "
        "should be ≤ `2000`, instead was `2500`."
    )


@pytest.mark.parametrize(("text", "length"), [("x" * 2001, 2001), ("😀" * 1001, 2002)])
def test_length_counts_utf16_code_units(api: "Api", paragraph: Any, text: str, length: int) -> None:
    assert f"should be ≤ `2000`, instead was `{length}`" in _append(api, [paragraph(text)])
    api.patch(f"/v1/blocks/{api.root}/children", {"children": [paragraph("😀" * 1000)]})


def test_nothing_of_a_refused_request_is_stored(api: "Api", paragraph: Any) -> None:
    _append(api, [paragraph("good"), paragraph("x" * 2001)])
    assert api.children(api.root) == []


def test_more_than_100_children(api: "Api", paragraph: Any) -> None:
    message = _append(api, [paragraph("x")] * 101)
    assert message == "body failed validation: body.children.length should be ≤ `100`, instead was `101`."
    nested = {"toggle": {"rich_text": [], "children": [paragraph("x")] * 101}}
    assert "body.children[0].toggle.children.length should be ≤ `100`" in _append(api, [nested])
    api.patch(f"/v1/blocks/{api.root}/children", {"children": [paragraph("x")] * 100})


def test_more_than_1000_blocks(api: "Api", paragraph: Any) -> None:
    def many(groups: int) -> list[Any]:
        return [{"toggle": {"rich_text": [], "children": [paragraph("x")] * 99}}] * groups

    assert "should be ≤ `1000`, instead was `1001`" in _append(api, [*many(10), paragraph("one more")])
    api.patch(f"/v1/blocks/{api.root}/children", {"children": many(10)})


def test_more_than_500_kilobytes(api: "Api", paragraph: Any) -> None:
    item = {"text": {"content": "x" * 2000}}
    blocks = [{"paragraph": {"rich_text": [item] * 10}}] * 25
    message = _append(api, blocks)
    assert "body.length should be ≤ `500000`" in message


def test_more_than_100_rich_texts(api: "Api") -> None:
    items = [{"text": {"content": "x"}}] * 101
    message = _append(api, [{"paragraph": {"rich_text": items}}])
    assert "body.children[0].paragraph.rich_text.length should be ≤ `100`, instead was `101`" in message


def test_urls_longer_than_2000_and_no_urls(api: "Api") -> None:
    def linked(url: str) -> list[Any]:
        return [{"paragraph": {"rich_text": [{"text": {"content": "x", "link": {"url": url}}}]}}]

    message = _append(api, linked("https://example.com/" + "x" * 1981))
    assert "rich_text[0].text.link.url.length should be ≤ `2000`, instead was `2001`" in message
    assert _append(api, linked("not an address")) == "Invalid URL for link."
    assert _append(api, linked("javascript:alert(1)")) == "Invalid URL for link."


def test_three_levels_of_nesting(api: "Api", paragraph: Any) -> None:
    def nested(levels: int) -> Any:
        item: Any = {"bulleted_list_item": {"rich_text": []}}
        for _ in range(levels):
            item = {"bulleted_list_item": {"rich_text": [], "children": [item]}}
        return item

    api.patch(f"/v1/blocks/{api.root}/children", {"children": [nested(2)]})
    path = "body.children[0].bulleted_list_item.children[0].bulleted_list_item.children[0].bulleted_list_item"
    assert f"{path}.children should be not present, instead was `[" in _append(api, [nested(3)])


def test_a_column_may_hold_a_table_with_rows(api: "Api", paragraph: Any) -> None:
    row = {"table_row": {"cells": [[{"text": {"content": "x"}}]]}}
    table = {"table": {"table_width": 1, "children": [row]}}
    columns = [{"column": {"children": [table]}}, {"column": {"children": [paragraph("x")]}}]
    api.patch(f"/v1/blocks/{api.root}/children", {"children": [{"column_list": {"children": columns}}]})
    shallow = [{"column": {"children": [paragraph("x")]}}] * 2
    toggle = {"toggle": {"rich_text": [], "children": [{"column_list": {"children": shallow}}]}}
    assert "toggle.children[0].column_list should be not present" in _append(api, [toggle])


@pytest.mark.parametrize("size", [0, 101])
def test_page_size(api: "Api", size: int) -> None:
    limit = "≥ `1`" if size == 0 else "≤ `100`"
    message = api.refused("GET", f"/v1/blocks/{api.root}/children?page_size={size}", None)
    assert message == f"query failed validation: query.page_size should be {limit}, instead was `{size}`."
    assert f"body.page_size should be {limit}" in api.refused("POST", "/v1/search", {"page_size": size})


def test_a_query_ends_at_its_limit(api: "Api", monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("simulator.notion.limits.QUERY_RESULTS", 3)
    _, source = api.database({"Name": {"title": {}}})
    for _ in range(3):
        api.row(source, {})
    assert "request_status" not in api.post(f"/v1/data_sources/{source}/query", {})
    api.row(source, {})
    answer = api.post(f"/v1/data_sources/{source}/query", {})
    assert len(answer["results"]) == 3
    assert answer["has_more"] is False
    assert answer["request_status"] == {
        "type": "incomplete",
        "incomplete_reason": "query_result_limit_reached",
    }
