"""A look at every part of the program: what was seen, and what to do where something is wrong.

Parts are looked at side by side, each with a bounded wait, and none hides another.
"""

from __future__ import annotations

import enum
import shutil
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial

import celery
import httpx
import redis
import sqlalchemy.exc
from sqlalchemy import text

from db.errors import SchemaOutdated
from db.migrate import require_head
from worker.bounded import within
from worker.broker import broadcast, broker_connection
from worker.embedded import EmbeddedServerError
from worker.errors import ServiceUnavailable, SettingsError
from worker.process import Process
from worker.queues import Queue
from worker.services import connected_settings, needs_embedded
from worker.settings import Settings, get_settings
from worker.tokens import COMMON, ConfiguredToken, Standing, check_token, configured_tokens

BOUND_SECONDS = 15.0
OLDEST_POSTGRES = 14
OLDEST_REDIS = (6, 2)
NOTION_VERSION = "2025-09-03"
EXPIRY_WARNING = timedelta(days=7)
_SECRET_KEY_LENGTH = 32
_LOW_DISK, _NO_DISK = 2 * 2**30, 200 * 2**20


class State(enum.StrEnum):
    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Finding:
    """What came out for one part. `unreachable`: a service that is needed does not answer."""

    name: str
    state: State
    seen: str
    advice: str = ""
    unreachable: bool = False


Part = tuple[str, Callable[[], Finding]]


def examine(*, bound_seconds: float = BOUND_SECONDS) -> list[Finding]:
    """Look at every part of this installation, as its settings name it. Raises nothing."""
    try:
        settings = get_settings()
    except SettingsError as error:
        advice = "correct the environment or .env (see .env.example), then run this again"
        return [Finding("settings", State.FAILED, _line(error), advice)]
    # Importing the app connects nothing, but needs settings that can be read.
    from worker.app import app

    findings = []
    if needs_embedded(settings):
        try:
            settings = connected_settings()
        except EmbeddedServerError as error:
            findings.append(
                Finding("embedded servers", State.FAILED, _line(error), "see the text", unreachable=True)
            )
    process = Process(settings, app)
    try:
        findings += Examination(process, app, embedded=needs_embedded(get_settings())).run(bound_seconds)
        return [
            replace(one, seen=process.redact(one.seen), advice=process.redact(one.advice)) for one in findings
        ]
    finally:
        process.close()


