"""Every setting of the program, read once from the environment and `.env`.

The names are the environment variables in lower case. Secrets are `SecretStr`, so that they are not
shown by a repr, a log line or an exception. Empty means unset everywhere: a line `REDIS_URL=` in `.env`
is the same as no line.
"""

from __future__ import annotations

import os
import re
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AliasChoices, BeforeValidator, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from worker.errors import SettingsError

Level = Literal["account", "campaign", "adset", "ad"]

# What Meta offers as breakdowns of daily insights and the collector understands.
BREAKDOWNS = frozenset(
    {
        "age",
        "gender",
        "country",
        "region",
        "publisher_platform",
        "platform_position",
        "impression_device",
        "device_platform",
        "hourly_stats_aggregated_by_advertiser_time_zone",
    }
)
_ATTRIBUTION_WINDOW = re.compile(
    r"(1d|7d|28d)_(click|view|ev)|dda|default|incrementality|skan_click|skan_view"
)
_PLACEHOLDER = re.compile(
    r"change[-_ ]?(me|this)|your[-_ ]?(own|token|secret|key|password)|placeholder"
    r"|^(your[-_ ]|example|secret|password|admin$|xxx|<|test$)",
    re.IGNORECASE,
)


def parse_account_id(value: object) -> int:
    """An ad account's number from `act_123`, `123` or 123.

    Raises ValueError for anything else.
    """
    text = str(value).strip()
    digits = text.removeprefix("act_")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 19) or not 0 < int(digits) < 2**63:
        raise ValueError(f"{text[:40]!r} is not an ad account id (digits, with or without act_)")
    return int(digits)


def _split(value: object) -> object:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


def _account_ids(value: object) -> object:
    parts = _split(value)
    # dict.fromkeys: the same account named twice is one account.
    return (
        tuple(dict.fromkeys(parse_account_id(part) for part in parts)) if isinstance(parts, list) else parts
    )


def parse_breakdown(text: str) -> str:
    """`gender+age` is one breakdown of two keys, named `age+gender` however it was written.

    Raises ValueError for a key that Meta does not know.
    """
    keys = sorted(key.strip() for key in text.split("+"))
    for key in keys:
        if key not in BREAKDOWNS:
            raise ValueError(f"{key!r} is not a breakdown; known: {', '.join(sorted(BREAKDOWNS))}")
    return "+".join(dict.fromkeys(keys))


def _breakdowns(value: object) -> object:
    parts = _split(value)
    return tuple(dict.fromkeys(map(parse_breakdown, parts))) if isinstance(parts, list) else parts


def _windows(value: object) -> object:
    parts = _split(value)
    if isinstance(parts, list):
        for part in parts:
            if not _ATTRIBUTION_WINDOW.fullmatch(part):
                raise ValueError(f"{part!r} is not an attribution window, such as 7d_click or 1d_view")
        return tuple(dict.fromkeys(parts))
    return parts


def _http_url(value: object) -> object:
    if isinstance(value, str):
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("must be an http:// or https:// address")
        return value.rstrip("/")
    return value


def _url_of(*schemes: str) -> BeforeValidator:
    def check(value: object) -> object:
        text = value.get_secret_value() if isinstance(value, SecretStr) else value
        if not isinstance(text, str) or not text:
            return value
        if urlsplit(text).scheme not in schemes:
            raise ValueError(f"must start with {' or '.join(scheme + '://' for scheme in schemes)}")
        try:
            found = urlsplit(text)
            complete = bool(found.hostname) and (found.port is None or found.port > 0)
        except ValueError:
            complete = False
        if not complete:
            # The address itself may hold a password, so it is not repeated.
            raise ValueError("is no address: host or port is wrong; write @ : / in a password as %40 %3A %2F")
        return value

    return BeforeValidator(check)


def _api_version(value: object) -> object:
    if not isinstance(value, str) or not re.fullmatch(r"v\d+\.\d+", value):
        raise ValueError("must look like v26.0")
    return value


AccountIds = Annotated[tuple[int, ...], NoDecode, BeforeValidator(_account_ids)]
HttpUrl = Annotated[str, BeforeValidator(_http_url)]
SqlUrl = Annotated[SecretStr, _url_of("postgresql", "postgres", "postgresql+psycopg2")]
RedisUrl = Annotated[SecretStr, _url_of("redis", "rediss")]
BrokerUrl = Annotated[SecretStr, _url_of("redis", "rediss", "amqp", "amqps")]


