"""Markdown to blocks and blocks to Markdown, for the kinds of block that Markdown knows."""

import re

from simulator.notion import limits
from simulator.notion.blocks import Draft
from simulator.notion.checks import Json, utf16_length
from simulator.notion.rich_text import text_item
from simulator.notion.store import Store
from simulator.notion.tree import children

_HEADING = re.compile(r"(#{1,4}) +(.*)")
_TO_DO = re.compile(r"[-*] \[([ xX])\] +(.*)")
_BULLET = re.compile(r"[-*] +(.*)")
_NUMBER = re.compile(r"\d+[.)] +(.*)")
_IMAGE = re.compile(r"!\[([^\]]*)\]\((\S+?)\)$")
_RULE = re.compile(r"(-{3,}|\*{3,})$")
_TABLE_RULE = re.compile(r"\|(\s*:?-+:?\s*\|)+$")
_SPAN = re.compile(
    r"\*\*(?P<bold>.+?)\*\*|~~(?P<strikethrough>.+?)~~|`(?P<code>[^`]+)`|\*(?P<italic>[^*]+)\*"
    r"|\[(?P<text>[^\]]+)\]\((?P<url>\S+?)\)"
)
_INDENT = "\t"


def read_markdown(text: str) -> list[Draft]:
    """The blocks a text stands for; what is indented by a tab or four spaces lies below the line before."""
    lines = text.replace("\r\n", "\n").split("\n")
    drafts, _ = _read_level([line.replace("    ", _INDENT) for line in lines], 0, 0)
    return drafts


def _read_level(lines: list[str], start: int, depth: int) -> tuple[list[Draft], int]:
    drafts: list[Draft] = []
    index = start
    while index < len(lines):
        line = lines[index]
        if not line.strip():
            index += 1
            continue
        level = len(line) - len(line.lstrip(_INDENT))
        if level < depth:
            break
        if level > depth and drafts:
            drafts[-1].children, index = _read_level(lines, index, depth + 1)
            continue
        draft, index = _read_block(lines, index, line.strip())
        drafts.append(draft)
    return drafts, index


def _read_block(lines: list[str], index: int, line: str) -> tuple[Draft, int]:
    if line.startswith("```"):
        end = next((at for at in range(index + 1, len(lines)) if lines[at].strip() == "```"), len(lines))
        code = "\n".join(lines[index + 1 : end])
        content = {"caption": [], "rich_text": _cut(code), "language": line[3:].strip() or "plain text"}
        return Draft("code", content), end + 1
    if line.startswith("|") and index + 1 < len(lines) and _TABLE_RULE.match(lines[index + 1].strip()):
        return _read_table(lines, index)
    return _read_line(line), index + 1


def _read_line(line: str) -> Draft:
    if match := _HEADING.match(line):
        content = {"rich_text": _spans(match[2]), "is_toggleable": False, "color": "default"}
        return Draft(f"heading_{len(match[1])}", content)
    if match := _TO_DO.match(line):
        checked = match[1] != " "
        return Draft("to_do", {"rich_text": _spans(match[2]), "checked": checked, "color": "default"})
    if _RULE.match(line):
        return Draft("divider", {})
    for kind, pattern in (("bulleted_list_item", _BULLET), ("numbered_list_item", _NUMBER)):
        if match := pattern.match(line):
            return Draft(kind, {"rich_text": _spans(match[1]), "color": "default"})
    if line.startswith("> "):
        return Draft("quote", {"rich_text": _spans(line[2:]), "color": "default"})
    if match := _IMAGE.match(line):
        caption = [text_item(match[1])] if match[1] else []
        return Draft("image", {"caption": caption, "type": "external", "external": {"url": match[2]}})
    return Draft("paragraph", {"rich_text": _spans(line), "icon": None, "color": "default"})


