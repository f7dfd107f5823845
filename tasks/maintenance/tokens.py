"""The daily look at the access tokens."""

from __future__ import annotations

import logging

from agent.errors import AgentError, TokenDead, TokenRefused
from worker.agent_cache import NO_ACCOUNT
from worker.process import Process

log = logging.getLogger(__name__)


def check_every_token(process: Process) -> dict[str, int]:
    """Ask Graph about each token that is set; how many are valid, dead, revoked and not known.

    A dead one is revoked for every worker. A revoked one is not used for asking; its entry is kept alive,
    so that a revocation does not run out while the token is still set. Raises redis.RedisError, after which
    the check is tried again.
    """
    counts = {"valid": 0, "dead": 0, "revoked": 0, "unknown": 0}
    for token in process.settings.tokens:
        try:
            state = process.agents.get(NO_ACCOUNT, token).token_state(token.get_secret_value())
        except TokenRefused:
            process.revoked.extend(token)
            counts["revoked"] += 1
            continue
        except TokenDead:
            # The agent has told the guard already.
            counts["dead"] += 1
            continue
        except AgentError as error:
            # The trouble of one token keeps no other from being looked at; tomorrow it is asked about again.
            log.warning("a token could not be checked: %s: %s", error.kind, error)
            counts["unknown"] += 1
            continue
        if state.is_valid:
            counts["valid"] += 1
        else:
            process.revoked.died(token, "Graph says that the token is not valid any more")
            counts["dead"] += 1
    return counts
