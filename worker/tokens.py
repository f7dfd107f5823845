"""The access tokens that are set: which settings name them, and what Graph and the revocations say of each.

A token is named by its setting and the beginning of its fingerprint, never by itself.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from pydantic import SecretStr

from agent.errors import AgentError, TokenDead, TokenRefused
from worker.agent_cache import NO_ACCOUNT
from worker.errors import BadInput, SettingsError
from worker.process import Process
from worker.revoked import fingerprint
from worker.settings import Settings, parse_account_id

COMMON = "FACEBOOK_ACCESS_TOKEN"
# Enough of a SHA-256 to tell a handful of tokens apart.
_SHOWN_DIGITS = 8


@dataclass(frozen=True, slots=True)
class ConfiguredToken:
    """A token and the setting it stands in; `account_id` is None for the common one."""

    setting: str
    account_id: int | None
    token: SecretStr

    @property
    def fingerprint(self) -> str:
        """The first hexadecimal digits of the token's SHA-256."""
        return short(fingerprint(self.token))


class Standing(enum.StrEnum):
    """`unknown`: Graph or Redis could not be asked."""

    VALID = "valid"
    DEAD = "dead"
    REVOKED = "revoked"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class TokenCheck:
    """What came out for a token. `expires_at` is UTC, None for never or not known."""

    configured: ConfiguredToken
    standing: Standing
    expires_at: datetime | None = None
    detail: str = ""
    error: AgentError | None = None


def short(whole_fingerprint: str) -> str:
    """How much of a fingerprint is shown."""
    return whole_fingerprint[:_SHOWN_DIGITS]


def configured_tokens(settings: Settings) -> list[ConfiguredToken]:
    """Every setting that holds a token, the common one first. A token may stand in several."""
    found = [ConfiguredToken(COMMON, None, settings.facebook_access_token)]
    for account, token in settings.facebook_account_tokens.items():
        account_id = parse_account_id(account)
        found.append(ConfiguredToken(f"FACEBOOK_ACCOUNT_TOKENS[{account_id}]", account_id, token))
    return [one for one in found if one.token.get_secret_value()]


def choose_token(settings: Settings, *, account_id: int | None, common: bool) -> ConfiguredToken:
    """The token of an account, or the common one; without either, the only one that is set.

    Raises SettingsError when none is set, BadInput when the choice fits none or more than one.
    """
    tokens = configured_tokens(settings)
    if not tokens:
        raise SettingsError(f"no access token is set; set {COMMON}")
    if account_id is not None and common:
        raise BadInput("name either --account or --common, not both")
    if account_id is not None:
        own = [one for one in tokens if one.account_id == account_id]
        if not own:
            raise BadInput(
                f"account {account_id} has no token of its own in FACEBOOK_ACCOUNT_TOKENS;"
                " --common is the token that all other accounts share"
            )
        return own[0]
    if common:
        if tokens[0].account_id is not None:
            raise BadInput(f"{COMMON} is not set; name an account with --account")
        return tokens[0]
    if len({one.token.get_secret_value() for one in tokens}) > 1:
        raise BadInput("several tokens are set; say which with --account ID or --common")
    return tokens[0]


def check_token(process: Process, configured: ConfiguredToken) -> TokenCheck:
    """Ask the revocations and then Graph about a token. A dead one is revoked for every worker."""
    token = configured.token
    try:
        state = process.agents.get(NO_ACCOUNT, token).token_state(token.get_secret_value())
    except TokenRefused as error:
        return TokenCheck(configured, Standing.REVOKED, detail=str(error), error=error)
    except TokenDead as error:
        # The agent has told the guard already.
        return TokenCheck(configured, Standing.DEAD, detail=str(error), error=error)
    except AgentError as error:
        return TokenCheck(configured, Standing.UNKNOWN, detail=str(error), error=error)
    if not state.is_valid:
        reason = "Graph says that the token is not valid any more"
        process.revoked.died(token, reason)
        return TokenCheck(configured, Standing.DEAD, state.expires_at, reason)
    return TokenCheck(configured, Standing.VALID, state.expires_at)


def check_tokens(process: Process) -> Iterator[TokenCheck]:
    """Check what every setting holds, one after the other; each token is asked about once."""
    checked: dict[str, TokenCheck] = {}
    for configured in configured_tokens(process.settings):
        secret = configured.token.get_secret_value()
        if secret not in checked:
            checked[secret] = check_token(process, configured)
        one = checked[secret]
        yield TokenCheck(configured, one.standing, one.expires_at, one.detail, one.error)
