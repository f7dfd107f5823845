"""The transport: an SDK session that reads an answer once, judges it by its content and leaks nothing.

The SDK's own `call` decodes each answer twice, takes an HTML error page for an object and puts the
request's parameters, token included, into its exceptions; so `call` is our own here, and the SDK's objects
can still be used on top of it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, Protocol

import orjson
import requests
from facebook_business.api import FacebookAdsApi, FacebookResponse
from facebook_business.session import FacebookSession
from pydantic import SecretStr
from requests.adapters import HTTPAdapter
from urllib3.exceptions import HTTPError

from agent.errors import GraphError, TokenDead, Transient, classify
from agent.usage import seconds_to_regain

# Seconds to connect, and between two bytes of an answer.
TIMEOUT = (10.0, 120.0)


class TokenGuard(Protocol):
    """Knows which tokens are revoked; asked before every call."""

    def check(self, token: SecretStr) -> None:
        """Raises TokenRefused when the token is revoked, TokenStateUnknown when that cannot be known."""

    def died(self, token: SecretStr, reason: str) -> None:
        """Graph says that the token is dead: tell everybody."""


class GraphResponse(FacebookResponse):
    """An answer without an error, its body decoded once."""

    def __init__(self, body: dict[str, Any], headers: Mapping[str, str], http_status: int) -> None:
        super().__init__(body=body, headers=headers, http_status=http_status, call={})

    def json(self) -> dict[str, Any]:
        body: dict[str, Any] = self._body
        return body

    def is_success(self) -> bool:
        return True


class GraphApi(FacebookAdsApi):
    """The SDK's API object for one token, pointed at `graph_url`. Not shared between processes."""

    def __init__(
        self,
        token: SecretStr,
        *,
        guard: TokenGuard,
        graph_url: str,
        api_version: str,
        app_id: str = "",
        app_secret: SecretStr | None = None,
        timeout: tuple[float, float] = TIMEOUT,
    ) -> None:
        secret = app_secret.get_secret_value() if app_secret else ""
        session = FacebookSession(
            app_id=app_id or None,
            app_secret=secret or None,
            access_token=token.get_secret_value(),
            timeout=timeout,
        )
        session.GRAPH = graph_url
        # No proxy, .netrc or certificate bundle from the environment can come between.
        session.requests.trust_env = False
        adapter = HTTPAdapter(pool_connections=2, pool_maxsize=4, max_retries=0)
        session.requests.mount("https://", adapter)
        session.requests.mount("http://", adapter)
        super().__init__(session, api_version=api_version)
        self._token = token
        self._guard = guard
        self.calls = 0

    def call(
        self,
        method: str,
        path: str | Iterable[str],
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        files: Mapping[str, Any] | None = None,
        url_override: str | None = None,
        api_version: str | None = None,
    ) -> GraphResponse:
        """One call. Lists and mappings in `params` travel as JSON.

        Raises TokenRefused or TokenStateUnknown before the call, or after it the GraphError that fits.
        """
        self._guard.check(self._token)
        address = (
            path
            if isinstance(path, str)
            else "/".join((url_override or self._session.GRAPH, api_version or self._api_version, *path))
        )
        encoded = {name: _encode(value) for name, value in (params or {}).items() if value is not None}
        in_query = method in ("GET", "DELETE")
        self.calls += 1
        try:
            response = self._session.requests.request(
                method,
                address,
                params=encoded if in_query else None,
                data=None if in_query else encoded,
                headers={**FacebookAdsApi.HTTP_DEFAULT_HEADERS, **(headers or {})},
                files=files,
                timeout=self._session.timeout,
                # A redirect would carry the token to wherever it points.
                allow_redirects=False,
            )
        except (requests.RequestException, HTTPError) as error:
            # Its text holds the address, and the address the token. Some of urllib3's errors come bare.
            raise Transient(f"no answer from Graph: {type(error).__name__}") from None
        try:
            return self._judge(response)
        except TokenDead as error:
            self._guard.died(self._token, str(error))
            raise

    def close(self) -> None:
        self._session.requests.close()

    def _judge(self, response: requests.Response) -> GraphResponse:
        try:
            body = _decode(response.content)
        except (ValueError, RecursionError):
            raise Transient(
                f"Graph's answer is not JSON or was cut off (HTTP {response.status_code})",
                retry_after=seconds_to_regain(response.headers),
            ) from None
        if not isinstance(body, dict):
            raise Transient(f"Graph's answer is not an object (HTTP {response.status_code})")
        error = body.get("error")
        if isinstance(error, dict) and ("code" in error or response.status_code < 500):
            raise self._redacted(classify(error, retry_after=seconds_to_regain(response.headers)))
        if error is not None or response.status_code >= 300:
            raise Transient(f"Graph answered HTTP {response.status_code} without a reason")
        return GraphResponse(body, response.headers, response.status_code)

    def _redacted(self, error: GraphError) -> GraphError:
        # Graph may quote the request, so its words are cleared of both secrets that travel in it.
        secrets = {
            "[token]": self._token.get_secret_value(),
            "[appsecret_proof]": self._session.requests.params.get("appsecret_proof"),
        }
        for shown, secret in secrets.items():
            if secret:
                error.args = tuple(str(part).replace(secret, shown) for part in error.args)
        return error


def _decode(content: bytes) -> Any:
    """The JSON document. Raises ValueError (orjson's and json's errors are such) for anything else.

    A name cut in the middle of an emoji leaves half a surrogate pair, which orjson refuses; it becomes `?`.
    """
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError:
        if b"\\u" not in content:
            raise
        text = json.dumps(json.loads(content), ensure_ascii=False)
        return orjson.loads(text.encode(errors="replace"))


def _encode(value: object) -> str:
    if isinstance(value, str):
        return value
    return orjson.dumps(value).decode()