class Settings(BaseSettings):
    """All settings; the comment above a group is repeated in `.env.example`."""

    model_config = SettingsConfigDict(
        env_file_encoding="utf-8",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
        populate_by_name=True,
    )

    environment: Literal["development", "production"] = "development"
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    secret_key: SecretStr = SecretStr("")

    facebook_app_id: str = ""
    facebook_app_secret: SecretStr = SecretStr("")
    facebook_access_token: SecretStr = SecretStr("")
    facebook_account_tokens: dict[str, SecretStr] = Field(default_factory=dict)
    facebook_ad_account_ids: AccountIds = Field(
        default=(), validation_alias=AliasChoices("facebook_ad_account_ids", "facebook_ad_account_id")
    )
    facebook_graph_url: HttpUrl = "https://graph.facebook.com"
    facebook_api_version: Annotated[str, BeforeValidator(_api_version)] = "v26.0"
    agent_ttl_seconds: Annotated[int, Field(ge=1, le=86_400)] = 1800

    insights_levels: Annotated[tuple[Level, ...], NoDecode, BeforeValidator(_split), Field(min_length=1)] = (
        "campaign",
        "ad",
    )
    insights_breakdowns: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_breakdowns)] = ()
    insights_attribution_windows: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_windows)] = (
        "7d_click",
        "1d_view",
    )
    insights_lookback_days: Annotated[int, Field(ge=1, le=1126)] = 28
    insights_initial_days: Annotated[int, Field(ge=1, le=1126)] = 30

    database_url: SqlUrl = SecretStr("")
    redis_url: RedisUrl = SecretStr("")
    redis_key_prefix: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]+:$")] = "adtempo:"
    celery_broker_url: BrokerUrl = SecretStr("")
    celery_result_backend: RedisUrl = SecretStr("")
    adtempo_data_dir: Path = Path(".adtempo")

    notion_api_token: SecretStr = SecretStr("")
    notion_api_url: HttpUrl = "https://api.notion.com"
    notion_parent_page_id: str = ""
    notion_database_id: str = ""
    report_locale: Literal["en", "pt_BR"] = "en"

    flower_basic_auth: SecretStr = SecretStr("")
    flower_port: Annotated[int, Field(ge=1, le=65_535)] = 5555

    @model_validator(mode="after")
    def _account_tokens_name_accounts(self) -> Settings:
        for account in self.facebook_account_tokens:
            try:
                parse_account_id(account)
            except ValueError as error:
                raise ValueError(f"FACEBOOK_ACCOUNT_TOKENS: {error}") from None
        return self

    @model_validator(mode="after")
    def _flower_auth_has_two_parts(self) -> Settings:
        auth = self.flower_basic_auth.get_secret_value()
        if auth and not re.fullmatch(r"[^:]+:.+", auth):
            raise ValueError("FLOWER_BASIC_AUTH: must be user:password")
        return self

    @model_validator(mode="after")
    def _production_is_closed(self) -> Settings:
        if self.environment != "production":
            return self
        if not self.facebook_access_token.get_secret_value() and not self.facebook_account_tokens:
            raise ValueError("FACEBOOK_ACCESS_TOKEN: needed in production (or FACEBOOK_ACCOUNT_TOKENS)")
        key = self.secret_key.get_secret_value()
        # A random key of this length has far more than ten different characters.
        if len(key) < 32 or len(set(key)) < 10:
            raise ValueError("SECRET_KEY: needed in production, 32 random characters or more")
        if not self.flower_basic_auth.get_secret_value():
            raise ValueError("FLOWER_BASIC_AUTH: needed in production, as user:password")
        for name, secret in (
            ("SECRET_KEY", key),
            ("FACEBOOK_ACCESS_TOKEN", self.facebook_access_token.get_secret_value()),
            ("FACEBOOK_APP_SECRET", self.facebook_app_secret.get_secret_value()),
            ("NOTION_API_TOKEN", self.notion_api_token.get_secret_value()),
            ("FLOWER_BASIC_AUTH", self.flower_basic_auth.get_secret_value().partition(":")[2]),
            *(
                ("FACEBOOK_ACCOUNT_TOKENS", token.get_secret_value())
                for token in self.facebook_account_tokens.values()
            ),
        ):
            if secret and _PLACEHOLDER.search(secret):
                raise ValueError(f"{name}: still holds a placeholder; set a value of your own")
        return self

    def token_for(self, account_id: int) -> SecretStr:
        """The access token to use for an ad account: its own if one is set, else the common one."""
        for account, token in self.facebook_account_tokens.items():
            if parse_account_id(account) == account_id:
                return token
        return self.facebook_access_token

    @property
    def tokens(self) -> tuple[SecretStr, ...]:
        """Every distinct access token that is set, the common one first."""
        found = [self.facebook_access_token, *self.facebook_account_tokens.values()]
        return tuple(
            {token.get_secret_value(): token for token in found if token.get_secret_value()}.values()
        )

    @property
    def broker_url(self) -> SecretStr:
        """`CELERY_BROKER_URL`, or else `REDIS_URL`."""
        return self.celery_broker_url if self.celery_broker_url.get_secret_value() else self.redis_url

    @property
    def result_backend(self) -> SecretStr:
        """`CELERY_RESULT_BACKEND`, or else `REDIS_URL`."""
        return self.celery_result_backend if self.celery_result_backend.get_secret_value() else self.redis_url


def load_settings(**overrides: Any) -> Settings:
    """Read the settings from the environment and `.env` (or the file that `ADTEMPO_ENV_FILE` names).

    Raises SettingsError with a line for each wrong setting: the variable and why, never a secret's value.
    """
    named = os.environ.get("ADTEMPO_ENV_FILE")
    file = Path(named or ".env")
    if file.is_dir() or (named and not file.exists()):
        raise SettingsError(f"ADTEMPO_ENV_FILE: {file} is not a file" if named else f"{file} is not a file")
    try:
        return Settings(_env_file=file, **overrides)
    except UnicodeDecodeError:
        raise SettingsError(f"{file} is not UTF-8 text; save it as such") from None
    except ValidationError as error:
        raise SettingsError("\n".join(_explain(detail) for detail in error.errors())) from None
    except Exception as error:  # noqa: BLE001  pydantic-settings wraps a malformed JSON value in its own error
        # Its text may hold the value, so only the field's name is taken from it.
        field = re.search(r'field "(\w+)"', str(error))
        name = field.group(1).upper() if field else "A setting"
        raise SettingsError(
            f"{name}: cannot be read; FACEBOOK_ACCOUNT_TOKENS must be a JSON object"
        ) from None


def _explain(detail: Any) -> str:
    message = str(detail["msg"]).removeprefix("Value error, ")
    if not detail["loc"]:
        return message
    name = str(detail["loc"][0]).upper()
    return message if message.startswith(f"{name}:") else f"{name}: {message}"


@lru_cache(maxsize=1)
def get_settings() -> Settings:
    """The settings of this process. Read on the first call, at the edge only (app, command line)."""
    return load_settings()
