"""Filters of data source queries, compiled into a predicate on stored pages."""

from collections.abc import Callable
from datetime import date
from typing import Any

from simulator.notion.checks import (
    MISSING,
    Json,
    a_boolean,
    a_list,
    a_number,
    a_string,
    an_id,
    an_object,
    failed,
    one_of,
    only_keys,
    wrong,
)
from simulator.notion.dates import RELATIVE, day_of, is_day, moment, parse_moment, relative_range
from simulator.notion.errors import invalid
from simulator.notion.properties import option_of, raw_value
from simulator.notion.rich_text import plain_text
from simulator.notion.schema import find_property

Predicate = Callable[[Json], bool]
Value = Callable[[Json], Any]
_NESTING = 2
_TEXTS = frozenset({"title", "rich_text", "url", "email", "phone_number"})
_DATES = frozenset({"date", "created_time", "last_edited_time"})
_PEOPLE = frozenset({"people", "created_by", "last_edited_by"})
_STAMPS = {"created_time": "created", "last_edited_time": "edited"}
_TEXT_CONDITIONS = [
    "equals",
    "does_not_equal",
    "contains",
    "does_not_contain",
    "starts_with",
    "ends_with",
    "is_empty",
    "is_not_empty",
]
_NUMBER_CONDITIONS = [
    "equals",
    "does_not_equal",
    "greater_than",
    "less_than",
    "greater_than_or_equal_to",
    "less_than_or_equal_to",
    "is_empty",
    "is_not_empty",
]
_DATE_CONDITIONS = (
    "equals",
    "before",
    "after",
    "on_or_before",
    "on_or_after",
    "is_empty",
    "is_not_empty",
    *RELATIVE,
)


class FilterReader:
    """Compiles one filter. Raises `ApiError`. ``today`` is what relative conditions count from."""

    def __init__(self, schema: dict[str, Json], today: date) -> None:
        self._schema = schema
        self._today = today

    def read(self, value: Any, path: str, depth: int = 0) -> Predicate:
        """A compound, a property or a timestamp filter."""
        given = an_object(value, path)
        for word, combine in (("and", all), ("or", any)):
            if word in given:
                only_keys(given, path, (word,))
                if depth >= _NESTING:
                    raise wrong(f"{path}.{word}", "not present", given[word])
                parts = [
                    self.read(one, f"{path}.{word}[{index}]", depth + 1)
                    for index, one in enumerate(a_list(given[word], f"{path}.{word}"))
                ]
                return lambda page, parts=parts, combine=combine: combine(part(page) for part in parts)  # type: ignore[misc]
        if "timestamp" in given:
            kind = one_of(given["timestamp"], f"{path}.timestamp", _STAMPS)
            only_keys(given, path, ("timestamp", "type", kind))
            field = _STAMPS[kind]
            condition = an_object(given.get(kind, MISSING), f"{path}.{kind}")
            return self._date(condition, f"{path}.{kind}", lambda page: page[field])
        if "property" not in given:
            raise failed(
                *(
                    f"{path}.{one} should be defined, instead was `undefined`."
                    for one in ("or", "and", "property", "timestamp")
                )
            )
        return self._property(given, path)

    def _property(self, given: Json, path: str) -> Predicate:
        name = a_string(given["property"], f"{path}.property")
        prop = find_property(self._schema, name)
        if prop is None:
            raise invalid(f"Could not find property with name or id: {name}")
        kinds = [key for key in given if key not in ("property", "type")]
        if not kinds:
            raise wrong(f"{path}.{prop['type']}", "defined", MISSING)
        only_keys(given, path, ("property", "type", kinds[0]))
        kind = kinds[0]
        # One may filter any text by `rich_text`, as the documentation has it.
        if kind != prop["type"] and not (kind == "rich_text" and prop["type"] in _TEXTS):
            raise invalid(f"database property {prop['type']} does not match filter {kind}")
        where = f"{path}.{kind}"
        condition = an_object(given[kind], where)
        return self._condition(prop, condition, where)

    def _condition(self, prop: Json, condition: Json, path: str) -> Predicate:
        kind = prop["type"]

        def value(page: Json) -> Any:
            return raw_value(page, prop)

        if kind in _TEXTS:
            if kind in {"title", "rich_text"}:
                return _text(condition, path, lambda page: plain_text(value(page)))
            return _text(condition, path, lambda page: value(page) or "")
        if kind in {"number", "unique_id"}:
            return _number(condition, path, value)
        if kind == "checkbox":
            name, wanted = _one(condition, path, ("equals", "does_not_equal"))
            flag = a_boolean(wanted, f"{path}.{name}")
            return lambda page: (value(page) == flag) == (name == "equals")
        if kind in {"select", "status"}:
            return _option(condition, path, lambda page: (option_of(prop, value(page)) or {}).get("name"))
        if kind == "multi_select":
            names: Value = lambda page: [(option_of(prop, one) or {}).get("name") for one in value(page)]  # noqa: E731
            return _members(condition, path, names, a_string)
        if kind == "relation" or kind in _PEOPLE:
            ids: Value = lambda page: value(page) if isinstance(value(page), list) else [value(page)]  # noqa: E731
            return _members(condition, path, ids, an_id)
        if kind == "files":
            name, wanted = _one(condition, path, ("is_empty", "is_not_empty"))
            _true(wanted, f"{path}.{name}")
            return lambda page: bool(value(page)) == (name == "is_not_empty")
        if kind == "date":
            return self._date(condition, path, lambda page: (value(page) or {}).get("start"))
        return self._date(condition, path, value)

    def _date(self, condition: Json, path: str, value: Value) -> Predicate:
        name, wanted = _one(condition, path, _DATE_CONDITIONS)
        where = f"{path}.{name}"
        if name in {"is_empty", "is_not_empty"}:
            _true(wanted, where)
            return lambda page: (value(page) is not None) == (name == "is_not_empty")
        if name in RELATIVE:
            only_keys(an_object(wanted, where), where, ())
            first, last = relative_range(name, self._today)
            return lambda page: value(page) is not None and first <= day_of(value(page)) <= last
        text = parse_moment(wanted, where)
        return lambda page: value(page) is not None and _compare_dates(name, value(page), text)


