"""The simulators as a test sees them: an address, and a hand on their controls."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import httpx


@dataclass(frozen=True)
class Simulator:
    """A running simulator's address and its control routes."""

    url: str

    def get(self, route: str, **params: Any) -> Any:
        answer = httpx.get(f"{self.url}/_control/{route}", params=params, timeout=30, trust_env=False)
        answer.raise_for_status()
        return answer.json()

    def post(self, route: str, **body: Any) -> Any:
        answer = httpx.post(f"{self.url}/_control/{route}", json=body, timeout=30, trust_env=False)
        answer.raise_for_status()
        return answer.json()

    def delete(self, route: str) -> None:
        httpx.delete(f"{self.url}/_control/{route}", timeout=30, trust_env=False).raise_for_status()

    def log(self) -> list[dict[str, Any]]:
        """Every request so far, in order, the controls' own left out."""
        found: list[dict[str, Any]] = self.get("log")["requests"]
        return found

    def fault(self, kind: str, **values: Any) -> None:
        """Arm a fault; `times`, `match`, `probability` and `parameters` as simulator.control says."""
        self.post("faults", kind=kind, **values)


class GraphSimulator(Simulator):
    """The Graph simulator with its truth."""

    def account_ids(self) -> list[int]:
        accounts = self.get("world")["accounts"]
        return [int(str(account["id"]).removeprefix("act_")) for account in accounts]

    def truth(
        self, account_id: int, level: str, since: date, until: date, **more: Any
    ) -> list[dict[str, Any]]:
        """The sums of each day (or entity and day, with by="entity") as the world has them."""
        found: list[dict[str, Any]] = self.get(
            "truth",
            account=account_id,
            level=level,
            since=since.isoformat(),
            until=until.isoformat(),
            **more,
        )["days"]
        return found
