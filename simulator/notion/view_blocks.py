"""Blocks as HTML."""

from html import escape
from itertools import groupby

from simulator.notion.checks import Json
from simulator.notion.rich_text import plain_text
from simulator.notion.store import Store
from simulator.notion.tree import children
from simulator.notion.view_style import color_class
from simulator.notion.view_text import (
    file_address,
    icon,
    image,
    is_numeric,
    link,
    page_link,
    property_value,
    spans,
)

_LISTS = {"bulleted_list_item": "ul", "numbered_list_item": "ol"}
# The page's title is the h1.
_HEADINGS = {"heading_1": "h2", "heading_2": "h3", "heading_3": "h4", "heading_4": "h5"}


def render_children(store: Store, parent: Json) -> str:
    """Everything below a page or block; neighbouring list items become one list."""
    parts = []
    below = children(store, parent)
    for kind, group in groupby(below, lambda one: one.get("type", one["object"])):
        records = list(group)
        html = "".join(_render(store, record) for record in records)
        parts.append(f"<{_LISTS[kind]}>{html}</{_LISTS[kind]}>" if kind in _LISTS else html)
    return "".join(parts)


def render_rows(store: Store, database: Json) -> str:
    """The data sources of a database, each as a table of its pages, newest first."""
    parts = []
    sources = [one for one in store.members("data_source", database["id"]) if not one["in_trash"]]
    for source in sources:
        if len(sources) > 1:
            parts.append(f"<h3>{escape(plain_text(source['title']) or 'Untitled')}</h3>")
        props = sorted(source["schema"].values(), key=lambda prop: prop["type"] != "title")
        heads = "".join(f"<th{_numeric(prop)}>{escape(prop['name'])}</th>" for prop in props)
        rows = []
        for page in reversed(store.members("page", source["id"])):
            if not page["in_trash"]:
                cells = "".join(
                    f"<td{_numeric(prop)}>{property_value(page, prop, store) or _untitled(page, prop)}</td>"
                    for prop in props
                )
                rows.append(f"<tr>{cells}</tr>")
        body = "".join(rows) or f'<tr><td colspan="{len(props)}" class="note">No pages</td></tr>'
        parts.append(
            f'<div class="scroll"><table><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table></div>'
        )
    return "".join(parts)


def _untitled(page: Json, prop: Json) -> str:
    return page_link(page) if prop["type"] == "title" else ""


def _numeric(prop: Json) -> str:
    return ' class="number"' if is_numeric(prop) else ""


def _render(store: Store, record: Json) -> str:
    if record["object"] == "page":
        return f"<p>{page_link(record) if record['icon'] else '📄 ' + page_link(record)}</p>"
    if record["object"] == "database":
        address = f"/view/database/{record['id'].replace('-', '')}"
        title = escape(plain_text(record["title"]) or "Untitled")
        return f'<h3>{icon(record["icon"])} <a href="{address}">{title}</a></h3>{render_rows(store, record)}'
    kind, content = record["type"], record["content"]
    if "rich_text" in content and kind != "code":
        return _text_block(store, record)
    if kind in {"image", "video", "pdf", "file", "audio"}:
        return _media(kind, content)
    if kind in {"bookmark", "embed"}:
        return f'<p class="block">{link(content["url"], escape(content["url"]))}</p>{_caption(content)}'
    if kind == "table":
        return _table(store, record)
    if kind == "column_list":
        columns = "".join(_column(store, one) for one in children(store, record))
        return f'<div class="columns">{columns}</div>'
    if kind == "code":
        return f"<pre><code>{escape(plain_text(content['rich_text']))}</code></pre>{_caption(content)}"
    if kind == "equation":
        return f"<p><code>{escape(content['expression'])}</code></p>"
    if kind == "link_to_page":
        target = store.get(content.get("page_id", ""), "page")
        return f"<p>{page_link(target)}</p>" if target else ""
    if kind == "divider":
        return "<hr>"
    return render_children(store, record)


def _text_block(store: Store, record: Json) -> str:
    kind, content = record["type"], record["content"]
    html, below = spans(content["rich_text"]), render_children(store, record)
    css = color_class(content["color"])
    attribute = f' class="{css}"' if css else ""
    if kind in _HEADINGS:
        head = f"<{_HEADINGS[kind]}{attribute}>{html}</{_HEADINGS[kind]}>"
        if content["is_toggleable"]:
            return f'<details><summary>{head}</summary><div class="indent">{below}</div></details>'
        return head
    if kind in _LISTS:
        return f"<li{attribute}>{html}{below}</li>"
    if kind == "to_do":
        checked, done = (" checked", " done") if content["checked"] else ("", "")
        text = f'<div class="{css}{done}">{html}</div>'
        box = f'<div class="todo"><input type="checkbox" disabled{checked}>{text}</div>'
        return box + (f'<div class="indent">{below}</div>' if below else "")
    if kind == "toggle":
        return f'<details><summary{attribute}>{html}</summary><div class="indent">{below}</div></details>'
    if kind == "callout":
        sign = f"<span>{icon(content['icon'])}</span>"
        return f'<div class="callout {css}">{sign}<div><p>{html}</p>{below}</div></div>'
    if kind == "quote":
        return f"<blockquote{attribute}>{html}{below}</blockquote>"
    return f"<p{attribute}>{html}</p>" + (f'<div class="indent">{below}</div>' if below else "")


def _media(kind: str, content: Json) -> str:
    if kind == "image":
        alternative = plain_text(content["caption"]) or "image"
        return f"<figure>{image(content, alternative)}{_caption(content)}</figure>"
    name = content.get("name") or kind
    return f'<p class="block">{link(file_address(content), escape(str(name)))}</p>{_caption(content)}'


def _caption(content: Json) -> str:
    return f"<figcaption>{spans(content['caption'])}</figcaption>" if content["caption"] else ""


def _column(store: Store, record: Json) -> str:
    ratio = record["content"].get("width_ratio")
    style = f' style="flex-grow:{float(ratio) * 10:.3f}"' if ratio else ""
    return f"<div{style}>{render_children(store, record)}</div>"


def _table(store: Store, record: Json) -> str:
    rows = []
    for index, row in enumerate(children(store, record)):
        cells = []
        for place, cell in enumerate(row["content"]["cells"]):
            head = (index == 0 and record["content"]["has_column_header"]) or (
                place == 0 and record["content"]["has_row_header"]
            )
            tag = "th" if head else "td"
            cells.append(f"<{tag}>{spans(cell)}</{tag}>")
        rows.append(f"<tr>{''.join(cells)}</tr>")
    return f'<div class="scroll"><table>{"".join(rows)}</table></div>'
