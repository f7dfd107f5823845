"""Swapping a slice of insights in whole."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError, InvalidRequestError
from sqlalchemy.orm import Session, sessionmaker

from db.errors import UnexpectedRows
from db.insights_load import InsightStaging, SwapCounts
from db.models import Insight, Level
from tests.db.plans import plans_of
from tests.db.rows import DAY, KEY, Row, load, on_disk, staged, stored, wal_position

SLICE = [staged(entity, day) for day in range(3) for entity in range(1, 41)]


def test_a_first_load(engine: Engine, sessions: sessionmaker[Session]) -> None:
    actions = '[{"value":"2","action_type":"purchase"}]'
    row = staged(5, ids=(5, 6, None), actions=actions, action_values="[]")
    assert load(engine, [[row], [staged(6, 2)]]) == SwapCounts(read=2, inserted=2, updated=0, deleted=0)
    with sessions() as session:
        found = session.query(Insight).filter_by(entity_id=5).one()
    assert (found.account_id, found.level, found.breakdown, found.date) == (7, Level.CAMPAIGN, "", DAY)
    assert (found.campaign_id, found.adset_id, found.ad_id) == (5, 6, None)
    assert (found.impressions, found.clicks, found.reach, found.purchases) == (100, 10, 50, 2)
    assert (found.spend, found.revenue) == (Decimal("12.34"), Decimal("99.90"))
    assert found.actions == json.loads(actions)
    assert (found.frequency, found.ctr) == (2.0, 10.0)
    assert found.cpa == pytest.approx(6.17)
    assert found.roas == pytest.approx(99.90 / 12.34)


def test_an_empty_answer_for_an_empty_slice(engine: Engine) -> None:
    assert load(engine, []) == load(engine, [[], []]) == SwapCounts(0, 0, 0, 0)


def test_the_same_again_touches_no_row_and_writes_next_to_nothing(engine: Engine) -> None:
    start = wal_position(engine)
    assert load(engine, [SLICE]).inserted == len(SLICE)
    loaded = wal_position(engine)
    before = on_disk(engine)
    # The same in another order, in other pages, with numbers and JSON written in another way.
    again = [
        staged(entity, day, spend="12.3400", values=" { } ") for day in range(3) for entity in range(1, 41)
    ]
    with engine.connect() as connection:
        stage = InsightStaging(connection, KEY)
        stage.begin()
        stage.add(reversed(again[:50]))
        stage.add(again[50:])
        staged_at = wal_position(engine)
        with connection.begin():
            assert stage.swap() == SwapCounts(read=len(SLICE), inserted=0, updated=0, deleted=0)
        swapped = wal_position(engine)
    assert on_disk(engine) == before
    # Other connections' housekeeping is in the log too, but the rows alone would be many times that.
    assert swapped - staged_at < (loaded - start) / 4


def test_changed_vanished_and_new_rows(engine: Engine) -> None:
    load(engine, [[staged(1), staged(2), staged(3)]])
    untouched = on_disk(engine, "entity_id = 1")
    counts = load(engine, [[staged(1), staged(2, spend="12.35"), staged(4, 1)]])
    assert counts == SwapCounts(read=3, inserted=1, updated=1, deleted=1)
    assert [(row[3], row[12]) for row in stored(engine)] == [
        (1, Decimal("12.34")),
        (2, Decimal("12.35")),
        (4, Decimal("12.34")),
    ]
    assert on_disk(engine, "entity_id = 1") == untouched


@pytest.mark.parametrize(
    "changed",
    [
        staged(1, impressions=101),
        staged(1, clicks=11),
        staged(1, reach=51),
        staged(1, spend="0"),
        staged(1, purchases=3),
        staged(1, revenue="99.91"),
        staged(1, ids=(1, None, None)),
        staged(1, ids=(None, 1, None)),
        staged(1, ids=(None, None, 1)),
        staged(1, actions='[{"action_type":"like"}]'),
        staged(1, action_values='[{"action_type":"like"}]'),
    ],
)
def test_a_change_of_any_column_is_written(engine: Engine, changed: Row) -> None:
    load(engine, [[staged(1)]])
    assert load(engine, [[changed]]) == SwapCounts(read=1, inserted=0, updated=1, deleted=0)
    after = stored(engine)
    assert load(engine, [[changed]]) == SwapCounts(read=1, inserted=0, updated=0, deleted=0)
    # And a value may become unknown again.
    assert load(engine, [[staged(1)]]).updated == 1
    assert stored(engine) != after


def test_a_changed_row_tells_when_it_was_collected(engine: Engine) -> None:
    def times() -> dict[int, object]:
        with engine.connect() as connection:
            found = connection.execute(text("SELECT entity_id, collected_at FROM insights"))
            return {row[0]: row[1] for row in found}

    load(engine, [[staged(1), staged(2)]])
    before = times()
    load(engine, [[staged(1), staged(2, clicks=0)]])
    assert times()[1] == before[1]
    assert times()[2] != before[2]


def test_rows_of_other_slices_are_not_touched(engine: Engine) -> None:
    one_day = timedelta(days=1)
    others = [
        (replace(KEY, since=DAY - one_day, until=DAY - one_day), staged(1, -1)),
        (replace(KEY, since=KEY.until + one_day, until=KEY.until + one_day), staged(1, 3)),
        (replace(KEY, account_id=8), staged(1)),
        (replace(KEY, level=Level.AD), staged(1)),
        (replace(KEY, breakdown="age"), staged(1, values='{"age": "18-24"}')),
        (replace(KEY, breakdown="age+gender"), staged(1)),
    ]
    for key, row in others:
        load(engine, [[row]], key)
    before = on_disk(engine)
    assert len(before) == len(others)
    assert load(engine, [[staged(1), staged(2)]]).inserted == 2
    assert load(engine, [[staged(1, clicks=0)]]) == SwapCounts(read=1, inserted=0, updated=1, deleted=1)
    assert load(engine, []).deleted == 1
    assert on_disk(engine) == before


def test_the_later_of_two_pages_wins(engine: Engine) -> None:
    counts = load(engine, [[staged(1, clicks=1), staged(2)], [staged(1, clicks=2)], [staged(1, clicks=3)]])
    assert counts == SwapCounts(read=2, inserted=2, updated=0, deleted=0)
    assert [(row[3], row[10]) for row in stored(engine)] == [(1, 3), (2, 10)]


def test_the_later_page_wins_wherever_its_rows_lie(engine: Engine) -> None:
    """Wide rows leave gaps on disk, which PostgreSQL fills with narrow rows that come later."""
    wide = [
        staged(entity, actions=json.dumps([str(hash((entity, part))) for part in range(70)]))
        for entity in range(1, 101)
    ]
    narrow = [staged(entity, clicks=1) for entity in range(1000, 1200)]
    load(engine, [[*wide, *narrow], [staged(entity, clicks=2) for entity in range(1000, 1200)]])
    assert {row[10] for row in stored(engine, "entity_id >= 1000")} == {2}


def test_rows_are_the_same_whatever_the_spelling_of_their_breakdown_values(engine: Engine) -> None:
    key = replace(KEY, breakdown="age+gender")
    first = staged(1, values='{"age":"18-24","gender":"male"}', clicks=1)
    second = staged(1, values='{ "gender": "male", "age": "18-24" }', clicks=2)
    assert load(engine, [[first], [second]], key).read == 1
    assert stored(engine)[0][10] == 2


@pytest.mark.parametrize("day", [-1, 3])
def test_rows_outside_the_dates_are_refused_and_nothing_changes(engine: Engine, day: int) -> None:
    load(engine, [[staged(1), staged(2)]])
    before = on_disk(engine)
    with pytest.raises(UnexpectedRows, match="outside the dates"):
        load(engine, [[staged(3), staged(1, day)]])
    assert on_disk(engine) == before


def test_rows_whose_breakdown_lacks_a_key_are_kept(engine: Engine) -> None:
    """Meta leaves a key out where it does not know the value; such a row is none of the others."""
    key = replace(KEY, breakdown="age+gender")
    rows = [
        staged(1, values='{"age":"18-24","gender":"male"}'),
        staged(1, values='{"age":"18-24"}'),
        staged(1, values="{}"),
        staged(1, values='{"age":null}'),
    ]
    assert load(engine, [rows], key).inserted == 4
    before = on_disk(engine)
    assert load(engine, [rows], key) == SwapCounts(read=4, inserted=0, updated=0, deleted=0)
    assert on_disk(engine) == before


@pytest.mark.parametrize(
    "odd",
    ["\\N", "\\.", "", "a\tb\nc\r\\d\\\\", "\U0001f600\U00020000", "\u2028\x85", "'; --", "\x01\x7f", "%s"],
)
def test_strange_characters_are_kept(engine: Engine, odd: str) -> None:
    key = replace(KEY, breakdown="name")
    row = staged(1, values=json.dumps({"name": odd}, ensure_ascii=False), actions=json.dumps([odd]))
    load(engine, [[row]], key)
    assert json.loads(stored(engine)[0][5]) == {"name": odd}
    assert json.loads(stored(engine)[0][15]) == [odd]
    assert load(engine, [[row]], key) == SwapCounts(read=1, inserted=0, updated=0, deleted=0)


@pytest.mark.parametrize(
    "bad",
    [
        staged(1)[:-1],
        (*staged(1), "more"),
        ("x", *staged(1)[1:]),
        (None, *staged(1)[1:]),
        staged(1, impressions=2**63),
        staged(1, values="{"),
        staged(1, actions='["\\u0000"]'),
    ],
)
def test_a_row_that_postgresql_refuses_changes_nothing(engine: Engine, bad: Row) -> None:
    load(engine, [[staged(1)]])
    before = on_disk(engine)
    with pytest.raises(Exception) as caught:  # noqa: PT011  the driver's own, as COPY goes past SQLAlchemy
        load(engine, [[staged(2)], [bad]])
    assert isinstance(caught.value, DBAPIError) or type(caught.value).__module__.startswith("psycopg2")
    assert on_disk(engine) == before


def test_a_swap_that_is_rolled_back_leaves_all_as_it_was_and_can_be_made_again(engine: Engine) -> None:
    load(engine, [[staged(1), staged(2)]])
    before = on_disk(engine)
    with engine.connect() as connection:
        stage = InsightStaging(connection, KEY)
        stage.begin()
        stage.add([staged(2, clicks=0), staged(3), staged(3, clicks=1)])
        with connection.begin() as transaction:
            assert stage.swap() == SwapCounts(read=2, inserted=1, updated=1, deleted=1)
            transaction.rollback()
        assert on_disk(engine) == before
        with connection.begin():
            assert stage.swap() == SwapCounts(read=2, inserted=1, updated=1, deleted=1)
    assert [(row[3], row[10]) for row in stored(engine)] == [(2, 0), (3, 1)]


def test_one_connection_serves_several_slices(engine: Engine) -> None:
    other = replace(KEY, account_id=8)
    with engine.connect() as connection:
        for key, rows in ((KEY, [staged(1), staged(2)]), (other, [staged(3)]), (KEY, [staged(2)])):
            stage = InsightStaging(connection, key)
            stage.begin()
            stage.add(rows)
            with connection.begin():
                assert stage.swap().read == len(rows)
    assert [(row[0], row[3]) for row in stored(engine)] == [(7, 2), (8, 3)]


def test_a_connection_from_the_pool_brings_nothing_of_the_slice_before(engine: Engine) -> None:
    with engine.connect() as connection:
        stage = InsightStaging(connection, KEY)
        stage.begin()
        stage.add([staged(1)])
    assert load(engine, [[staged(2)]]).read == 1
    assert [row[3] for row in stored(engine)] == [2]


def test_staging_is_seen_by_no_one_else_and_holds_no_transaction_open(engine: Engine) -> None:
    with engine.connect() as first, engine.connect() as second:
        stages = [InsightStaging(first, KEY), InsightStaging(second, replace(KEY, account_id=8))]
        for stage in stages:
            stage.begin()
        stages[0].add([staged(1)])
        stages[1].add([staged(2), staged(3)])
        assert not first.in_transaction()
        with first.begin():
            assert stages[0].swap().read == 1
        with second.begin():
            assert stages[1].swap().read == 2


def test_staging_inside_of_a_transaction_is_refused(engine: Engine) -> None:
    with engine.connect() as connection:
        stage = InsightStaging(connection, KEY)
        with connection.begin(), pytest.raises(InvalidRequestError):
            stage.begin()


def test_two_swaps_of_a_slice_at_once_end_whole(engine: Engine) -> None:
    """The second waits for the first one's commit, and then sees its rows."""
    load(engine, [SLICE[:5]])
    first_rows = [staged(entity, clicks=1) for entity in range(1, 30)]
    second_rows = [staged(entity, clicks=2) for entity in range(20, 50)]
    done = threading.Event()
    counts: list[SwapCounts] = []
    failures: list[Exception] = []

    def second() -> None:
        try:
            counts.append(load(engine, [second_rows]))
        except Exception as error:  # noqa: BLE001  shown below
            failures.append(error)
        done.set()

    with engine.connect() as connection:
        stage = InsightStaging(connection, KEY)
        stage.begin()
        stage.add(first_rows)
        with connection.begin():
            stage.swap()
            thread = threading.Thread(target=second)
            thread.start()
            assert not done.wait(0.5)
    thread.join(20)
    assert failures == []
    assert counts == [SwapCounts(read=30, inserted=20, updated=10, deleted=19)]
    assert [(row[3], row[10]) for row in stored(engine)] == [(entity, 2) for entity in range(20, 50)]


