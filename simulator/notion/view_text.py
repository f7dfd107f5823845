"""Rich text, links and property values as HTML. Everything that comes from a request is escaped."""

from decimal import Decimal
from html import escape
from typing import Any

from simulator.notion.checks import Json
from simulator.notion.dates import is_day, moment
from simulator.notion.properties import answer_value
from simulator.notion.rich_text import plain_text
from simulator.notion.store import Store
from simulator.notion.view_style import color_class

_SAFE = ("http://", "https://", "mailto:", "tel:", "/view/")
_CURRENCIES = {
    "dollar": "$",
    "us_dollar": "$",
    "euro": "€",
    "pound": "£",
    "yen": "¥",
    "real": "R$ ",
    "rupee": "₹",
    "won": "₩",
    "canadian_dollar": "CA$",
    "australian_dollar": "A$",
    "mexican_peso": "MX$",
}
_TAGS = (("bold", "strong"), ("italic", "em"), ("strikethrough", "s"), ("code", "code"))


def link(address: str, html: str) -> str:
    """A link around HTML; only the HTML when the address is of a kind a browser might run."""
    return f'<a href="{escape(address)}">{html}</a>' if address.lower().startswith(_SAFE) else html


def file_address(source: Json) -> str:
    """The address of an external or uploaded file."""
    if source["type"] == "file_upload":
        return f"/view/file/{source['file_upload']['id']}"
    return str(source["external"]["url"])


def image(source: Json, alternative: str, css: str = "") -> str:
    """An image."""
    address = file_address(source)
    if not address.lower().startswith(_SAFE):
        return ""
    return f'<img class="{css}" src="{escape(address)}" alt="{escape(alternative)}">'


def spans(items: list[Json]) -> str:
    """Rich text."""
    return "".join(_span(item) for item in items)


def icon(value: Json | None) -> str:
    """An emoji or a picture."""
    if value is None:
        return ""
    return escape(value["emoji"]) if value["type"] == "emoji" else image(value, "")


def page_link(page: Json) -> str:
    """A page's title as a link to it."""
    title = escape(plain_text(page["values"]["title"]) or "Untitled")
    return f'{icon(page["icon"])} <a href="/view/page/{page["id"].replace("-", "")}">{title}</a>'.strip()


def is_numeric(prop: Json) -> bool:
    """Whether a property's values are aligned to the right."""
    return bool(prop["type"] == "number")


def property_value(page: Json, prop: Json, store: Store) -> str:
    """A property of a page."""
    kind = prop["type"]
    value = answer_value(page, prop)
    if value is None or value == []:
        return ""
    if kind in {"title", "rich_text"}:
        return page_link(page) if kind == "title" else spans(value)
    if kind in {"select", "status"}:
        return _pill(value)
    if kind == "multi_select":
        return "".join(_pill(one) for one in value)
    if kind == "checkbox":
        return "☑" if value else "☐"
    if kind == "number":
        return escape(number(value, prop["config"]["format"]))
    if kind == "date":
        return escape(date(value))
    if kind in {"created_time", "last_edited_time"}:
        return escape(_time(value))
    if kind == "relation":
        pages = [store.objects.get(one["id"]) for one in value]
        return ", ".join(page_link(one) for one in pages if one)
    if kind == "files":
        return ", ".join(link(file_address(one), escape(one["name"])) for one in value)
    return _other(kind, value, store)


def number(value: float, form: str) -> str:
    """A number in a property's format."""
    if form == "percent":
        return f"{Decimal(str(value)) * 100:,.2f}".rstrip("0").rstrip(".") + "%"
    if form in _CURRENCIES:
        sign = "-" if value < 0 else ""
        return f"{sign}{_CURRENCIES[form]}{abs(value):,.2f}"
    if form == "number":
        return str(value)
    return f"{value:,}"


def date(value: Json) -> str:
    """A date, or a range of two."""
    start = _time(value["start"], value["time_zone"])
    return f"{start} → {_time(value['end'], value['time_zone'])}" if value["end"] else start


def _time(text: str, zone: str | None = None) -> str:
    return text if is_day(text) else f"{moment(text, zone):%Y-%m-%d %H:%M} UTC"


def _other(kind: str, value: Any, store: Store) -> str:
    if kind in {"created_by", "last_edited_by"}:
        value = [value]
        kind = "people"
    if kind == "people":
        return ", ".join("Person" if one["id"] == store.person_id else "Integration" for one in value)
    if kind == "unique_id":
        prefix = f"{value['prefix']}-" if value["prefix"] else ""
        return escape(f"{prefix}{value['number']}")
    schemes = {"email": "mailto:", "phone_number": "tel:"}
    return link(schemes.get(kind, "") + value, escape(value))


def _pill(option: Json) -> str:
    css = color_class(f"{option['color']}_background")
    return f'<span class="pill {css}">{escape(option["name"])}</span>'


def _span(item: Json) -> str:
    styles = item["annotations"]
    html = escape(item["plain_text"])
    if item["type"] == "equation":
        html = f"<code>{html}</code>"
    for style, tag in _TAGS:
        if styles[style]:
            html = f"<{tag}>{html}</{tag}>"
    classes = " ".join(
        one for one in (color_class(styles["color"]), "u" if styles["underline"] else "") if one
    )
    if classes:
        html = f'<span class="{classes}">{html}</span>'
    return link(item["href"], html) if item["href"] else html
