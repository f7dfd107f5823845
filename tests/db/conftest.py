"""One migrated database for this folder, emptied before each test: quicker than a database for every one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, delete

from db.models import Base
from db.session import build_engine
from tests.support.databases import fresh_database
from worker.embedded import EmbeddedServers


@pytest.fixture(scope="session")
def kept_url(servers: EmbeddedServers) -> Iterator[str]:
    with fresh_database(servers.database_url) as url:
        yield url


@pytest.fixture
def database_url(kept_url: str) -> str:
    return kept_url


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = build_engine(database_url, pool_size=5)
    with engine.begin() as connection:
        for table in reversed(Base.metadata.sorted_tables):
            connection.execute(delete(table))
    yield engine
    engine.dispose()
