"""Access tokens: every one is good unless something else was arranged through the control routes."""

import hashlib
import hmac
from dataclasses import dataclass
from typing import Any

from simulator.graph.errors import GraphError, bad_proof, dead_token
from simulator.graph.world import Account, World

SCOPES = ("ads_management", "ads_read", "business_management", "read_insights", "public_profile")
_SIXTY_DAYS = 60 * 86_400


@dataclass
class TokenState:
    """``dead`` is the subcode of error 190; ``expires_at`` is in unix seconds, 0 for never."""

    dead: int | None = None
    is_dead: bool = False
    expires_at: int | None = None
    accounts: frozenset[str] | None = None
    scopes: tuple[str, ...] = SCOPES


class Tokens:
    """What is known of each token. The tokens themselves stay in memory and are never shown."""

    def __init__(self, world: World, app_secret: str | None) -> None:
        self._world = world
        self._secret = app_secret
        self._states: dict[str, TokenState] = {}
        self._born = int(world.now().timestamp())

    def state(self, token: str) -> TokenState:
        """The state of a token, made on the first change."""
        return self._states.setdefault(token, TokenState())

    def _known(self, token: str) -> TokenState:
        return self._states.get(token) or TokenState()

    def error(self, token: str) -> GraphError | None:
        """The error a call with this token is answered with."""
        state = self._known(token)
        if state.is_dead:
            return dead_token(state.dead)
        if state.expires_at and state.expires_at <= self._world.now().timestamp():
            return dead_token(463)
        return None

    def check_proof(self, token: str, proof: str | None) -> None:
        """With an app secret every call must carry the HMAC-SHA256 of its token."""
        if self._secret is None:
            return
        right = hmac.new(self._secret.encode(), token.encode(), hashlib.sha256).hexdigest()
        if not hmac.compare_digest(right.encode(), (proof or "").encode()):
            raise bad_proof(proof)

    def may_see(self, token: str, account: Account) -> bool:
        """Whether the account is within the token's reach."""
        allowed = self._known(token).accounts
        return allowed is None or account.id in allowed

    def describe(self, token: str) -> dict[str, Any]:
        """The ``data`` of ``debug_token``."""
        state = self._known(token)
        expires = self._born + _SIXTY_DAYS if state.expires_at is None else state.expires_at
        data: dict[str, Any] = {
            "app_id": str(self._world.seed + 1_000_000_000_000),
            "type": "USER",
            "application": "Simulated app",
            "data_access_expires_at": self._born + _SIXTY_DAYS + 30 * 86_400,
            "expires_at": expires,
            "is_valid": True,
            "issued_at": self._born,
            "scopes": list(state.scopes),
            "user_id": "100000000000001",
        }
        if error := self.error(token):
            data["is_valid"] = False
            data["error"] = {"code": error.code, "message": error.message}
            if error.subcode is not None:
                data["error"]["subcode"] = error.subcode
        return data
