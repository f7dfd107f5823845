"""What an operator may set on a running simulator."""

from dataclasses import dataclass

from simulator.notion import limits


@dataclass
class Settings:
    """Behaviour that differs between workspaces and plans; changed with ``POST /_control/settings``.

    ``index_delay_seconds``: how long search does not know of a new object. ``charts_allowed``: whether the
    plan has chart views. ``upload_limit_bytes``: largest file. ``upload_seconds``: life of an upload nothing
    refers to. ``rate_limit``: requests a second for one token, None for no limit.
    """

    index_delay_seconds: float = 5.0
    charts_allowed: bool = True
    upload_limit_bytes: int = limits.UPLOAD_BYTES
    upload_seconds: float = limits.UPLOAD_SECONDS
    rate_limit: float | None = None
