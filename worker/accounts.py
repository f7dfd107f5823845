"""Is this an ad account of ours?"""

from __future__ import annotations

from collections.abc import Sequence

from agent.errors import PermissionMissing
from db.accounts import known_accounts
from worker.errors import BadInput
from worker.process import Process
from worker.settings import Settings


def require_accounts(process: Process, account_ids: Sequence[int], *, collected: bool = False) -> None:
    """Raises BadInput for an account that is neither set nor was ever collected nor is seen by its token.

    With `collected`, it must have been collected before. Asks Graph only about accounts that are not known;
    raises the errors of agent.errors then.
    """
    if not account_ids:
        return
    with process.session() as session:
        known = set(known_accounts(session))
    if not collected:
        known.update(process.settings.facebook_ad_account_ids)
    for account_id in account_ids:
        if account_id in known:
            continue
        if collected or process.settings.facebook_ad_account_ids:
            raise BadInput(f"unknown ad account {account_id}; known: {_listed(known)}")
        try:
            process.agents.get(account_id, process.settings.token_for(account_id)).account(account_id)
        except PermissionMissing:
            raise BadInput(f"the token sees no ad account {account_id}; check the number") from None


def require_token(settings: Settings, account_ids: Sequence[int]) -> None:
    """Raises BadInput when no access token is set for an account, or none at all."""
    tokens = [settings.token_for(account_id) for account_id in account_ids] or settings.tokens
    if not tokens or not all(token.get_secret_value() for token in tokens):
        raise BadInput("no access token is set; set FACEBOOK_ACCESS_TOKEN (see .env.example)")


def _listed(known: set[int]) -> str:
    if not known:
        return "none yet, run `adtempo run collect`"
    some = sorted(known)[:10]
    return ", ".join(map(str, some)) + (f" and {len(known) - 10} more" if len(known) > 10 else "")
