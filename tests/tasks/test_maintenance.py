"""Asking for what is due, sending again what got lost, tidying up, and looking after the tokens."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from pydantic import SecretStr
from sqlalchemy import func, select, update

from db.models import AdAccount, CollectionSlice, Job, JobKind, WorkState
from tasks.maintenance.due import (
    due_analyses,
    due_cleanup,
    due_collection,
    due_reports,
    due_token_check,
)
from tests.support.inline import InlineWorker
from tests.support.simulators import GraphSimulator
from tests.tasks.test_processors import run
from worker.jobs import request_now

# 07:59 in New York, 09:59 in São Paulo, 21:59 in Tokyo.
NOW = datetime(2026, 11, 22, 12, 59, tzinfo=UTC)


@pytest.fixture
def accounts(worker: InlineWorker) -> None:
    zones = {1: "America/New_York", 2: "America/Sao_Paulo", 3: "Asia/Tokyo"}
    with worker.process.session() as session, session.begin():
        for account_id, zone in zones.items():
            session.add(
                AdAccount(
                    id=account_id, name="", currency="USD", timezone_name=zone, synced_at=datetime.now(UTC)
                )
            )


def slots(worker: InlineWorker) -> set[str]:
    with worker.process.session() as session:
        return {slot for slot in session.scalars(select(Job.slot)) if slot}


@pytest.mark.usefixtures("accounts")
def test_a_slot_is_asked_for_once(worker: InlineWorker) -> None:
    for _ in range(2):
        with worker.process.session() as session, session.begin():
            due_collection(session, NOW)
            due_analyses(session, NOW)
            due_cleanup(session, NOW)
            due_token_check(session, NOW)
    assert slots(worker) == {
        "collect:2026-11-22T12:30Z",
        "analyze:1:2026-11-22T12Z",
        "analyze:2:2026-11-22T12Z",
        "analyze:3:2026-11-22T12Z",
        "cleanup:2026-W47",
        "check_tokens:2026-11-22",
    }
    assert len(worker.sent.messages) == 6


@pytest.mark.usefixtures("accounts")
def test_reports_are_due_at_eight_in_the_accounts_own_zone(worker: InlineWorker) -> None:
    with worker.process.session() as session, session.begin():
        due_reports(session, NOW)
    assert slots(worker) == {"report:2:2026-11-21", "report:3:2026-11-21"}
    with worker.process.session() as session, session.begin():
        due_reports(session, NOW + timedelta(minutes=1))
    assert slots(worker) == {"report:1:2026-11-21", "report:2:2026-11-21", "report:3:2026-11-21"}


def test_after_a_long_downtime_there_is_one_report_to_catch_up(worker: InlineWorker, accounts: None) -> None:
    for now in (NOW, NOW + timedelta(days=5)):
        with worker.process.session() as session, session.begin():
            due_reports(session, now)
    assert sorted(slot for slot in slots(worker) if slot.startswith("report:2:")) == [
        "report:2:2026-11-21",
        "report:2:2026-11-26",
    ]


def test_a_lost_message_is_sent_again_and_a_fresh_one_is_not(
    worker: InlineWorker, graph: GraphSimulator
) -> None:
    with worker.process.session() as session, session.begin():
        lost = request_now(session, JobKind.COLLECT)
        fresh = request_now(session, JobKind.COLLECT)
        session.execute(update(Job).where(Job.id == lost).values(sent_at=func.now() - timedelta(minutes=10)))
    worker.sent.messages.clear()
    worker.run("tasks.maintenance.reconcile")
    assert [message.args for message in worker.sent.messages] == [(lost,)]
    worker.drain()
    with worker.process.session() as session:
        assert session.get_one(Job, lost).state is WorkState.DONE
        assert session.get_one(Job, fresh).state is WorkState.PENDING
    worker.sent.messages.clear()
    worker.run("tasks.maintenance.reconcile")
    assert not worker.sent.messages


def test_the_work_of_a_dead_worker_is_done_by_another(worker: InlineWorker, graph: GraphSimulator) -> None:
    run(worker, JobKind.COLLECT)
    with worker.process.session() as session, session.begin():
        orphan = session.scalars(select(CollectionSlice.id).limit(1)).one()
        session.execute(
            update(CollectionSlice)
            .where(CollectionSlice.id == orphan)
            .values(
                state=WorkState.RUNNING,
                lease_owner="gone",
                lease_until=func.now() - timedelta(seconds=1),
                sent_at=func.now() - timedelta(minutes=10),
            )
        )
    worker.run("tasks.maintenance.reconcile")
    worker.drain()
    with worker.process.session() as session:
        row = session.get_one(CollectionSlice, orphan)
        assert (row.state, row.lease_owner) == (WorkState.DONE, None)


def test_the_clean_up_deletes_old_finished_work_and_nothing_else(worker: InlineWorker) -> None:
    old = run(worker, JobKind.COLLECT)
    with worker.process.session() as session, session.begin():
        recent = request_now(session, JobKind.COLLECT)
        session.execute(
            update(Job).where(Job.id == old.id).values(finished_at=func.now() - timedelta(days=61))
        )
    job = run(worker, JobKind.CLEANUP)
    assert job.result == {"jobs_deleted": 1}
    with worker.process.session() as session:
        assert session.get(Job, old.id) is None
        assert session.get(Job, recent) is not None
        assert session.scalar(select(func.count()).select_from(AdAccount))


def test_a_dead_token_is_found_by_the_daily_check(worker: InlineWorker, graph: GraphSimulator) -> None:
    token = worker.process.settings.facebook_access_token
    assert run(worker, JobKind.CHECK_TOKENS).result == {"valid": 1, "dead": 0, "revoked": 0, "unknown": 0}
    graph.post("tokens", dead=token.get_secret_value(), subcode=460)
    assert run(worker, JobKind.CHECK_TOKENS).result == {"valid": 0, "dead": 1, "revoked": 0, "unknown": 0}
    assert worker.process.revoked.find(token)
    assert run(worker, JobKind.CHECK_TOKENS).result == {"valid": 0, "dead": 0, "revoked": 1, "unknown": 0}


def test_the_check_keeps_a_revoked_token_revoked(worker: InlineWorker) -> None:
    token = worker.process.settings.facebook_access_token
    soon = datetime.now(UTC) + timedelta(minutes=5)
    worker.process.revoked.revoke(token, reason="an operator said so", expires_at=soon)
    run(worker, JobKind.CHECK_TOKENS)
    key = next(iter(worker.process.redis.scan_iter(f"{worker.process.settings.redis_key_prefix}revoked:*")))
    assert worker.process.redis.ttl(key) > 86_400


def test_the_trouble_of_one_token_keeps_no_other_from_being_checked(
    worker: InlineWorker, graph: GraphSimulator
) -> None:
    settings = worker.process.settings
    own = SecretStr("EAAOWNTOKEN1234567890")
    worker.process.settings = settings.model_copy(update={"facebook_account_tokens": {"7": own}})
    graph.fault("graph_error", path="debug_token", times=1, parameters={"code": 100, "status": 400})
    assert run(worker, JobKind.CHECK_TOKENS).result == {"valid": 1, "dead": 0, "revoked": 0, "unknown": 1}


@pytest.mark.usefixtures("accounts")
def test_accounts_that_are_not_set_any_more_are_left_alone(worker: InlineWorker) -> None:
    with worker.process.session() as session, session.begin():
        due_analyses(session, NOW, only=[2])
        due_reports(session, NOW, only=[2, 1])
    assert slots(worker) == {"analyze:2:2026-11-22T12Z", "report:2:2026-11-21"}
