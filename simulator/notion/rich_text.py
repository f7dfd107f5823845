"""Rich text: requests to the stored form, which is the form of the answers."""

from typing import Any

from simulator.notion import limits
from simulator.notion.checks import (
    MISSING,
    Json,
    a_boolean,
    a_list,
    a_string,
    an_address,
    an_id,
    an_object,
    failed,
    one_of,
    only_keys,
)
from simulator.notion.dates import parse_date
from simulator.notion.store import Store

_HUES = ("gray", "brown", "orange", "yellow", "green", "blue", "purple", "pink", "red")
COLORS = ("default", *_HUES, "default_background", *(f"{hue}_background" for hue in _HUES))
_STYLES = ("bold", "italic", "strikethrough", "underline", "code")
# The answer's own keys are taken back, so that text read may be written again.
_ITEM_KEYS = ("type", "text", "mention", "equation", "annotations", "plain_text", "href")
_MENTIONS = ("page", "database", "user", "date")


def parse_rich_text(value: Any, path: str, store: Store) -> list[Json]:
    """A list of rich text objects, each at most 2000 characters, at most 100 of them."""
    items = a_list(value, path, longest=limits.LIST_ELEMENTS)
    return [_parse_item(item, f"{path}[{index}]", store) for index, item in enumerate(items)]


def text_item(content: str, *, link: str | None = None, style: str | None = None) -> Json:
    """A text object in the stored form."""
    annotations: Json = {name: name == style for name in _STYLES}
    return {
        "type": "text",
        "text": {"content": content, "link": {"url": link} if link else None},
        "annotations": annotations | {"color": "default"},
        "plain_text": content,
        "href": link,
    }


def plain_text(items: list[Json]) -> str:
    """The text without its styles."""
    return "".join(item["plain_text"] for item in items)


def _parse_item(value: Any, path: str, store: Store) -> Json:
    item = an_object(value, path)
    only_keys(item, path, _ITEM_KEYS)
    kinds = [kind for kind in ("text", "mention", "equation") if kind in item]
    if "type" in item:
        kind = one_of(item["type"], f"{path}.type", ("text", "mention", "equation"))
    elif kinds:
        kind = kinds[0]
    else:
        raise failed(
            *(
                f"{path}.{one} should be defined, instead was `undefined`."
                for one in ("text", "mention", "equation")
            )
        )
    annotations = _parse_annotations(item.get("annotations", {}), f"{path}.annotations")
    where = f"{path}.{kind}"
    inner = an_object(item.get(kind, MISSING), where)
    if kind == "text":
        content, plain, href = _parse_text(inner, where)
    elif kind == "equation":
        only_keys(inner, where, ("expression",))
        plain = a_string(
            inner.get("expression", MISSING), f"{where}.expression", longest=limits.EQUATION_LENGTH
        )
        content, href = {"expression": plain}, None
    else:
        content, plain, href = _parse_mention(inner, where, store)
    return {"type": kind, kind: content, "annotations": annotations, "plain_text": plain, "href": href}


def _parse_text(inner: Json, where: str) -> tuple[Json, str, str | None]:
    only_keys(inner, where, ("content", "link"))
    text = a_string(inner.get("content", MISSING), f"{where}.content", longest=limits.TEXT_LENGTH)
    link = inner.get("link")
    if link is None:
        return {"content": text, "link": None}, text, None
    target = an_object(link, f"{where}.link")
    only_keys(target, f"{where}.link", ("url", "type"))
    url = an_address(target.get("url", MISSING), f"{where}.link.url", longest=limits.URL_LENGTH, what="link")
    return {"content": text, "link": {"url": url}}, text, url


def _parse_mention(inner: Json, where: str, store: Store) -> tuple[Json, str, str | None]:
    only_keys(inner, where, ("type", *_MENTIONS))
    kind = next((one for one in _MENTIONS if one in inner), None)
    if kind is None:
        raise failed(*(f"{where}.{one} should be defined, instead was `undefined`." for one in _MENTIONS))
    if kind == "date":
        date = parse_date(inner["date"], f"{where}.date")
        plain = date["start"] + (f" → {date['end']}" if date["end"] else "")
        return {"type": "date", "date": date}, plain, None
    target = an_object(inner[kind], f"{where}.{kind}")
    target_id = an_id(target.get("id", MISSING), f"{where}.{kind}.id")
    if kind == "user":
        plain = "@Person" if target_id == store.person_id else "@Integration"
        return {"type": "user", "user": {"object": "user", "id": target_id}}, plain, None
    found = store.get(target_id, kind)
    title = plain_text(found["values"]["title"] if kind == "page" else found["title"]) if found else ""
    return (
        {"type": kind, kind: {"id": target_id}},
        title or "Untitled",
        f"/view/{kind}/{target_id.replace('-', '')}",
    )


def _parse_annotations(value: Any, path: str) -> Json:
    given = an_object(value, path)
    only_keys(given, path, (*_STYLES, "color"))
    annotations: Json = dict.fromkeys(_STYLES, False)
    for style in _STYLES:
        if style in given:
            annotations[style] = a_boolean(given[style], f"{path}.{style}")
    annotations["color"] = one_of(given.get("color", "default"), f"{path}.color", COLORS)
    return annotations