def _read_table(lines: list[str], index: int) -> tuple[Draft, int]:
    rows = []
    while index < len(lines) and lines[index].strip().startswith("|"):
        line = lines[index].strip()
        if not _TABLE_RULE.match(line):
            rows.append([_spans(cell.strip()) for cell in line.strip("|").split("|")])
        index += 1
    width = max(len(row) for row in rows)
    below = [Draft("table_row", {"cells": row + [[] for _ in range(width - len(row))]}) for row in rows]
    content = {"table_width": width, "has_column_header": True, "has_row_header": False}
    return Draft("table", content, below), index


def _spans(text: str) -> list[Json]:
    items: list[Json] = []
    last = 0
    for match in _SPAN.finditer(text):
        items += _cut(text[last : match.start()])
        last = match.end()
        if match["url"]:
            items.append(text_item(match["text"], link=match["url"]))
            continue
        style = next(name for name in ("bold", "strikethrough", "code", "italic") if match[name])
        items.append(text_item(match[style], style=style))
    return items + _cut(text[last:])


def _cut(text: str) -> list[Json]:
    """Plain text in pieces no longer than a rich text object may be."""
    pieces: list[str] = []
    piece = ""
    room = limits.TEXT_LENGTH
    for character in text:
        size = utf16_length(character)
        if size > room:
            pieces.append(piece)
            piece, room = "", limits.TEXT_LENGTH
        piece += character
        room -= size
    return [text_item(one) for one in [*pieces, piece] if one]


def write_markdown(store: Store, parent: Json, depth: int = 0) -> tuple[str, list[str]]:
    """The children of a page or block as Markdown, and the ids of those it has no words for."""
    lines: list[str] = []
    unknown: list[str] = []
    number = 0
    for record in children(store, parent):
        number = number + 1 if record.get("type") == "numbered_list_item" else 0
        text = _write_block(store, record, number)
        if text is None:
            unknown.append(record["id"])
            continue
        lines += [_INDENT * depth + line for line in text.split("\n")]
        if record["object"] == "block" and record["type"] not in {"table", "child_page"}:
            below, more = write_markdown(store, record, depth + 1)
            lines += [below] if below else []
            unknown += more
    return "\n".join(lines), unknown


_PREFIXES = {
    "heading_1": "# ",
    "heading_2": "## ",
    "heading_3": "### ",
    "heading_4": "#### ",
    "bulleted_list_item": "- ",
    "quote": "> ",
    "paragraph": "",
    "toggle": "- ",
    "callout": "> ",
}


def _write_block(store: Store, record: Json, number: int) -> str | None:
    if record["object"] != "block":
        return None
    kind, content = record["type"], record["content"]
    if kind in _PREFIXES:
        return _PREFIXES[kind] + _write_spans(content["rich_text"])
    if kind == "numbered_list_item":
        return f"{number}. {_write_spans(content['rich_text'])}"
    if kind == "to_do":
        return f"- [{'x' if content['checked'] else ' '}] {_write_spans(content['rich_text'])}"
    if kind == "divider":
        return "---"
    if kind == "code":
        code = "".join(item["plain_text"] for item in content["rich_text"])
        return f"```{content['language']}\n{code}\n```"
    if kind == "image" and content["type"] == "external":
        return f"![{_write_spans(content['caption'])}]({content['external']['url']})"
    if kind == "table":
        rows = [[_write_spans(cell) for cell in row["content"]["cells"]] for row in children(store, record)]
        texts = [f"| {' | '.join(row)} |" for row in rows]
        return "\n".join([texts[0], "|" + " --- |" * content["table_width"], *texts[1:]]) if texts else ""
    return None


def _write_spans(items: list[Json]) -> str:
    marks = (("code", "`"), ("bold", "**"), ("italic", "*"), ("strikethrough", "~~"))
    text = ""
    for item in items:
        piece = item["plain_text"]
        for style, mark in marks:
            if item["annotations"][style]:
                piece = f"{mark}{piece}{mark}"
        text += f"[{piece}]({item['href']})" if item["href"] else piece
    return text
