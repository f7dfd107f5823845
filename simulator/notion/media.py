"""Icons, covers and files: what a request may name, and uploaded files that are attached by naming them."""

from typing import Any

from simulator.notion import limits
from simulator.notion.checks import (
    MISSING,
    Json,
    a_list,
    a_string,
    an_address,
    an_id,
    an_object,
    failed,
    only_keys,
)
from simulator.notion.errors import invalid
from simulator.notion.rich_text import parse_rich_text
from simulator.notion.store import Store
from simulator.notion.uploads import upload_status

_ICON_LENGTH = 16


def parse_icon(value: Any, path: str, store: Store) -> Json | None:
    """An emoji or a file; null takes the icon away."""
    if value is None:
        return None
    given = an_object(value, path)
    if "emoji" in given:
        only_keys(given, path, ("type", "emoji"))
        emoji = a_string(given["emoji"], f"{path}.emoji", longest=_ICON_LENGTH)
        if not emoji or any(character.isascii() and character.isalnum() for character in emoji):
            raise failed(f"{path}.emoji should be an emoji, instead was `{emoji}`.")
        return {"type": "emoji", "emoji": emoji}
    if "external" not in given and "file_upload" not in given:
        raise failed(
            *(
                f"{path}.{one} should be defined, instead was `undefined`."
                for one in ("emoji", "external", "file_upload")
            )
        )
    return parse_source(given, path, store)


def parse_cover(value: Any, path: str, store: Store) -> Json | None:
    """A file; null takes the cover away."""
    return None if value is None else parse_source(an_object(value, path), path, store)


def parse_source(given: Json, path: str, store: Store, *, extra: tuple[str, ...] = ()) -> Json:
    """``external`` with a URL, or ``file_upload`` with the id of an upload whose bytes have arrived."""
    only_keys(given, path, ("type", "external", "file_upload", *extra))
    if "file_upload" in given:
        where = f"{path}.file_upload"
        inner = an_object(given["file_upload"], where)
        only_keys(inner, where, ("id",))
        upload_id = an_id(inner.get("id", MISSING), f"{where}.id")
        upload = store.get(upload_id, "file_upload")
        status = upload_status(upload, store) if upload else None
        if upload is None or status != "uploaded":
            found = f"has status `{status}`" if status else "does not exist"
            raise invalid(
                f"{where}.id: file upload {upload_id} {found}; only an `uploaded` one can be attached."
            )
        store.attach(upload_id)
        return {"type": "file_upload", "file_upload": {"id": upload_id}}
    if "external" not in given:
        raise failed(
            f"{path}.external should be defined, instead was `undefined`.",
            f"{path}.file_upload should be defined, instead was `undefined`.",
        )
    where = f"{path}.external"
    inner = an_object(given["external"], where)
    only_keys(inner, where, ("url",))
    url = an_address(inner.get("url", MISSING), f"{where}.url", longest=limits.URL_LENGTH, what="file")
    return {"type": "external", "external": {"url": url}}


def parse_media(given: Json, path: str, store: Store) -> Json:
    """The content of an image, video, audio, pdf or file block."""
    caption = parse_rich_text(given.get("caption", []), f"{path}.caption", store)
    source = parse_source(given, path, store, extra=("caption", "name"))
    content: Json = {"caption": caption} | source
    if "name" in given:
        content["name"] = a_string(given["name"], f"{path}.name", longest=limits.OPTION_NAME_LENGTH)
    return content


def parse_files(value: Any, path: str, store: Store) -> list[Json]:
    """The value of a files property."""
    files = []
    for index, one in enumerate(a_list(value, path)):
        where = f"{path}[{index}]"
        given = an_object(one, where)
        source = parse_source(given, where, store, extra=("name",))
        name = a_string(given["name"], f"{where}.name", longest=100) if "name" in given else None
        if name is None:
            name = _default_name(source, store)
        files.append({"name": name} | source)
    return files


def _default_name(source: Json, store: Store) -> str:
    if source["type"] == "external":
        return str(source["external"]["url"])
    return str(store.objects[source["file_upload"]["id"]]["filename"])
