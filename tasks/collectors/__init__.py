"""Collecting: from Graph to the tables.

A job asks for collection; it becomes a run for each account, whose first slice reads the account and its
campaigns and then plans the slices of insights. Every slice is a row and a message of its own, so accounts
are read side by side and the trouble of one delays no other.
"""

from __future__ import annotations

from db.models import CollectionSlice, Job, SliceKind
from tasks.attempts import attempt
from tasks.collectors.accounts import start_runs
from tasks.collectors.entities import read_entities
from tasks.collectors.insights import read_insights
from worker.app import app
from worker.unit import UnitOfWork


@app.task(name="tasks.collectors.collect")
def collect(unit: UnitOfWork, job_id: int) -> None:
    """Start a collection run for every account that the job asks for."""
    with attempt(unit, Job, job_id) as lease:
        if lease:
            start_runs(unit, lease)


@app.task(name="tasks.collectors.read_slice")
def read_slice(unit: UnitOfWork, slice_id: int) -> None:
    """Read one slice of a run and put it in its table."""
    with attempt(unit, CollectionSlice, slice_id) as lease:
        if not lease:
            return
        with unit.transaction() as session:
            kind = session.get_one(CollectionSlice, slice_id).kind
        if kind is SliceKind.ENTITIES:
            read_entities(unit, lease)
        else:
            read_insights(unit, lease)
