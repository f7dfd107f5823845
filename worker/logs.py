"""Logging of every process: one line an event, with the task it belongs to, and no secrets."""

from __future__ import annotations

import logging
import re
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TextIO
from urllib.parse import unquote, urlsplit

from pydantic import SecretStr

from worker.settings import Settings

_context: ContextVar[dict[str, object] | None] = ContextVar("log_context", default=None)
_IN_ADDRESS = re.compile(r"((?:access_token|input_token|appsecret_proof|client_secret|password)=)[^&\s'\"]+")
_IN_HEADER = re.compile(r"(Bearer\s+)[\w.~+/-]+=*", re.IGNORECASE)
_IN_URL = re.compile(r"(\w+://[^\s:/@]*:)[^\s@/]+(@)")


@contextmanager
def log_context(**values: object) -> Iterator[None]:
    """Put these names and values on every line that is logged inside."""
    token = _context.set({**(_context.get() or {}), **values})
    try:
        yield
    finally:
        _context.reset(token)


def secrets_of(settings: Settings) -> list[str]:
    """Every secret value that the settings hold, and the passwords inside addresses."""
    values: list[SecretStr] = [
        settings.secret_key,
        settings.facebook_app_secret,
        *settings.tokens,
        settings.notion_api_token,
        settings.flower_basic_auth,
    ]
    found = [value.get_secret_value() for value in values]
    found.append(settings.flower_basic_auth.get_secret_value().partition(":")[2])
    urls = (settings.database_url, settings.redis_url, settings.broker_url, settings.result_backend)
    passwords = [urlsplit(url.get_secret_value()).password or "" for url in urls]
    # In an address some characters are written as %xx; a driver speaks of the password itself.
    found.extend((*passwords, *map(unquote, passwords)))
    return [secret for secret in found if secret]


class Redactor:
    """Takes known secrets, and what looks like a token in an address or a header, out of a text."""

    def __init__(self, secrets: Iterable[str]) -> None:
        # Very short ones would black out ordinary words; longest first, as one may be part of another.
        self._secrets = sorted({secret for secret in secrets if len(secret) >= 6}, key=len, reverse=True)

    def __call__(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, "[secret]")
        text = _IN_ADDRESS.sub(r"\1[secret]", text)
        text = _IN_HEADER.sub(r"\1[secret]", text)
        return _IN_URL.sub(r"\1[secret]\2", text)


class LineFormatter(logging.Formatter):
    """`2026-11-22T10:30:00Z INFO tasks.collectors [task=… slice=7] text`, in UTC, redacted as a whole."""

    converter = staticmethod(time.gmtime)

    def __init__(self, redact: Redactor) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s%(context)s %(message)s", "%Y-%m-%dT%H:%M:%SZ")
        self._redact = redact

    def format(self, record: logging.LogRecord) -> str:
        context = _context.get()
        record.context = (
            " [" + " ".join(f"{name}={value}" for name, value in context.items()) + "]" if context else ""
        )
        return self._redact(super().format(record))


def set_up_logging(settings: Settings, stream: TextIO | None = None) -> None:
    """Log to `stream` (stderr by default) from now on, replacing what was set up before."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(LineFormatter(Redactor(secrets_of(settings))))
    logging.basicConfig(level=settings.log_level, handlers=[handler], force=True)
    # At DEBUG these write addresses and headers, which hold tokens.
    for name in ("urllib3", "httpx", "httpcore", "notion_client", "amqp", "kombu"):
        logging.getLogger(name).setLevel(max(logging.INFO, logging.getLevelName(settings.log_level)))
    # At INFO these write a line for every request or tick.
    for name in ("httpx", "notion_client", "redbeat"):
        logging.getLogger(name).setLevel(max(logging.WARNING, logging.getLevelName(settings.log_level)))
