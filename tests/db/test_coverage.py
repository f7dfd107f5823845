"""Which days are collected."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from sqlalchemy import text
from sqlalchemy.orm import Session, sessionmaker

from db.coverage import Coverage, add_covered, load_coverage, want_since
from db.insights_load import SliceKey
from db.models import Level

Sessions = sessionmaker[Session]
KEY = SliceKey(7, Level.AD, "age+gender", date(2026, 11, 8), date(2026, 11, 14))
PAIR = (Level.AD, "age+gender")


def load(sessions: Sessions, account_id: int = 7) -> dict[tuple[Level, str], Coverage]:
    with sessions() as session:
        return load_coverage(session, account_id)


def test_ranges_that_touch_become_one_and_others_stay_apart(sessions: Sessions) -> None:
    with sessions.begin() as session:
        add_covered(session, KEY)
        add_covered(session, replace(KEY, since=date(2026, 11, 1), until=date(2026, 11, 7)))
        add_covered(session, replace(KEY, since=date(2026, 10, 1), until=date(2026, 10, 1)))
        add_covered(session, replace(KEY, since=date(2026, 11, 10), until=date(2026, 11, 16)))
    ranges = ((date(2026, 10, 1), date(2026, 10, 1)), (date(2026, 11, 1), date(2026, 11, 16)))
    assert load(sessions) == {PAIR: Coverage(None, ranges)}


def test_levels_breakdowns_and_accounts_are_apart(sessions: Sessions) -> None:
    with sessions.begin() as session:
        add_covered(session, KEY)
        add_covered(session, replace(KEY, level=Level.CAMPAIGN))
        add_covered(session, replace(KEY, breakdown=""))
        add_covered(session, replace(KEY, account_id=8))
    assert set(load(sessions)) == {PAIR, (Level.CAMPAIGN, "age+gender"), (Level.AD, "")}


def test_the_first_wanted_day_is_kept(sessions: Sessions) -> None:
    with sessions.begin() as session:
        add_covered(session, KEY)
        want_since(session, 7, [(*PAIR, date(2026, 11, 1)), (Level.CAMPAIGN, "", date(2026, 11, 2))])
        want_since(session, 7, [(*PAIR, date(2026, 11, 20))])
    assert load(sessions) == {
        PAIR: Coverage(date(2026, 11, 1), ((KEY.since, KEY.until),)),
        (Level.CAMPAIGN, ""): Coverage(date(2026, 11, 2), ()),
    }


def test_days_that_are_covered_already_touch_no_row(sessions: Sessions) -> None:
    def place() -> list[str]:
        with sessions() as session:
            return [str(row) for row in session.execute(text("SELECT ctid, xmin FROM insight_coverage"))]

    with sessions.begin() as session:
        add_covered(session, KEY)
    before = place()
    with sessions.begin() as session:
        add_covered(session, replace(KEY, since=date(2026, 11, 9)))
    assert place() == before


def test_nothing_is_known_of_a_new_account(sessions: Sessions) -> None:
    assert load(sessions, 99) == {}