def _compare_dates(name: str, value: str, wanted: str) -> bool:
    left: Any
    right: Any
    if is_day(wanted):
        left, right = day_of(value), day_of(wanted)
    else:
        left, right = moment(value), moment(wanted)
    return bool(
        {
            "equals": left == right,
            "before": left < right,
            "after": left > right,
            "on_or_before": left <= right,
            "on_or_after": left >= right,
        }[name]
    )


def _one(condition: Json, path: str, names: list[str] | tuple[str, ...]) -> tuple[str, Any]:
    """The one condition of a filter."""
    if not condition:
        raise failed(*(f"{path}.{name} should be defined, instead was `undefined`." for name in names))
    only_keys(condition, path, names)
    if len(condition) > 1:
        second = list(condition)[1]
        raise wrong(f"{path}.{second}", "not present", condition[second])
    return next(iter(condition.items()))


def _true(value: Any, path: str) -> None:
    if value is not True:
        raise wrong(path, "`true`", value)


def _text(condition: Json, path: str, value: Value) -> Predicate:
    name, wanted = _one(condition, path, _TEXT_CONDITIONS)
    if name in {"is_empty", "is_not_empty"}:
        _true(wanted, f"{path}.{name}")
        return lambda page: bool(value(page)) == (name == "is_not_empty")
    text = a_string(wanted, f"{path}.{name}")
    low = text.casefold()
    tests: dict[str, Predicate] = {
        "equals": lambda page: value(page) == text,
        "does_not_equal": lambda page: value(page) != text,
        "contains": lambda page: low in value(page).casefold(),
        "does_not_contain": lambda page: low not in value(page).casefold(),
        "starts_with": lambda page: value(page).casefold().startswith(low),
        "ends_with": lambda page: value(page).casefold().endswith(low),
    }
    return tests[name]


def _number(condition: Json, path: str, value: Value) -> Predicate:
    name, wanted = _one(condition, path, _NUMBER_CONDITIONS)
    if name in {"is_empty", "is_not_empty"}:
        _true(wanted, f"{path}.{name}")
        return lambda page: (value(page) is not None) == (name == "is_not_empty")
    number = a_number(wanted, f"{path}.{name}")
    if name == "does_not_equal":
        return lambda page: value(page) != number
    tests: dict[str, Callable[[Any], bool]] = {
        "equals": lambda found: found == number,
        "greater_than": lambda found: found > number,
        "less_than": lambda found: found < number,
        "greater_than_or_equal_to": lambda found: found >= number,
        "less_than_or_equal_to": lambda found: found <= number,
    }
    test = tests[name]
    return lambda page: value(page) is not None and test(value(page))


def _option(condition: Json, path: str, value: Value) -> Predicate:
    name, wanted = _one(condition, path, ("equals", "does_not_equal", "is_empty", "is_not_empty"))
    if name in {"is_empty", "is_not_empty"}:
        _true(wanted, f"{path}.{name}")
        return lambda page: (value(page) is not None) == (name == "is_not_empty")
    text = a_string(wanted, f"{path}.{name}")
    return lambda page: (value(page) == text) == (name == "equals")


def _members(condition: Json, path: str, value: Value, parse: Callable[[Any, str], str]) -> Predicate:
    name, wanted = _one(condition, path, ("contains", "does_not_contain", "is_empty", "is_not_empty"))
    if name in {"is_empty", "is_not_empty"}:
        _true(wanted, f"{path}.{name}")
        return lambda page: bool(value(page)) == (name == "is_not_empty")
    member = parse(wanted, f"{path}.{name}")
    return lambda page: (member in value(page)) == (name == "contains")
