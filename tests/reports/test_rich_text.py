"""Texts within Notion's limits, which count UTF-16 code units."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from reports.rich_text import TEXT_UNITS, cut, rich_text, units

TEXTS = st.text(
    alphabet=st.sampled_from("a ç語🧣\n👩‍🚀"),
    max_size=60,
)


def utf16(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


@given(TEXTS)
def test_length_is_that_of_utf16(text: str) -> None:
    assert units(text) == utf16(text)


@given(TEXTS, st.integers(3, 30))
def test_a_cut_text_fits_and_begins_the_same(text: str, limit: int) -> None:
    short = cut(text, limit)
    assert utf16(short) <= limit
    assert short == text or (short.endswith("…") and text.startswith(short[:-1]))
    assert (short == text) == (utf16(text) <= limit)


def test_a_long_text_becomes_several_objects() -> None:
    text = "a" + "🧣" * 3000
    parts = [item["text"]["content"] for item in rich_text(text)]
    assert "".join(parts) == text
    # The last place of the first one stays free: an emoji takes two.
    assert [utf16(part) for part in parts] == [TEXT_UNITS - 1, TEXT_UNITS, TEXT_UNITS, 2]


def test_an_endless_text_is_cut_to_what_a_list_holds() -> None:
    parts = rich_text("x" * 1_000_000)
    assert len(parts) <= 100
    assert parts[-1]["text"]["content"].endswith("…")


def test_no_text_is_an_empty_list() -> None:
    assert rich_text("") == []
