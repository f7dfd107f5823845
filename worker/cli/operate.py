"""Looking after the running program: `adtempo doctor|agents|tokens`."""

from __future__ import annotations

import os
import pwd
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from worker.cli.arguments import account_ids
from worker.cli.console import JsonFlag, print_json, print_rows, say
from worker.cli.exits import Exit, explain
from worker.errors import ServiceUnavailable, SettingsError

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from worker.process import Process
    from worker.tokens import ConfiguredToken, TokenCheck

tokens_app = typer.Typer(no_args_is_help=True, help="The access tokens: their state, and revoking them.")

OneAccount = Annotated[str | None, typer.Option("--account", help="The token set for this ad account.")]
Common = Annotated[bool, typer.Option("--common", help="The token that all other accounts share.")]


def doctor(as_json: JsonFlag = False) -> int:
    """Check every part of the program and say what to do."""
    from worker.doctor import State, examine

    findings = examine()
    rows = [
        {"name": one.name, "state": one.state.value, "seen": one.seen, "advice": one.advice}
        for one in findings
    ]
    print_rows(
        rows,
        title="Parts of the program",
        columns={"name": "Part", "state": "State", "seen": "Seen", "advice": "What to do"},
        as_json=as_json,
        empty="",
    )
    failed = [one for one in findings if one.state is State.FAILED]
    if any(one.unreachable for one in failed):
        return Exit.UNREACHABLE
    return Exit.FAILED if failed else Exit.DONE


def agents(
    invalidate: Annotated[
        bool, typer.Option("--invalidate", help="Make every worker build its ad agents anew.")
    ] = False,
    as_json: JsonFlag = False,
) -> int:
    """Show the ad agents that the worker processes keep."""
    if invalidate:
        return _invalidate(as_json=as_json)
    from worker.agent_cache import NO_ACCOUNT
    from worker.app import current_process

    rows: list[dict[str, Any]] = [
        {
            "process": process.process,
            # The agent that asks about tokens belongs to no account.
            "account_id": None if stats.account_id == NO_ACCOUNT else stats.account_id,
            "age_seconds": stats.age_seconds,
            "ttl_seconds": stats.ttl_seconds,
            "builds": stats.builds,
            "hits": stats.hits,
            "seen_at": process.seen_at,
        }
        for process in current_process().agent_board.read()
        for stats in process.agents
    ]
    if as_json:
        print_json(rows)
        return Exit.DONE
    for row in rows:
        row["account_id"] = str(row["account_id"] or "(tokens)")
        for name in ("age_seconds", "ttl_seconds"):
            row[name] = str(timedelta(seconds=round(row[name])))
    print_rows(
        rows,
        title="Ad agents, as each process last wrote them",
        columns={
            "process": "Process",
            "account_id": "Account",
            "age_seconds": "Age",
            "ttl_seconds": "TTL",
            "builds": "Builds",
            "hits": "Hits",
            "seen_at": "Seen",
        },
        as_json=False,
        empty="no worker process keeps an ad agent now; they are built with the first collection",
    )
    return Exit.DONE


def _invalidate(*, as_json: bool) -> int:
    from worker.app import app
    from worker.broker import broadcast

    answers = broadcast(app, "agents_invalidate")
    done = sorted(name for name, answer in answers.items() if "ok" in answer)
    if as_json:
        print_json({"workers": done})
    if not done:
        raise ServiceUnavailable("no worker answered; start one with `adtempo up`")
    if not as_json:
        say(f"{len(done)} {'worker builds its' if len(done) == 1 else 'workers build their'} ad agents anew")
    return Exit.DONE


@tokens_app.command()
def check(as_json: JsonFlag = False) -> int:
    """Ask Graph about every token that is set; a dead one is revoked for every worker."""
    from worker.app import current_process
    from worker.tokens import COMMON, check_tokens

    process = current_process()
    checks = list(check_tokens(process))
    if not checks:
        raise SettingsError(f"no access token is set; set {COMMON}")
    rows = [
        {
            "setting": one.configured.setting,
            "fingerprint": one.configured.fingerprint,
            "state": one.standing.value,
            "expires_at": one.expires_at,
            "detail": process.redact(one.detail),
        }
        for one in checks
    ]
    print_rows(
        rows,
        title="Access tokens",
        columns={
            "setting": "Setting",
            "fingerprint": "Fingerprint",
            "state": "State",
            "expires_at": "Expires",
            "detail": "",
        },
        as_json=as_json,
        empty="",
    )
    return _exit_of(checks)