def test_swaps_of_other_slices_do_not_wait(engine: Engine) -> None:
    with engine.connect() as connection:
        stage = InsightStaging(connection, KEY)
        stage.begin()
        with connection.begin():
            stage.swap()
            for key in (
                replace(KEY, account_id=8),
                replace(KEY, level=Level.AD),
                replace(KEY, breakdown="age"),
            ):
                assert load(engine, [[staged(1)]], key).inserted == 1


KEYS = st.tuples(st.integers(1, 4), st.integers(0, 2), st.sampled_from(["{}", '{"age":"a"}', '{"age":"b"}']))
CONTENT = st.lists(st.tuples(KEYS, st.integers(0, 3)), max_size=12)


@settings(
    max_examples=40,
    deadline=None,
    phases=[Phase.explicit, Phase.generate, Phase.shrink],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(before=CONTENT, pages=st.lists(CONTENT, max_size=3), first=st.integers(0, 2))
def test_after_a_swap_the_slice_equals_what_was_staged_last(
    engine: Engine,
    before: list[tuple[tuple[int, int, str], int]],
    pages: list[list[tuple[tuple[int, int, str], int]]],
    first: int,
) -> None:
    """Whatever was there, the days of the slice are the staged ones, and the days before it stay."""
    whole = replace(KEY, breakdown="age")
    key = replace(whole, since=DAY + timedelta(days=first))

    def rows(content: list[tuple[tuple[int, int, str], int]]) -> list[Row]:
        return [
            staged(entity, day, values=values, clicks=clicks) for (entity, day, values), clicks in content
        ]

    load(engine, [], whole)
    mine = [[item for item in page if item[0][1] >= first] for page in pages]
    load(engine, [rows(before)], whole)
    counts = load(engine, [rows(page) for page in mine], key)
    answer = {place: clicks for page in mine for place, clicks in page}
    expected = {place: clicks for place, clicks in before if place[1] < first} | answer
    found = {
        (row[3], (date.fromisoformat(row[4]) - DAY).days, row[5].replace(" ", "")): row[10]
        for row in stored(engine)
    }
    assert found == expected
    was = {place: clicks for place, clicks in before if place[1] >= first}
    assert counts == SwapCounts(
        read=len(answer),
        inserted=len(answer.keys() - was.keys()),
        updated=sum(was[place] != clicks for place, clicks in answer.items() if place in was),
        deleted=len(was.keys() - answer.keys()),
    )


def test_the_swap_finds_its_rows_by_the_primary_key(engine: Engine) -> None:
    """The slice's key and dates bound the search; they are no filter over other slices' rows."""
    with engine.connect() as connection:
        stage = InsightStaging(connection, KEY)
        stage.begin()
        stage.add(SLICE)
        with connection.begin(), plans_of(connection) as plans:
            stage.swap()
    changing = [plan for statement, plan in plans.items() if "insights i" in statement]
    assert len(changing) == 3
    for plan in changing:
        assert "pk_insights" in plan
        bounds = plan.split("Index Cond: ", 1)[1].split("\n", 1)[0]
        for name in ("account_id", "level", "breakdown", "date"):
            assert f"({name} " in bounds, plan
