"""Who may work on a row, and what becomes of it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, func, select, text, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session, sessionmaker

from db import leases
from db.errors import LeaseLost
from db.leases import Lease, LeasedModel, claim
from db.models import CollectionSlice, Job, WorkState
from tests.db.plans import plans_of
from tests.db.work import add_row

Sessions = sessionmaker[Session]
MINUTE = timedelta(minutes=1)


@pytest.fixture(params=[Job, CollectionSlice], ids=["job", "slice"])
def model(request: pytest.FixtureRequest) -> LeasedModel:
    found: LeasedModel = request.param
    return found


@pytest.fixture
def row_id(sessions: Sessions, model: LeasedModel) -> int:
    with sessions.begin() as session:
        return add_row(session, model)


def take(sessions: Sessions, model: LeasedModel, row_id: int, owner: str = "first") -> Lease:
    with sessions.begin() as session:
        lease = claim(session, model, row_id, owner=owner, ttl=MINUTE)
    assert lease is not None
    return lease


def row_of(sessions: Sessions, model: LeasedModel, row_id: int) -> Job | CollectionSlice:
    with sessions() as session:
        found = session.get_one(model, row_id)
    assert isinstance(found, Job | CollectionSlice)
    return found


def change(sessions: Sessions, model: LeasedModel, row_id: int, **values: Any) -> None:
    with sessions.begin() as session:
        session.execute(update(model).where(model.id == row_id).values(**values))


def expire(sessions: Sessions, model: LeasedModel, row_id: int) -> None:
    change(sessions, model, row_id, lease_until=func.now() - timedelta(seconds=1))


def seconds_until(sessions: Sessions, moment: Any) -> float:
    with sessions() as session:
        now = session.scalars(select(func.clock_timestamp())).one()
    return float((moment - now).total_seconds())


def test_a_claim(sessions: Sessions, model: LeasedModel, row_id: int) -> None:
    lease = take(sessions, model, row_id, "worker-1")
    assert lease == Lease(model, row_id, 1, "worker-1")
    row = row_of(sessions, model, row_id)
    assert (row.state, row.lease_owner, row.attempts, row.fence) == (WorkState.RUNNING, "worker-1", 1, 1)
    assert 50 < seconds_until(sessions, row.lease_until) <= 60


def test_a_row_that_is_held_cannot_be_claimed(sessions: Sessions, model: LeasedModel, row_id: int) -> None:
    take(sessions, model, row_id)
    with sessions.begin() as session:
        assert claim(session, model, row_id, owner="second", ttl=MINUTE) is None
    assert row_of(sessions, model, row_id).lease_owner == "first"


def test_a_row_that_is_not_there_cannot_be_claimed(sessions: Sessions, model: LeasedModel) -> None:
    with sessions.begin() as session:
        assert claim(session, model, 10**12, owner="first", ttl=MINUTE) is None


def test_a_row_that_is_not_due_cannot_be_claimed(sessions: Sessions, model: LeasedModel, row_id: int) -> None:
    change(sessions, model, row_id, next_attempt_at=func.now() + MINUTE)
    with sessions.begin() as session:
        assert claim(session, model, row_id, owner="first", ttl=MINUTE) is None
    assert row_of(sessions, model, row_id).attempts == 0


def test_of_two_claims_at_once_one_wins(sessions: Sessions, model: LeasedModel, row_id: int) -> None:
    barrier = threading.Barrier(4)
    won: list[Lease | None] = []

    def compete(number: int) -> None:
        with sessions.begin() as session:
            session.execute(text("SELECT 1"))
            barrier.wait(10)
            won.append(claim(session, model, row_id, owner=f"worker-{number}", ttl=MINUTE))

    threads = [threading.Thread(target=compete, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(won) == 4
    (winner,) = [lease for lease in won if lease]
    row = row_of(sessions, model, row_id)
    assert (row.lease_owner, row.fence, row.attempts) == (winner.owner, 1, 1)


def test_an_expired_lease_is_claimed_by_another(sessions: Sessions, model: LeasedModel, row_id: int) -> None:
    take(sessions, model, row_id)
    expire(sessions, model, row_id)
    assert take(sessions, model, row_id, "second").fence == 2
    row = row_of(sessions, model, row_id)
    assert (row.lease_owner, row.attempts) == ("second", 2)


def test_a_worker_that_is_late_but_not_overtaken_goes_on(
    sessions: Sessions, model: LeasedModel, row_id: int
) -> None:
    lease = take(sessions, model, row_id)
    expire(sessions, model, row_id)
    with sessions.begin() as session:
        leases.renew(session, lease, ttl=MINUTE)
    assert 50 < seconds_until(sessions, row_of(sessions, model, row_id).lease_until) <= 60
    with sessions.begin() as session:
        assert claim(session, model, row_id, owner="second", ttl=MINUTE) is None


ENDINGS: dict[str, Callable[[Session, Lease], None]] = {
    "renew": lambda session, lease: leases.renew(session, lease, ttl=MINUTE),
    "hold": leases.hold,
    "finish": leases.finish,
    "retry": lambda session, lease: leases.retry(session, lease, after=MINUTE, kind="k", error="e"),
    "fail": lambda session, lease: leases.fail(session, lease, kind="k", error="e"),
}


@pytest.mark.parametrize("ending", ENDINGS)
def test_the_overtaken_worker_can_do_nothing(
    sessions: Sessions, model: LeasedModel, row_id: int, ending: str
) -> None:
    slow = take(sessions, model, row_id)
    expire(sessions, model, row_id)
    # The same owner again: it is the number that tells them apart.
    take(sessions, model, row_id, slow.owner)
    before = vars(row_of(sessions, model, row_id)).copy()
    with sessions.begin() as session, pytest.raises(LeaseLost, match=str(row_id)):
        ENDINGS[ending](session, slow)
    after = vars(row_of(sessions, model, row_id)).copy()
    for one in (before, after):
        one.pop("_sa_instance_state")
    assert after == before


@pytest.mark.parametrize("over", ["finish", "retry", "fail"])
@pytest.mark.parametrize("ending", ENDINGS)
def test_a_lease_that_was_given_back_is_worth_nothing(
    sessions: Sessions, model: LeasedModel, row_id: int, over: str, ending: str
) -> None:
    lease = take(sessions, model, row_id)
    with sessions.begin() as session:
        ENDINGS[over](session, lease)
    with sessions.begin() as session, pytest.raises(LeaseLost):
        ENDINGS[ending](session, lease)


def test_finishing(sessions: Sessions) -> None:
    with sessions.begin() as session:
        row_id = add_row(session, CollectionSlice)
    change(sessions, CollectionSlice, row_id, error_kind="transient", error="an earlier one")
    lease = take(sessions, CollectionSlice, row_id)
    with sessions.begin() as session:
        leases.hold(session, lease)
        leases.finish(session, lease, rows_read=5, graph_calls=2)
    row = row_of(sessions, CollectionSlice, row_id)
    assert isinstance(row, CollectionSlice)
    assert (row.state, row.rows_read, row.graph_calls) == (WorkState.DONE, 5, 2)
    assert (row.lease_owner, row.lease_until, row.error_kind, row.error) == (None,) * 4
    assert -10 < seconds_until(sessions, row.finished_at) <= 0


def test_giving_back_for_another_attempt(sessions: Sessions, model: LeasedModel, row_id: int) -> None:
    lease = take(sessions, model, row_id)
    with sessions.begin() as session:
        leases.retry(session, lease, after=10 * MINUTE, kind="transient", error="HTTP 502")
    row = row_of(sessions, model, row_id)
    assert (row.state, row.attempts, row.error_kind, row.error) == (
        WorkState.PENDING,
        1,
        "transient",
        "HTTP 502",
    )
    assert (row.lease_owner, row.lease_until, row.sent_at, row.finished_at) == (None,) * 4
    assert 590 < seconds_until(sessions, row.next_attempt_at) <= 600
    with sessions.begin() as session:
        assert claim(session, model, row_id, owner="second", ttl=MINUTE) is None


def test_attempts_that_count_and_those_that_do_not(
    sessions: Sessions, model: LeasedModel, row_id: int
) -> None:
    for counts, attempts in ((True, 1), (False, 1), (False, 1), (True, 2)):
        lease = take(sessions, model, row_id)
        with sessions.begin() as session:
            leases.retry(session, lease, after=timedelta(0), kind="k", error="e", counts=counts)
        assert row_of(sessions, model, row_id).attempts == attempts
    # Every claim counts for the fence.
    assert row_of(sessions, model, row_id).fence == 4


def test_failing_is_for_good(sessions: Sessions, model: LeasedModel, row_id: int) -> None:
    lease = take(sessions, model, row_id)
    with sessions.begin() as session:
        leases.fail(session, lease, kind="bad_request", error="no such field")
    row = row_of(sessions, model, row_id)
    assert (row.state, row.error_kind, row.error) == (WorkState.FAILED, "bad_request", "no such field")
    assert (row.lease_owner, row.lease_until) == (None, None)
    assert row.finished_at is not None
    with sessions.begin() as session:
        assert claim(session, model, row_id, owner="second", ttl=MINUTE) is None
        assert leases.overdue(session, model) == []


@pytest.mark.parametrize("ending", ["retry", "fail"])
@pytest.mark.parametrize(
    ("error", "kept"),
    [("x" * 5000, "x" * 2000), ("a\x00b", "a\ufffdb"), ("\U0001f600" * 3000, "\U0001f600" * 2000), ("", "")],
    ids=["long", "nul", "wide", "empty"],
)
def test_the_text_of_an_error_is_made_fit_to_store(
    sessions: Sessions, model: LeasedModel, row_id: int, ending: str, error: str, kept: str
) -> None:
    lease = take(sessions, model, row_id)
    with sessions.begin() as session:
        if ending == "retry":
            leases.retry(session, lease, after=MINUTE, kind="k", error=error)
        else:
            leases.fail(session, lease, kind="k", error=error)
    assert row_of(sessions, model, row_id).error == kept


def test_a_held_row_cannot_be_claimed_before_the_commit(
    sessions: Sessions, model: LeasedModel, row_id: int
) -> None:
    """The lease runs out during the commit: the other worker waits, and then finds the work done."""
    lease = take(sessions, model, row_id)
    expire(sessions, model, row_id)
    claimed = threading.Event()
    found: list[Lease | None] = []

    def second() -> None:
        with sessions.begin() as session:
            found.append(claim(session, model, row_id, owner="second", ttl=MINUTE))
        claimed.set()

    thread = threading.Thread(target=second)
    with sessions.begin() as session:
        leases.hold(session, lease)
        thread.start()
        assert not claimed.wait(0.3)
        leases.finish(session, lease)
    thread.join(20)
    assert found == [None]
    assert row_of(sessions, model, row_id).state is WorkState.DONE


def test_a_step_that_is_rolled_back_gives_nothing_back(
    sessions: Sessions, model: LeasedModel, row_id: int
) -> None:
    lease = take(sessions, model, row_id)
    with sessions() as session:
        leases.hold(session, lease)
        leases.finish(session, lease)
        session.rollback()
    assert row_of(sessions, model, row_id).state is WorkState.RUNNING
    with sessions.begin() as session:
        leases.finish(session, lease)


class TestOverdue:
    """Rows to send again."""

    @pytest.fixture(autouse=True)
    def unsent(self, sessions: Sessions, model: LeasedModel, row_id: int) -> None:
        change(sessions, model, row_id, sent_at=None)

    def find(self, sessions: Sessions, model: LeasedModel, limit: int = 500) -> list[int]:
        with sessions.begin() as session:
            return list(leases.overdue(session, model, limit=limit))

    def test_a_row_that_was_never_sent_is_taken_once(
        self, sessions: Sessions, model: LeasedModel, row_id: int
    ) -> None:
        assert self.find(sessions, model) == [row_id]
        assert row_of(sessions, model, row_id).sent_at is not None
        assert self.find(sessions, model) == []

    def test_a_row_that_was_just_sent_is_left_and_taken_later(
        self, sessions: Sessions, model: LeasedModel, row_id: int
    ) -> None:
        with sessions.begin() as session:
            leases.mark_sent(session, model, [row_id])
            leases.mark_sent(session, model, [])
        assert self.find(sessions, model) == []
        late = leases.RESEND_AFTER + timedelta(seconds=1)
        change(sessions, model, row_id, sent_at=func.now() - late)
        assert self.find(sessions, model) == [row_id]

    def test_a_row_that_is_not_due_is_left(self, sessions: Sessions, model: LeasedModel, row_id: int) -> None:
        change(sessions, model, row_id, next_attempt_at=func.now() + MINUTE)
        assert self.find(sessions, model) == []

    def test_a_row_at_work_is_left_until_its_lease_runs_out(
        self, sessions: Sessions, model: LeasedModel, row_id: int
    ) -> None:
        take(sessions, model, row_id)
        assert self.find(sessions, model) == []
        expire(sessions, model, row_id)
        assert self.find(sessions, model) == [row_id]

    @pytest.mark.parametrize("over", ["finish", "fail"])
    def test_a_row_that_is_over_is_left(
        self, sessions: Sessions, model: LeasedModel, row_id: int, over: str
    ) -> None:
        lease = take(sessions, model, row_id)
        with sessions.begin() as session:
            ENDINGS[over](session, lease)
        assert self.find(sessions, model) == []

    def test_a_row_that_another_transaction_holds_is_left_to_it(
        self, sessions: Sessions, model: LeasedModel, row_id: int
    ) -> None:
        with sessions.begin() as other:
            assert leases.overdue(other, model) == [row_id]
            assert self.find(sessions, model) == []

    def test_the_longest_waiting_come_first(
        self, sessions: Sessions, model: LeasedModel, row_id: int
    ) -> None:
        with sessions.begin() as session:
            older = add_row(session, model)
        change(sessions, model, older, sent_at=None, next_attempt_at=func.now() - MINUTE)
        assert self.find(sessions, model, limit=1) == [older]
        assert self.find(sessions, model, limit=1) == [row_id]

    def test_unfinished_rows_are_found_by_their_index(
        self, engine: Engine, sessions: Sessions, model: LeasedModel, row_id: int
    ) -> None:
        with sessions.begin() as session, plans_of(session.connection()) as plans:
            leases.overdue(session, model)
        (plan,) = [plan for statement, plan in plans.items() if statement.startswith("SELECT")]
        assert f"ix_{model.__tablename__}_unfinished" in plan


def test_the_database_refuses_a_row_at_work_without_a_lease(
    sessions: Sessions, model: LeasedModel, row_id: int
) -> None:
    with pytest.raises(DBAPIError, match="leased_while_running"):
        change(sessions, model, row_id, state=WorkState.RUNNING)