class Examination:
    """The parts of one installation. `embedded`: a server keeps its data under ADTEMPO_DATA_DIR."""

    def __init__(self, process: Process, app: celery.Celery, *, embedded: bool) -> None:
        self._process = process
        self._settings: Settings = process.settings
        self._app = app
        self._embedded = embedded

    def run(self, bound_seconds: float) -> list[Finding]:
        """Every part's finding, in a fixed order. Takes `bound_seconds` for each part at most."""
        groups = self._groups()
        # Celery reads its configuration once, on first use, and not safely from several threads.
        try:
            self._app.conf.get("broker_url")
        except EmbeddedServerError:
            # It has no addresses now, though the broker's may be set.
            self._app.conf.broker_url = self._settings.broker_url.get_secret_value()

        def examine_group(group: Sequence[Part]) -> list[Finding]:
            return [_bounded(part, bound_seconds) for part in group]

        with ThreadPoolExecutor(len(groups)) as pool:
            return [finding for found in pool.map(examine_group, groups) for finding in found]

    def _groups(self) -> list[list[Part]]:
        """Parts of a group follow one another, as they stand on the same server; groups do not wait."""
        local: list[Part] = [("settings", self.settings), ("flower", self.flower)]
        if self._embedded:
            local.append(("disk", self.disk))
        tokens: list[Part] = [
            (_token_name(one), partial(self.token, one)) for one in configured_tokens(self._settings)
        ]
        return [
            local,
            [("postgresql", self.postgresql), ("schema", self.schema)],
            [("redis", self.redis), ("beat", self.beat)],
            [("broker", self.broker), ("workers", self.workers)],
            tokens or [("token", _no_token)],
            [("notion", self.notion)],
        ]

    def settings(self) -> Finding:
        name = "settings"
        key = self._settings.secret_key.get_secret_value()
        if len(key) < _SECRET_KEY_LENGTH:
            seen = "SECRET_KEY is not set" if not key else "SECRET_KEY is short"
            advice = f"set SECRET_KEY to {_SECRET_KEY_LENGTH} random characters or more; production needs it"
            return Finding(name, State.WARNING, f"{self._settings.environment}; {seen}", advice)
        return Finding(name, State.OK, f"{self._settings.environment}; SECRET_KEY is set")

    def flower(self) -> Finding:
        if self._settings.flower_basic_auth.get_secret_value():
            return Finding("flower", State.OK, f"asks for a password, port {self._settings.flower_port}")
        advice = "set FLOWER_BASIC_AUTH to user:password; production needs it"
        seen = "no password is set, so it listens on this machine only"
        return Finding("flower", State.WARNING, seen, advice)

    def disk(self) -> Finding:
        path = self._settings.adtempo_data_dir.resolve()
        advice = f"make {path} writable, or set DATABASE_URL and REDIS_URL"
        try:
            with tempfile.TemporaryFile(dir=path) as file:
                file.write(b"adtempo")
            free = shutil.disk_usage(path).free
        except OSError as error:
            return Finding("disk", State.FAILED, f"{path}: {error.strerror or error}", advice)
        seen = f"{path} is writable, {free / 2**30:.1f} GiB free"
        if free < _LOW_DISK:
            state = State.FAILED if free < _NO_DISK else State.WARNING
            return Finding("disk", state, seen, f"make room on the disk of {path}")
        return Finding("disk", State.OK, seen)

    def postgresql(self) -> Finding:
        name, advice = "postgresql", "check DATABASE_URL and that the server runs"
        if not self._settings.database_url.get_secret_value():
            return _no_address(name)
        url = self._process.engine.url
        where = f"{url.host}:{url.port or 5432}/{url.database}"
        try:
            with self._process.engine.connect() as connection:
                number = int(connection.execute(text("SHOW server_version_num")).scalar_one())
        except sqlalchemy.exc.OperationalError as error:
            return Finding(name, State.FAILED, _line(error.orig or error), advice, unreachable=True)
        seen = f"version {number // 10_000}.{number % 10_000} at {where}"
        if number // 10_000 < OLDEST_POSTGRES:
            return Finding(name, State.FAILED, seen, f"use PostgreSQL {OLDEST_POSTGRES} or newer")
        return Finding(name, State.OK, seen)

    def schema(self) -> Finding:
        name = "schema"
        if not self._settings.database_url.get_secret_value():
            return _no_address(name)
        try:
            require_head(self._process.engine)
        except SchemaOutdated as error:
            return Finding(name, State.FAILED, _line(error), "run `adtempo migrate`")
        except sqlalchemy.exc.OperationalError:
            return _not_looked_at(name, "PostgreSQL")
        return Finding(name, State.OK, "at the head revision")

    def redis(self) -> Finding:
        name = "redis"
        if not self._settings.redis_url.get_secret_value():
            return _no_address(name)
        try:
            info = self._process.redis.info()
        except redis.AuthenticationError:
            return Finding(
                name,
                State.FAILED,
                "refuses the password",
                "check the password in REDIS_URL",
                unreachable=True,
            )
        except redis.RedisError as error:
            advice = "check REDIS_URL and that the server runs"
            return Finding(name, State.FAILED, _line(error), advice, unreachable=True)
        assert isinstance(info, dict), "the synchronous client answers with the figures themselves"
        version = str(info["redis_version"])
        policy = str(info.get("maxmemory_policy", "unknown"))
        append_only = str(info.get("aof_enabled")) == "1"
        seen = f"version {version}, appendonly {'yes' if append_only else 'no'}, maxmemory-policy {policy}"
        if tuple(int(part) for part in version.split(".")[:2]) < OLDEST_REDIS:
            oldest = ".".join(map(str, OLDEST_REDIS))
            return Finding(name, State.FAILED, seen, f"use Redis {oldest} or newer")
        steps = []
        if not append_only:
            steps.append("set `appendonly yes`, or a restart of Redis forgets revoked tokens and messages")
        if policy != "noeviction":
            steps.append("set `maxmemory-policy noeviction`, or Redis drops revoked tokens and messages")
        return Finding(name, State.WARNING if steps else State.OK, seen, "; ".join(steps))

    def beat(self) -> Finding:
        name = "beat"
        if not self._settings.redis_url.get_secret_value():
            return _no_address(name)
        try:
            left = int(self._process.redis.pttl(str(self._app.conf.redbeat_lock_key)))
        except redis.RedisError:
            return _not_looked_at(name, "Redis")
        if left <= 0:
            advice = (
                "start it with `adtempo up`, or `celery -A worker.app beat`; nothing is scheduled meanwhile"
            )
            return Finding(name, State.FAILED, "no beat holds the lock", advice, unreachable=True)
        return Finding(name, State.OK, f"a beat holds the lock for another {left / 1000:.0f} s")

    def broker(self) -> Finding:
        name = "broker"
        if not self._settings.broker_url.get_secret_value():
            return _no_address(name)
        try:
            with broker_connection(self._app) as connection:
                # Written without the password.
                return Finding(name, State.OK, f"takes messages at {connection.as_uri()}")
        except ServiceUnavailable as error:
            advice = "check CELERY_BROKER_URL or REDIS_URL and that the server runs"
            return Finding(name, State.FAILED, _line(error), advice, unreachable=True)

    def workers(self) -> Finding:
        name = "workers"
        if not self._settings.broker_url.get_secret_value():
            return _no_address(name)
        try:
            answers = broadcast(self._app, "active_queues")
        except ServiceUnavailable:
            return _not_looked_at(name, "the broker")
        if not answers:
            advice = "start one with `adtempo up`, or `celery -A worker.app worker`"
            return Finding(name, State.FAILED, "no worker answers", advice, unreachable=True)
        consumed = {entry["name"] for answer in answers.values() for entry in answer if "name" in entry}
        left = [queue.value for queue in Queue if queue.value not in consumed]
        if left:
            seen = f"{', '.join(sorted(answers))}; nobody takes from {', '.join(left)}"
            return Finding(name, State.FAILED, seen, f"start a worker with -Q {','.join(left)}")
        return Finding(name, State.OK, f"{', '.join(sorted(answers))}; every queue has a worker")

    def token(self, configured: ConfiguredToken) -> Finding:
        name = _token_name(configured)
        if not self._settings.redis_url.get_secret_value():
            return _not_looked_at(name, "Redis")
        found = check_token(self._process, configured)
        match found.standing:
            case Standing.DEAD:
                return Finding(name, State.FAILED, f"dead: {found.detail}", f"set a new {configured.setting}")
            case Standing.REVOKED:
                advice = f"set a new {configured.setting}, or see `adtempo tokens restore`"
                return Finding(name, State.FAILED, found.detail, advice)
            case Standing.UNKNOWN:
                advice = "check FACEBOOK_GRAPH_URL, the way to it, and Redis; then run this again"
                return Finding(name, State.FAILED, found.detail, advice, unreachable=True)
        if found.expires_at is None:
            return Finding(name, State.OK, "valid, no end is known")
        seen = f"valid until {found.expires_at:%Y-%m-%d %H:%M} UTC"
        if found.expires_at - datetime.now(UTC) < EXPIRY_WARNING:
            return Finding(name, State.WARNING, seen, f"make a new token for {configured.setting} in time")
        return Finding(name, State.OK, seen)

    def notion(self) -> Finding:
        name = "notion"
        token = self._settings.notion_api_token.get_secret_value()
        if not token:
            advice = "set NOTION_API_TOKEN and NOTION_PARENT_PAGE_ID to have reports"
            return Finding(name, State.WARNING, "NOTION_API_TOKEN is not set; reports are skipped", advice)
        try:
            answer = httpx.get(
                f"{self._settings.notion_api_url}/v1/users/me",
                headers={"Authorization": f"Bearer {token}", "Notion-Version": NOTION_VERSION},
                timeout=10,
                trust_env=False,
            )
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            seen = f"{self._settings.notion_api_url} does not answer ({type(error).__name__})"
            return Finding(
                name, State.FAILED, seen, "check NOTION_API_URL and the way to it", unreachable=True
            )
        if answer.status_code == httpx.codes.UNAUTHORIZED:
            return Finding(name, State.FAILED, "refuses the token", "set a new NOTION_API_TOKEN")
        if answer.status_code >= 500 or answer.status_code == httpx.codes.TOO_MANY_REQUESTS:
            seen = f"answers HTTP {answer.status_code}"
            return Finding(name, State.FAILED, seen, "try again in a while", unreachable=True)
        if not answer.is_success:
            return Finding(
                name, State.FAILED, f"answers HTTP {answer.status_code}", "check NOTION_API_URL and the token"
            )
        if not (self._settings.notion_parent_page_id or self._settings.notion_database_id):
            advice = "set NOTION_PARENT_PAGE_ID to a page that is shared with the integration"
            return Finding(name, State.FAILED, "takes the token, but no page for the reports is set", advice)
        place = "database" if self._settings.notion_database_id else "parent page"
        return Finding(name, State.OK, f"takes the token; a {place} for the reports is set")


def _bounded(part: Part, seconds: float) -> Finding:
    name, look = part
    try:
        return within(seconds, look)
    except TimeoutError as error:
        return Finding(name, State.FAILED, str(error), "see whether the server hangs", unreachable=True)
    except Exception as error:  # noqa: BLE001  one part that fails must not hide the others
        seen = f"{type(error).__name__}: {_line(error)}"
        return Finding(name, State.FAILED, seen, "this was not expected; the text says what failed")


def _token_name(configured: ConfiguredToken) -> str:
    return f"token {configured.setting} ({configured.fingerprint})"


def _no_token() -> Finding:
    return Finding("token", State.FAILED, "no access token is set", f"set {COMMON}")


def _no_address(name: str) -> Finding:
    advice = "see what keeps the embedded servers from starting"
    return Finding(name, State.FAILED, "it has no address", advice, unreachable=True)


def _not_looked_at(name: str, needed: str) -> Finding:
    seen = f"cannot be looked at without {needed}"
    return Finding(name, State.FAILED, seen, f"see to {needed} first", unreachable=True)


def _line(error: BaseException) -> str:
    """The first line that says something; the drivers' texts hold no password."""
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
