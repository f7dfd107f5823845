"""COPY's text format, held against PostgreSQL itself."""

from __future__ import annotations

import io

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, text

from db.copy_text import copy_line


@pytest.mark.parametrize(
    ("values", "line"),
    [
        (["a", "b"], "a\tb\n"),
        ([None, "\\N", ""], "\\N\t\\\\N\t\n"),
        (["a\tb\nc\rd\\"], "a\\tb\\nc\\rd\\\\\n"),
    ],
)
def test_a_line(values: list[str | None], line: str) -> None:
    assert copy_line(values) == line


TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"))
VALUES = st.one_of(
    st.none(), TEXTS, st.text("\\N.tnrbx0 \t\n\r\x0b\U0001f600"), st.sampled_from(["\\N", "\\.", "", "\\"])
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.tuples(VALUES, VALUES), max_size=6))
def test_postgresql_reads_what_was_written(engine: Engine, rows: list[tuple[str | None, str | None]]) -> None:
    with engine.connect() as connection, connection.begin():
        connection.execute(text("CREATE TEMPORARY TABLE copied (a text, b text) ON COMMIT DROP"))
        driver = connection.connection.driver_connection
        assert driver is not None
        with driver.cursor() as cursor:
            cursor.copy_expert("COPY copied FROM STDIN", io.StringIO("".join(map(copy_line, rows))))
        found = connection.execute(text("SELECT a, b FROM copied ORDER BY ctid")).all()
    assert [tuple(row) for row in found] == rows
