"""The daily look at the access tokens."""

from __future__ import annotations

import logging

from worker.process import Process
from worker.tokens import Standing, check_tokens

log = logging.getLogger(__name__)


def check_every_token(process: Process) -> dict[str, int]:
    """Ask Graph about each token that is set; how many are valid, dead, revoked and not known.

    A dead one is revoked for every worker. A revoked one is not used for asking; its entry is kept alive,
    so that a revocation does not run out while the token is still set. Raises redis.RedisError, after which
    the check is tried again.
    """
    # The same token may stand in several settings; it is one token.
    checks = {check.configured.token.get_secret_value(): check for check in check_tokens(process)}
    counts = {standing.value: 0 for standing in Standing}
    for check in checks.values():
        counts[check.standing.value] += 1
        if check.standing is Standing.REVOKED:
            process.revoked.extend(check.configured.token)
        elif check.standing is Standing.UNKNOWN and check.error is not None:
            # The trouble of one token keeps no other from being looked at; tomorrow it is asked about again.
            log.warning("a token could not be checked: %s: %s", check.error.kind, check.detail)
    return counts
