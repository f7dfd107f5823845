"""The pages for people: everything is shown, everything is escaped."""

import re
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.simulator.notion.conftest import Api

_EVIL = "<script>alert('x')</script>\"&"
_ESCAPED = "&lt;script&gt;alert(&#x27;x&#x27;)&lt;/script&gt;&quot;&amp;"


def _rich(text: str, **annotations: Any) -> list[Any]:
    return [{"text": {"content": text}, "annotations": annotations}]


def test_a_page_shows_every_kind_of_block(api: "Api") -> None:
    upload = api.post("/v1/file_uploads", {"filename": "c.png", "content_type": "image/png"})["id"]
    files = {"file": ("c.png", b"png", "image/png")}
    api.http.post(f"/v1/file_uploads/{upload}/send", files=files)
    row = {"table_row": {"cells": [_rich("head"), _rich("cell")]}}
    link = [{"text": {"content": "site", "link": {"url": "https://example.com/a"}}}]
    blocks = [
        {"heading_1": {"rich_text": _rich("Part")}},
        {"paragraph": {"rich_text": _rich("strong", bold=True, color="red")}},
        {"paragraph": {"rich_text": link, "color": "blue_background"}},
        {"callout": {"rich_text": _rich("look"), "icon": {"emoji": "💡"}}},
        {"column_list": {"children": [{"column": {"children": [{"divider": {}}]}}] * 2}},
        {"table": {"table_width": 2, "has_column_header": True, "children": [row, row]}},
        {"toggle": {"rich_text": _rich("more"), "children": [{"paragraph": {"rich_text": _rich("inside")}}]}},
        {"bulleted_list_item": {"rich_text": _rich("b1")}},
        {"bulleted_list_item": {"rich_text": _rich("b2")}},
        {"numbered_list_item": {"rich_text": _rich("n1")}},
        {"to_do": {"rich_text": _rich("task"), "checked": True}},
        {"quote": {"rich_text": _rich("said")}},
        {"code": {"rich_text": _rich("x < 1"), "language": "python"}},
        {"image": {"file_upload": {"id": upload}}},
        {"bookmark": {"url": "https://example.com/b"}},
    ]
    page = api.page("Look", children=blocks, icon={"emoji": "📈"})
    answer = api.http.get(page["url"])
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    html = answer.text
    for piece in (
        "<h1>Look</h1>",
        "<h2>Part</h2>",
        '<span class="c-red"><strong>strong</strong></span>',
        '<p class="b-blue"><a href="https://example.com/a">site</a></p>',
        '<div class="callout "><span>💡</span><div><p>look</p></div></div>',
        '<div class="columns"><div><hr></div><div><hr></div></div>',
        "<tr><th>head</th><th>cell</th></tr><tr><td>head</td><td>cell</td></tr>",
        "<details><summary>more</summary>",
        "<ul><li>b1</li><li>b2</li></ul><ol><li>n1</li></ol>",
        '<input type="checkbox" disabled checked>',
        "<blockquote>said</blockquote>",
        "<pre><code>x &lt; 1</code></pre>",
        f'src="/view/file/{upload}"',
        '<a href="https://example.com/b">https://example.com/b</a>',
        '<div class="icon">📈</div>',
        "prefers-color-scheme:dark",
    ):
        assert piece in html, piece
    assert "inside" in html


def test_a_database_shows_its_rows(api: "Api") -> None:
    schema = {
        "Name": {"title": {}},
        "Spend": {"number": {"format": "real"}},
        "Rate": {"number": {"format": "percent"}},
        "Kind": {"select": {"options": [{"name": "good", "color": "green"}]}},
        "Day": {"date": {}},
    }
    database, source = api.database(schema, "Reports")
    properties = {
        "Name": {"title": _rich("November")},
        "Spend": {"number": 1234.5},
        "Rate": {"number": 0.125},
        "Kind": {"select": {"name": "good"}},
        "Day": {"date": {"start": "2026-11-22"}},
    }
    page = api.row(source, properties)
    for address in (f"/view/database/{database}", page["url"], f"/view/page/{api.root}"):
        html = api.http.get(address).text
        for piece in (
            "November",
            "R$ 1,234.50",
            "12.5%",
            '<span class="pill b-green">good</span>',
            "2026-11-22",
        ):
            assert piece in html, (address, piece)
    index = api.http.get("/view/").text
    assert f'<a href="/view/database/{database.replace("-", "")}">Reports</a>' in index
    assert "1 page<" in index
    assert (
        api.get(f"/v1/databases/{database}")["url"] == f"{api.url}/view/database/{database.replace('-', '')}"
    )


def test_everything_is_escaped(api: "Api") -> None:
    database, source = api.database(
        {"Name": {"title": {}}, _EVIL: {"rich_text": {}}, "K": {"select": {}}}, _EVIL
    )
    row = {
        "Name": {"title": _rich(_EVIL)},
        _EVIL: {"rich_text": _rich(_EVIL)},
        "K": {"select": {"name": _EVIL}},
    }
    blocks = [
        {"paragraph": {"rich_text": _rich(_EVIL)}},
        {"code": {"rich_text": _rich(_EVIL), "caption": _rich(_EVIL), "language": "html"}},
        {"image": {"external": {"url": "https://example.com/\"onerror='x'"}, "caption": _rich(_EVIL)}},
        {"bookmark": {"url": "https://example.com/<b>", "caption": _rich(_EVIL)}},
        {"equation": {"expression": _EVIL}},
    ]
    page = api.row(source, row, children=blocks, icon={"emoji": "<>"})
    api.post("/_control/edit", {"page_id": page["id"], "comment": _EVIL})
    for address in ("/view/", page["url"], f"/view/database/{database}", f"/view/page/{api.root}"):
        html = api.http.get(address).text
        assert _ESCAPED in html
        assert "<script" not in html
        assert "<b>" not in html
        assert "<>" not in html
        assert not re.search(r"<img[^>]*\sonerror", html)


def test_addresses_a_browser_might_run_are_no_links(api: "Api") -> None:
    _, source = api.database({"Name": {"title": {}}, "Site": {"url": {}}})
    page = api.row(source, {"Site": {"url": "javascript:alert(1)"}})
    html = api.http.get(page["url"]).text
    assert "javascript:alert(1)" in html
    assert 'href="javascript' not in html


@pytest.mark.parametrize("kind", ["page", "database", "file"])
def test_what_is_not_there(api: "Api", kind: str) -> None:
    for name in ("nope", "00000000-0000-0000-0000-000000000000"):
        assert api.http.get(f"/view/{kind}/{name}").status_code == 404


def test_an_upload_never_runs_as_a_page(api: "Api") -> None:
    upload = api.post("/v1/file_uploads", {"filename": "x.html", "content_type": "text/html"})["id"]
    files = {"file": ("x.html", _EVIL.encode(), "text/html")}
    api.http.post(f"/v1/file_uploads/{upload}/send", files=files)
    answer = api.http.get(f"/view/file/{upload}")
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"] == "attachment"
    assert "sandbox" in answer.headers["content-security-policy"]


def test_a_page_in_the_trash_says_so(api: "Api") -> None:
    page = api.page("Gone")
    api.patch(f"/v1/pages/{page['id']}", {"in_trash": True})
    assert "In the trash" in api.http.get(page["url"]).text
    assert "Gone" not in api.http.get("/view/").text
