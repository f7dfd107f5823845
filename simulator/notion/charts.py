"""The configuration of chart views: the values allowed, and the properties it may name."""

from typing import Any

from simulator.notion.checks import MISSING, Json, a_boolean, a_number, a_string, an_object, one_of, only_keys
from simulator.notion.errors import invalid

CHART_TYPES = ("column", "bar", "line", "donut", "number")
_AGGREGATORS = [
    "count",
    "count_values",
    "sum",
    "average",
    "median",
    "min",
    "max",
    "range",
    "unique",
    "empty",
    "not_empty",
    "percent_empty",
    "percent_not_empty",
    "checked",
    "unchecked",
    "percent_checked",
    "percent_unchecked",
    "earliest_date",
    "latest_date",
    "date_range",
]
_NUMERIC = frozenset({"sum", "average", "median", "min", "max", "range"})
_CHOICES = {
    "sort": ("manual", "x_ascending", "x_descending", "y_ascending", "y_descending"),
    "color_theme": (
        ["gray", "blue", "yellow", "green", "purple", "teal", "orange", "pink", "red", "auto", "colorful"]
    ),
    "height": ("small", "medium", "large", "extra_large"),
    "legend_position": ("off", "bottom", "side"),
    "axis_labels": ("none", "x_axis", "y_axis", "both"),
    "grid_lines": ("none", "horizontal", "vertical", "both"),
    "group_style": ("normal", "percent", "side_by_side"),
    "donut_labels": ("none", "value", "name", "name_and_value"),
}
_FLAGS = (
    "hide_empty_groups",
    "show_data_labels",
    "cumulative",
    "smooth_line",
    "hide_line_fill_area",
    "hide_title",
    "color_by_value",
)
_NUMBERS = ("y_axis_min", "y_axis_max")
_GROUPS = ("x_axis", "stack_by")
_AGGREGATIONS = ("y_axis", "value")
_PROPERTIES = ("x_axis_property_id", "y_axis_property_id")
_GROUP_KEYS = [
    "type",
    "property_id",
    "sort",
    "group_by",
    "hide_empty_groups",
    "start_day_of_week",
    "range_start",
    "range_end",
    "range_size",
]
_DATE_GROUPS = ("relative", "day", "week", "month", "year")
_DATES = frozenset({"date", "created_time", "last_edited_time"})


def parse_chart(given: Json, path: str, schema: dict[str, Json]) -> Json:
    """A chart's configuration; null clears a setting. Raises `ApiError`."""
    only_keys(
        given,
        path,
        (
            *("type", "chart_type", "caption", "reference_lines"),
            *_CHOICES,
            *_FLAGS,
            *_NUMBERS,
            *_GROUPS,
            *_AGGREGATIONS,
            *_PROPERTIES,
        ),
    )
    kind = one_of(given.get("chart_type", MISSING), f"{path}.chart_type", CHART_TYPES)
    parsed: Json = {"type": "chart", "chart_type": kind}
    for key, value in given.items():
        if key not in parsed and value is not None:
            parsed[key] = _parse(key, value, f"{path}.{key}", schema)
    if kind == "number":
        if "value" not in parsed:
            raise invalid(f"{path}.value should be defined for a number chart, instead was `undefined`.")
    elif "x_axis" not in parsed and "x_axis_property_id" not in parsed:
        raise invalid(f"{path}.x_axis should be defined for a {kind} chart, instead was `undefined`.")
    return parsed


def _parse(key: str, value: Any, path: str, schema: dict[str, Json]) -> Any:
    if key in _CHOICES:
        return one_of(value, path, _CHOICES[key])
    if key in _FLAGS:
        return a_boolean(value, path)
    if key in _NUMBERS:
        return a_number(value, path)
    if key in _PROPERTIES:
        return _property(value, path, schema)["id"]
    if key in _GROUPS:
        return _parse_group(an_object(value, path), path, schema)
    if key in _AGGREGATIONS:
        return _parse_aggregation(an_object(value, path), path, schema)
    if key == "caption":
        return a_string(value, path, longest=2000)
    if not isinstance(value, list):
        raise invalid(f"{path} should be an array.")
    return value


def _parse_group(given: Json, path: str, schema: dict[str, Json]) -> Json:
    only_keys(given, path, _GROUP_KEYS)
    prop = _property(given.get("property_id", MISSING), f"{path}.property_id", schema)
    kind = prop["type"]
    types: dict[str, str] = {
        "rich_text": "text",
        "title": "text",
        "url": "text",
        "email": "text",
        "people": "person",
    }
    expected = (
        ("select", "multi_select") if kind in {"select", "multi_select"} else (types.get(kind, str(kind)),)
    )
    parsed: Json = {
        "type": one_of(given.get("type", MISSING), f"{path}.type", expected),
        "property_id": prop["id"],
    }
    if kind in _DATES:
        parsed["group_by"] = one_of(given.get("group_by", MISSING), f"{path}.group_by", _DATE_GROUPS)
    elif "group_by" in given:
        parsed["group_by"] = a_string(given["group_by"], f"{path}.group_by")
    sort = an_object(given.get("sort", {"type": "manual"}), f"{path}.sort")
    direction = one_of(sort.get("type", MISSING), f"{path}.sort.type", ("manual", "ascending", "descending"))
    parsed["sort"] = {"type": direction}
    parsed["property_name"] = prop["name"]
    return parsed | {key: given[key] for key in _GROUP_KEYS[4:] if key in given}


def _parse_aggregation(given: Json, path: str, schema: dict[str, Json]) -> Json:
    only_keys(given, path, ("aggregator", "property_id"))
    aggregator = one_of(given.get("aggregator", MISSING), f"{path}.aggregator", _AGGREGATORS)
    if aggregator == "count":
        return {"aggregator": "count"}
    prop = _property(given.get("property_id", MISSING), f"{path}.property_id", schema)
    if aggregator in _NUMERIC and prop["type"] != "number":
        raise invalid(f"{path}: {aggregator} needs a number property, {prop['name']} is {prop['type']}.")
    return {"aggregator": aggregator, "property_id": prop["id"]}


def _property(value: Any, path: str, schema: dict[str, Json]) -> Json:
    key = a_string(value, path)
    if key not in schema:
        raise invalid(f"{path}: could not find property with id: {key}")
    return schema[key]
