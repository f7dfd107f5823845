"""What tests and operators use besides the API."""

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.simulator.notion.conftest import Api


def test_every_page_with_its_whole_tree(api: "Api", paragraph: Any) -> None:
    nested = {"toggle": {"rich_text": [], "children": [paragraph("deep")]}}
    page = api.page(children=[nested])["id"]
    pages = {one["id"]: one for one in api.get("/_control/pages")["pages"]}
    assert set(pages) == {api.root, page}
    assert pages[page]["children"][0]["children"][0]["paragraph"]["rich_text"][0]["plain_text"] == "deep"
    assert pages[api.root]["children"][0]["type"] == "child_page"


def test_a_person_edits(api: "Api", paragraph: Any) -> None:
    _, source = api.database({"Name": {"title": {}}, "State": {"select": {}}})
    page = api.row(source, {})["id"]
    person = api.get("/_control/info")["person_id"]
    edit = {"page_id": page, "properties": {"State": {"select": {"name": "Accepted"}}}}
    api.post("/_control/edit", edit)
    now = api.get(f"/v1/pages/{page}")
    assert now["properties"]["State"]["select"]["name"] == "Accepted"
    assert now["last_edited_by"]["id"] == person
    api.post("/_control/edit", {"page_id": page, "children": [paragraph("a note")]})
    block = api.children(page)[0]
    assert block["created_by"]["id"] == person
    api.post("/_control/edit", {"page_id": page, "comment": "Looks wrong"})
    comment = api.get(f"/v1/comments?block_id={page}")["results"][0]
    assert comment["created_by"]["id"] == person
    assert comment["rich_text"][0]["plain_text"] == "Looks wrong"
    api.post("/_control/edit", {"block_id": block["id"], "trash": True})
    assert api.children(page) == []


@pytest.mark.parametrize(
    "body",
    [
        [],
        {},
        {"page_id": "x"},
        {"page_id": "ROOT"},
        {"page_id": "ROOT", "properties": {"Nope": {"number": 1}}},
        {"page_id": "00000000-0000-0000-0000-000000000000", "comment": "x"},
    ],
)
def test_wrong_edits_are_told(api: "Api", body: Any) -> None:
    if isinstance(body, dict) and body.get("page_id") == "ROOT":
        body = body | {"page_id": api.root}
    assert api.post("/_control/edit", body, 400)["error"]


@pytest.mark.parametrize(
    "body", [[], {"speed": 1}, {"index_delay_seconds": "x"}, {"charts_allowed": 1}, {"rate_limit": True}]
)
def test_wrong_settings_are_told(api: "Api", body: Any) -> None:
    before = api.get("/_control/info")["settings"]
    assert api.post("/_control/settings", body, 400)["error"]
    assert api.get("/_control/info")["settings"] == before


def test_settings_change_while_it_runs(api: "Api") -> None:
    assert api.post("/_control/settings", {"rate_limit": 2.5})["rate_limit"] == 2.5
    assert api.post("/_control/settings", {"rate_limit": None})["rate_limit"] is None
