"""Checks on request bodies. A refusal names the path of the value, as the real service does:
``body.children[3].paragraph.rich_text[0].text.content.length should be ≤ `2000`, instead was `2500`.``
"""

import json
import re
from collections.abc import Collection, Iterable
from typing import Any
from uuid import UUID

from simulator.notion.errors import ApiError, invalid

Json = dict[str, Any]

MISSING: Any = object()
_SHOWN = 60
_WEB_ADDRESS = re.compile(r"(https?://[^\s/?#]+|mailto:[^\s@]+@|tel:[+\d]|/[0-9a-f]{32})", re.IGNORECASE)


def shown(value: Any) -> str:
    """A value the way messages show it: JSON in backticks, cut when long."""
    if value is MISSING:
        return "`undefined`"
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return f"`{text[:_SHOWN]}...`" if len(text) > _SHOWN else f"`{text}`"


def failed(*problems: str, part: str = "body") -> ApiError:
    """The `validation_error` for one problem, or for several of which one has to be fixed."""
    if len(problems) == 1:
        return invalid(f"{part} failed validation: {problems[0]}")
    return invalid(f"{part} failed validation. Fix one:\n" + "\n".join(problems))


def wrong(path: str, wanted: str, value: Any) -> ApiError:
    """``path should be WANTED, instead was VALUE``."""
    return failed(f"{path} should be {wanted}, instead was {shown(value)}.", part=path.split(".", 1)[0])


def an_object(value: Any, path: str) -> Json:
    """The value as an object."""
    if value is MISSING:
        raise wrong(path, "defined", value)
    if not isinstance(value, dict):
        raise wrong(path, "an object", value)
    return value


def a_list(value: Any, path: str, *, longest: int | None = 100) -> list[Any]:
    """The value as a list of at most ``longest`` elements."""
    if value is MISSING:
        raise wrong(path, "defined", value)
    if not isinstance(value, list):
        raise wrong(path, "an array", value)
    at_most(len(value), longest, f"{path}.length")
    return value


def a_string(value: Any, path: str, *, longest: int | None = None) -> str:
    """The value as a string; its length counts UTF-16 code units."""
    if value is MISSING:
        raise wrong(path, "defined", value)
    if not isinstance(value, str):
        raise wrong(path, "a string", value)
    at_most(utf16_length(value), longest, f"{path}.length")
    return value


def a_boolean(value: Any, path: str) -> bool:
    """The value as a boolean."""
    if not isinstance(value, bool):
        raise wrong(path, "a boolean", value)
    return value


def a_number(value: Any, path: str) -> float | int:
    """The value as a number; true and false are none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise wrong(path, "a number", value)
    return value


def an_id(value: Any, path: str) -> str:
    """The value as an id in its dashed form; both forms are taken."""
    text = a_string(value, path)
    try:
        return str(UUID(text))
    except ValueError:
        raise wrong(path, "a valid uuid", value) from None


def an_address(value: Any, path: str, *, longest: int, what: str) -> str:
    """The value as a web address."""
    text = a_string(value, path, longest=longest)
    if not _WEB_ADDRESS.match(text):
        raise invalid(f"Invalid URL for {what}.")
    return text


def one_of(value: Any, path: str, choices: Iterable[str]) -> str:
    """The value as one of the strings listed."""
    names = list(choices)
    if value not in names or not isinstance(value, str):
        quoted = [f'`"{name}"`' for name in names]
        many = len(quoted) > 2
        wanted = f"{', '.join(quoted[:-1])}, or {quoted[-1]}" if many else " or ".join(quoted)
        raise wrong(path, wanted, value)
    return value


def at_most(count: int, limit: int | None, path: str) -> None:
    """Refuse a count above the limit."""
    if limit is not None and count > limit:
        raise wrong(path, f"≤ `{limit}`", count)


def only_keys(value: Json, path: str, allowed: Collection[str]) -> None:
    """Refuse the first key that is not one of those allowed."""
    for key in value:
        if key not in allowed:
            raise wrong(f"{path}.{key}", "not present", value[key])


def utf16_length(text: str) -> int:
    """Length as JavaScript counts it: an emoji outside the basic plane is two."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2
