"""The whole path of a report through the real client library."""

import io
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from notion_client import APIResponseError, Client

if TYPE_CHECKING:
    from tests.simulator.notion.conftest import Api


@pytest.fixture
def client(api: "Api") -> Iterator[Client]:
    library = Client(auth="ntn_test", base_url=api.url, retry=False)
    yield library
    library.close()


def _text(content: str) -> list[dict[str, Any]]:
    return [{"type": "text", "text": {"content": content}}]


def _report_properties(key: str, state: str) -> dict[str, Any]:
    return {
        "Name": {"title": _text(f"Report {key}")},
        "Key": {"rich_text": _text(key)},
        "State": {"select": {"name": state}},
        "Spend": {"number": 12.5},
    }


def _made(client: Client, api: "Api") -> tuple[str, str]:
    database: Any = client.databases.create(
        parent={"type": "page_id", "page_id": api.root},
        title=_text("Reports"),
        initial_data_source={
            "properties": {
                "Name": {"title": {}},
                "Key": {"rich_text": {}},
                "State": {"select": {"options": [{"name": "writing", "color": "yellow"}]}},
                "Spend": {"number": {"format": "real"}},
            }
        },
    )
    return database["id"], database["data_sources"][0]["id"]


def test_a_report_is_made_found_emptied_and_written_again(client: Client, api: "Api") -> None:
    _, source = _made(client, api)
    upload: Any = client.file_uploads.create(
        mode="single_part", filename="chart.png", content_type="image/png"
    )
    picture = b"\x89PNG\r\n\x1a\n" + bytes(100)
    client.file_uploads.send(upload["id"], file=("chart.png", io.BytesIO(picture), "image/png"))
    page: Any = client.pages.create(
        parent={"type": "data_source_id", "data_source_id": source},
        properties=_report_properties("a/2026-11-22", "writing"),
        children=[
            {"heading_2": {"rich_text": _text("Summary")}},
            {"image": {"type": "file_upload", "file_upload": {"id": upload["id"]}}},
        ],
    )
    found: Any = client.data_sources.query(
        source, filter={"property": "Key", "rich_text": {"equals": "a/2026-11-22"}}
    )
    assert [one["id"] for one in found["results"]] == [page["id"]]
    blocks: Any = client.blocks.children.list(page["id"])
    assert [one["type"] for one in blocks["results"]] == ["heading_2", "image"]
    address = blocks["results"][1]["image"]["file"]["url"]
    assert httpx.get(address).content == picture

    emptied: Any = client.pages.update(
        page["id"], erase_content=True, properties={"State": {"select": {"name": "writing"}}}
    )
    assert emptied["properties"]["State"]["select"]["name"] == "writing"
    after: Any = client.blocks.children.list(page["id"])
    assert after["results"] == []
    appended: Any = client.blocks.children.append(
        page["id"], children=[{"paragraph": {"rich_text": _text("One")}}, {"divider": {}}]
    )
    assert [one["type"] for one in appended["results"]] == ["paragraph", "divider"]
    done: Any = client.pages.update(page["id"], properties={"State": {"select": {"name": "complete"}}})
    assert done["properties"]["State"]["select"]["name"] == "complete"
    assert done["url"].startswith(f"{api.url}/view/page/")
    assert "One" in httpx.get(done["url"]).text


def test_the_library_reads_errors(client: Client, api: "Api") -> None:
    with pytest.raises(APIResponseError) as caught:
        client.pages.retrieve("00000000-0000-0000-0000-000000000000")
    assert caught.value.status == 404
    assert caught.value.code == "object_not_found"
    api.fault("conflict_error")
    with pytest.raises(APIResponseError) as conflict:
        client.users.me()
    assert conflict.value.status == 409


def test_properties_outside_the_initial_data_source_are_refused(api: "Api") -> None:
    body = {"parent": {"page_id": api.root}, "properties": {"Name": {"title": {}}}}
    message = api.refused("POST", "/v1/databases", body)
    assert message.startswith("body failed validation: body.properties should be not present")
