"""Real servers for all tests, and a database, a Redis prefix and simulators for each one that asks."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import Engine
from sqlalchemy.orm import Session, sessionmaker

from db.session import build_engine, session_factory
from simulator.graph import World
from simulator.graph import create_app as graph_app
from simulator.notion import create_app as notion_app
from simulator.serving import Server
from tests.support.databases import fresh_database, make_template
from tests.support.inline import InlineWorker, RecordingApp
from tests.support.simulators import GraphSimulator, Simulator
from worker.app import app
from worker.embedded import EmbeddedServers
from worker.process import Process
from worker.services import connected_settings
from worker.settings import Settings, get_settings

TOKEN = "EAATESTTOKEN" + "a1b2c3d4" * 4

# The settings of the person who runs the tests are nobody's business here.
for _name in (*Settings.model_fields, "facebook_ad_account_id"):
    os.environ.pop(_name.upper(), None)
os.environ["ADTEMPO_ENV_FILE"] = os.devnull


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedServers]:
    """PostgreSQL and Redis for the whole run."""
    with EmbeddedServers(tmp_path_factory.mktemp("servers") / ".adtempo") as running:
        make_template(running.database_url)
        _load_configuration(running)
        yield running


def _load_configuration(servers: EmbeddedServers) -> None:
    """Let the real app find these servers: it looks once, and would start others in the checkout."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DATABASE_URL", servers.database_url)
        patch.setenv("REDIS_URL", servers.redis_url)
        get_settings.cache_clear()
        connected_settings.cache_clear()
        assert app.conf.broker_url == servers.redis_url
    get_settings.cache_clear()
    connected_settings.cache_clear()


@pytest.fixture
def database_url(servers: EmbeddedServers) -> Iterator[str]:
    """A migrated, empty database."""
    with fresh_database(servers.database_url) as url:
        yield url


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = build_engine(database_url, pool_size=5)
    yield engine
    engine.dispose()


@pytest.fixture
def sessions(engine: Engine) -> sessionmaker[Session]:
    return session_factory(engine)


@pytest.fixture
def redis_prefix() -> str:
    """Keys of this test alone."""
    return f"t{secrets.token_hex(6)}:"


@pytest.fixture
def world() -> World:
    """The Graph simulator's world; a module may have another by its own fixture of this name."""
    return World(7, accounts=2, campaigns=4, ads_per_campaign=2)


@pytest.fixture
def graph(world: World) -> Iterator[GraphSimulator]:
    with Server(lambda: graph_app(world)) as server:
        yield GraphSimulator(server.url)


@pytest.fixture
def notion() -> Iterator[Simulator]:
    with Server(lambda: notion_app(seed=7)) as server:
        yield Simulator(server.url)


@pytest.fixture
def make_settings(
    servers: EmbeddedServers, database_url: str, redis_prefix: str, tmp_path: Path
) -> Callable[..., Settings]:
    """Settings on this test's database and keys; other values by name."""

    def make(**values: Any) -> Settings:
        return Settings(
            **{
                "database_url": SecretStr(database_url),
                "redis_url": SecretStr(servers.redis_url),
                "redis_key_prefix": redis_prefix,
                "facebook_access_token": SecretStr(TOKEN),
                "adtempo_data_dir": tmp_path / ".adtempo",
                **values,
            }
        )

    return make


@pytest.fixture
def settings(make_settings: Callable[..., Settings], graph: GraphSimulator, notion: Simulator) -> Settings:
    """Settings on both simulators."""
    return make_settings(
        facebook_graph_url=graph.url,
        notion_api_url=notion.url,
        notion_api_token=SecretStr("ntn_testtoken0123456789"),
        notion_parent_page_id=notion.get("info")["root_page_id"],
    )


@pytest.fixture
def worker(settings: Settings) -> Iterator[InlineWorker]:
    """A worker inside this process."""
    sent = RecordingApp()
    process = Process(settings, sent)
    yield InlineWorker(process, sent)
    process.close()
