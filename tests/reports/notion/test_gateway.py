"""Every failure of a call is one typed error, and none of them holds the token."""

from __future__ import annotations

import logging
import traceback
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import SecretStr

from reports.errors import (
    NotionBadRequest,
    NotionError,
    NotionMissing,
    NotionRefused,
    NotionThrottled,
    NotionTransient,
)
from reports.notion.gateway import NotionGateway, retry_after
from reports.rich_text import block, rich_text
from tests.reports.conftest import TOKEN, Notion


@pytest.mark.parametrize(
    ("kind", "parameters", "error"),
    [
        ("rate_limited", {"retry_after": 7}, NotionThrottled),
        ("rate_limited_html", {"retry_after": 7}, NotionThrottled),
        ("conflict_error", {}, NotionTransient),
        ("internal_server_error", {}, NotionTransient),
        ("service_unavailable", {}, NotionTransient),
        ("gateway_timeout", {}, NotionTransient),
        ("service_overload", {}, NotionTransient),
        ("http_502_html", {}, NotionTransient),
        ("http_503_html", {}, NotionTransient),
        ("cut", {}, NotionTransient),
        ("cut_body", {}, NotionTransient),
        ("truncated_json", {}, NotionTransient),
        ("unauthorized", {}, NotionRefused),
        ("restricted_resource", {}, NotionRefused),
        ("object_not_found", {}, NotionMissing),
        ("validation_error", {}, NotionBadRequest),
    ],
)
def test_every_fault_has_its_error(
    notion: Notion, kind: str, parameters: dict[str, Any], error: type[NotionError]
) -> None:
    gateway = notion.gateway()
    notion.fault(kind, path="/v1/", times=1, parameters=parameters)
    with pytest.raises(error) as caught:
        gateway.retrieve_page(notion.root)
    assert type(caught.value) is error
    assert (gateway.calls, len(notion.log())) == (1, 1)  # no retries of the client's own
    assert getattr(caught.value, "retry_after", 7) == 7
    assert gateway.retrieve_page(notion.root)["id"] == notion.root


def test_a_slow_answer_is_a_doubtful_outcome(notion: Notion) -> None:
    notion.fault("slow", path="/v1/", parameters={"seconds": 5})
    with pytest.raises(NotionTransient, match="did not answer in time"):
        notion.gateway(timeout=0.2).retrieve_page(notion.root)
    notion.heal()


@pytest.mark.parametrize(
    ("base_url", "error"),
    [
        ("http://127.0.0.1:9", NotionTransient),
        ("ftp://127.0.0.1", NotionBadRequest),
        ("http://127.0.0.1:port", NotionBadRequest),
    ],
)
def test_an_address_where_notion_is_not(base_url: str, error: type[NotionError]) -> None:
    with pytest.raises(error), NotionGateway(SecretStr(TOKEN), base_url=base_url, timeout=5) as gateway:
        gateway.retrieve_page("0" * 32)


def test_another_service_at_the_address(notion: Notion) -> None:
    with pytest.raises(NotionBadRequest, match="NOTION_API_URL"):
        notion.gateway(base_url=f"{notion.url}/nothing").retrieve_page(notion.root)


def test_a_wrong_token_says_what_to_do_and_is_not_shown(
    notion: Notion, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    gateway = notion.gateway(token=SecretStr("ntn_wrong_secret"))
    with pytest.raises(NotionRefused, match="NOTION_API_TOKEN") as caught:
        gateway.retrieve_page(notion.root)
    shown = "".join(traceback.format_exception(caught.value)) + repr(gateway) + caplog.text
    shown += "".join(capfd.readouterr())
    assert "secret" not in shown
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


@pytest.mark.parametrize("token", ["", "  ", "ntn_sec\nret", "ntn_sec…ret", "ntn_sec ret"])
def test_a_token_that_cannot_travel_is_refused_without_being_shown(token: str) -> None:
    with pytest.raises(NotionRefused) as caught:
        NotionGateway(SecretStr(token))
    assert "ret" not in str(caught.value).replace("secret", "")


def test_clients_do_not_pile_up_log_handlers(notion: Notion) -> None:
    for _ in range(3):
        notion.gateway()
    assert logging.getLogger("notion_client").handlers == []
    assert logging.getLogger("reports.notion.gateway.client").handlers == []


def test_every_argument_arrives(notion: Notion) -> None:
    """The client drops arguments that it does not know, so each one is looked for on the other side."""
    gateway = notion.gateway()
    database = gateway.create_database(
        notion.root,
        title=rich_text("T"),
        description=rich_text("D"),
        properties={"Name": {"title": {}}, "Key": {"rich_text": {}}},
    )
    source = database["data_sources"][0]["id"]
    assert (database["title"][0]["plain_text"], database["description"][0]["plain_text"]) == ("T", "D")
    gateway.add_properties(source, {"Day": {"date": {}}})
    assert set(gateway.retrieve_data_source(source)["properties"]) == {"Name", "Key", "Day"}
    pages = [
        gateway.create_page(
            source, {"Key": {"rich_text": rich_text(key)}}, [block("paragraph", rich_text("1"))]
        )["id"]
        for key in ("a", "b", "a")
    ]
    found = gateway.query(source, filter={"property": "Key", "rich_text": {"equals": "a"}})
    assert [page["id"] for page in found] == [pages[0], pages[2]]
    gateway.append_blocks(pages[0], [block("paragraph", rich_text("2"))])
    assert len(list(gateway.list_blocks(pages[0]))) == 2
    changed = gateway.update_page(pages[0], {"Key": {"rich_text": rich_text("c")}})
    assert changed["properties"]["Key"]["rich_text"][0]["plain_text"] == "c"
    assert len(list(gateway.list_blocks(pages[0]))) == 2
    gateway.update_page(pages[0], {}, erase=True)
    assert list(gateway.list_blocks(pages[0])) == []
    gateway.trash_page(pages[0])
    assert gateway.retrieve_page(pages[0])["in_trash"]
    gateway.trash_database(database["id"])
    assert gateway.retrieve_database(database["id"])["in_trash"]


def test_lists_are_read_to_their_end(notion: Notion) -> None:
    gateway = notion.gateway()
    for _ in range(3):
        gateway.append_blocks(notion.root, [block("divider") for _ in range(70)])
    before = gateway.calls
    assert len(list(gateway.list_blocks(notion.root))) == 210
    assert gateway.calls - before == 3


def test_writing_to_what_lies_in_the_trash_is_missing(notion: Notion) -> None:
    gateway = notion.gateway()
    page = notion.call("POST", "pages", parent={"page_id": notion.root}, properties={})["id"]
    gateway.trash_page(page)
    with pytest.raises(NotionMissing, match="Restore it"):
        gateway.append_blocks(page, [block("divider")])


@pytest.mark.parametrize("page_id", ["../users", "%2e%2e/users"])
def test_an_id_cannot_change_the_address(notion: Notion, page_id: str) -> None:
    with pytest.raises(NotionBadRequest):
        notion.gateway().retrieve_page(page_id)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, 10),
        ("0", 0),
        ("90", 90),
        ("1.5", 1.5),
        ("-3", 0),
        ("nan", 0),
        ("inf", 86_400),
        ("soon", 10),
        ("Sun, 22 Nov 2026 10:00:30 GMT", 30),
        ("Sun, 22 Nov 2026 09:00:00 GMT", 0),
    ],
)
def test_how_long_to_wait(header: str | None, seconds: float) -> None:
    assert retry_after(header, now=datetime(2026, 11, 22, 10, tzinfo=UTC)) == seconds