@tokens_app.command()
def revoke(
    account: OneAccount = None,
    common: Common = False,
    reason: Annotated[str, typer.Option(help="Why; kept with the revocation.")] = "revoked by an operator",
    as_json: JsonFlag = False,
) -> int:
    """Let no worker use a token any more. The token is named by its setting, never given."""
    from worker.app import current_process

    process = current_process()
    chosen = _chosen(process, account, common)
    reason = process.redact(reason)
    earlier = process.revoked.find(chosen.token)
    if earlier is None:
        process.revoked.revoke(chosen.token, reason=reason, expires_at=_expiry(process, chosen))
        say(f"{chosen.setting} ({chosen.fingerprint}) is revoked")
        # Afterwards: a token that has leaked is stopped even while PostgreSQL is away.
        with _audited(process) as session, session.begin():
            _record(session, "token.revoke", chosen, {"reason": reason})
    else:
        when = f"was revoked at {earlier.revoked_at} already"
        say(f"{chosen.setting} ({chosen.fingerprint}) {when}: {process.redact(earlier.reason)}")
    if as_json:
        print_json(_named(chosen) | {"revoked": True, "changed": earlier is None})
    return Exit.DONE


@tokens_app.command()
def restore(account: OneAccount = None, common: Common = False, as_json: JsonFlag = False) -> int:
    """Allow a revoked token again."""
    from worker.app import current_process

    process = current_process()
    chosen = _chosen(process, account, common)
    changed = process.revoked.find(chosen.token) is not None
    if changed:
        # The row first: nothing is allowed again that is not written down.
        with _audited(process) as session, session.begin():
            _record(session, "token.restore", chosen, {})
            process.revoked.restore(chosen.token)
        say(f"{chosen.setting} ({chosen.fingerprint}) may be used again")
    else:
        say(f"{chosen.setting} ({chosen.fingerprint}) is not revoked")
    if as_json:
        print_json(_named(chosen) | {"revoked": False, "changed": changed})
    return Exit.DONE


@tokens_app.command("list")
def list_revoked(as_json: JsonFlag = False) -> int:
    """Show the revoked tokens, by their fingerprints."""
    from worker.app import current_process
    from worker.revoked import fingerprint
    from worker.tokens import configured_tokens, short

    process = current_process()
    settings_of: dict[str, list[str]] = {}
    for one in configured_tokens(process.settings):
        settings_of.setdefault(fingerprint(one.token), []).append(one.setting)
    entries = sorted(process.revoked.all(), key=lambda entry: entry.revoked_at)
    with process.redis.pipeline(transaction=False) as pipe:
        for entry in entries:
            pipe.ttl(f"{process.settings.redis_key_prefix}revoked:{entry.fingerprint}")
        left = [int(seconds) for seconds in pipe.execute()]
    rows: list[dict[str, Any]] = [
        {
            "fingerprint": short(entry.fingerprint),
            "settings": settings_of.get(entry.fingerprint, []),
            "reason": process.redact(entry.reason),
            "revoked_at": datetime.fromisoformat(entry.revoked_at).astimezone(UTC),
            "ttl_seconds": seconds,
        }
        for entry, seconds in zip(entries, left, strict=True)
        # It ran out between the two questions.
        if seconds > 0
    ]
    if as_json:
        print_json(rows)
        return Exit.DONE
    for row in rows:
        row["ttl_seconds"] = str(timedelta(seconds=row["ttl_seconds"]))
        row["settings"] = row["settings"] or "not set any more"
    print_rows(
        rows,
        title="Revoked tokens",
        columns={
            "fingerprint": "Fingerprint",
            "settings": "Setting",
            "reason": "Reason",
            "revoked_at": "Revoked",
            "ttl_seconds": "Kept for",
        },
        as_json=False,
        empty="no token is revoked",
    )
    return Exit.DONE


def actor() -> str:
    """Who is at the command line, for the audit log: the operating system's user, `cli:anna`."""
    uid = os.getuid()
    try:
        return f"cli:{pwd.getpwuid(uid).pw_name}"
    except KeyError:
        return f"cli:uid {uid}"


def _chosen(process: Process, account: str | None, common: bool) -> ConfiguredToken:
    from worker.tokens import choose_token

    ids = account_ids([account] if account is not None else None)
    return choose_token(process.settings, account_id=ids[0] if ids else None, common=common)


def _named(chosen: ConfiguredToken) -> dict[str, Any]:
    return {"setting": chosen.setting, "fingerprint": chosen.fingerprint}


def _audited(process: Process) -> Session:
    """A session on a schema that has the audit log."""
    from db.migrate import require_head

    require_head(process.engine)
    return process.session()


def _record(session: Session, action: str, chosen: ConfiguredToken, details: dict[str, Any]) -> None:
    from db.audit import record

    record(session, actor(), action, f"token:{chosen.fingerprint}", {"setting": chosen.setting, **details})


def _expiry(process: Process, chosen: ConfiguredToken) -> datetime | None:
    """When the token would end by itself, if Graph can be asked and says so."""
    from worker.tokens import Standing, check_token

    found = check_token(process, chosen)
    # What Graph calls dead may carry an end that has passed, and the entry would be gone at once.
    return found.expires_at if found.standing is Standing.VALID else None


def _exit_of(checks: list[TokenCheck]) -> int:
    from worker.tokens import Standing

    if any(one.standing in (Standing.DEAD, Standing.REVOKED) for one in checks):
        return Exit.NOT_ALLOWED
    explained = [explain(one.error) for one in checks if one.error is not None]
    return max((found[0] for found in explained if found), default=Exit.DONE)
