"""Settings: what they are read from, what they refuse, and that `.env.example` knows them all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from dotenv import dotenv_values

from worker.errors import SettingsError
from worker.settings import Settings, load_settings, parse_account_id, parse_breakdown

EXAMPLE = Path(__file__).parents[2] / ".env.example"
TOKEN = "EAAMARKEDTOKEN0123456789"
PRODUCTION = {
    "ENVIRONMENT": "production",
    "SECRET_KEY": "q7Zt1mXw9Rb4Ls8Vd2Fh6Jk3Np5Gc0Ya",
    "FACEBOOK_ACCESS_TOKEN": TOKEN,
    "FLOWER_BASIC_AUTH": "ops:9f2c77aa",
}


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*Settings.model_fields, "facebook_ad_account_id"):
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("ADTEMPO_ENV_FILE", os.devnull)


def set_all(monkeypatch: pytest.MonkeyPatch, values: dict[str, str]) -> None:
    for name, value in values.items():
        monkeypatch.setenv(name, value)


def refused(monkeypatch: pytest.MonkeyPatch, **values: str) -> str:
    set_all(monkeypatch, values)
    with pytest.raises(SettingsError) as caught:
        load_settings()
    return str(caught.value)


def test_the_example_names_every_setting_and_nothing_else() -> None:
    assert set(dotenv_values(EXAMPLE)) == {name.upper() for name in Settings.model_fields}


def test_the_example_gives_the_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADTEMPO_ENV_FILE", str(EXAMPLE))
    assert load_settings() == Settings()


def test_the_environment_comes_before_the_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "env"
    file.write_text("FLOWER_PORT=1111\nAGENT_TTL_SECONDS=60\n")
    monkeypatch.setenv("ADTEMPO_ENV_FILE", str(file))
    monkeypatch.setenv("FLOWER_PORT", "2222")
    settings = load_settings()
    assert (settings.flower_port, settings.agent_ttl_seconds) == (2222, 60)


@pytest.mark.parametrize("name", ["FACEBOOK_AD_ACCOUNT_IDS", "FACEBOOK_AD_ACCOUNT_ID"])
def test_accounts_with_or_without_act(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "act_12, 34,12")
    assert load_settings().facebook_ad_account_ids == (12, 34)


@pytest.mark.parametrize("text", ["", "act_", "12a", "-1", "0", "act_act_1", "²", "9" * 19])
def test_what_is_not_an_account(text: str) -> None:
    with pytest.raises(ValueError, match="is not an ad account id"):
        parse_account_id(text)


def test_an_accounts_own_token_comes_before_the_common_one(monkeypatch: pytest.MonkeyPatch) -> None:
    set_all(monkeypatch, {"FACEBOOK_ACCESS_TOKEN": "common", "FACEBOOK_ACCOUNT_TOKENS": '{"act_7": "own"}'})
    settings = load_settings()
    assert settings.token_for(7).get_secret_value() == "own"
    assert settings.token_for(8).get_secret_value() == "common"
    assert [token.get_secret_value() for token in settings.tokens] == ["common", "own"]


def test_broker_and_results_default_to_redis(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_URL", "redis://h/1")
    assert load_settings().broker_url.get_secret_value() == "redis://h/1"
    monkeypatch.setenv("CELERY_BROKER_URL", "amqp://h")
    settings = load_settings()
    assert settings.broker_url.get_secret_value() == "amqp://h"
    assert settings.result_backend.get_secret_value() == "redis://h/1"


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("FACEBOOK_AD_ACCOUNT_IDS", "12,abc", "'abc' is not an ad account id"),
        ("FACEBOOK_ACCOUNT_TOKENS", '{"x": "t"}', "'x' is not an ad account id"),
        ("FACEBOOK_ACCOUNT_TOKENS", "{broken", "must be a JSON object"),
        ("FACEBOOK_GRAPH_URL", "graph.facebook.com", "http:// or https://"),
        ("FACEBOOK_API_VERSION", "26", "v26.0"),
        ("INSIGHTS_LEVELS", "ad,adgroup", "'account', 'campaign', 'adset' or 'ad'"),
        ("INSIGHTS_BREAKDOWNS", "age+shoe", "'shoe' is not a breakdown"),
        ("INSIGHTS_ATTRIBUTION_WINDOWS", "7d", "'7d' is not an attribution window"),
        ("INSIGHTS_LOOKBACK_DAYS", "0", "greater than or equal to 1"),
        ("DATABASE_URL", "mysql://h/d", "postgresql://"),
        ("DATABASE_URL", "postgresql+asyncpg://h/d", "postgresql://"),
        ("DATABASE_URL", "postgresql://u:p@h:abc/d", "host or port"),
        ("DATABASE_URL", "postgresql:///d", "host or port"),
        ("REDIS_URL", "redis://h:port/0", "host or port"),
        ("REDIS_URL", "http://h", "redis://"),
        ("REDIS_KEY_PREFIX", "no colon", "pattern"),
        ("CELERY_BROKER_URL", "sqs://h", "amqp://"),
        ("FLOWER_BASIC_AUTH", "nobody", "user:password"),
        ("FLOWER_PORT", "70000", "65535"),
        ("REPORT_LOCALE", "de", "'en' or 'pt_BR'"),
        ("ENVIRONMENT", "staging", "'development' or 'production'"),
        ("LOG_LEVEL", "LOUD", "'DEBUG'"),
    ],
)
def test_a_bad_value_says_which_and_why(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, why: str
) -> None:
    text = refused(monkeypatch, **{name: value})
    assert text.startswith(f"{name}: ")
    assert why in text
    assert "\n" not in text


def test_production_takes_a_whole_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    set_all(monkeypatch, PRODUCTION)
    assert load_settings().environment == "production"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SECRET_KEY", ""),
        ("SECRET_KEY", "short"),
        ("SECRET_KEY", "changeme-0123456789abcdefghijklmnopqrstuvw"),
        ("SECRET_KEY", " " * 36),
        ("SECRET_KEY", "a" * 36),
        ("FACEBOOK_ACCESS_TOKEN", "EAA_your_token"),
        ("FACEBOOK_ACCOUNT_TOKENS", '{"1": "changeme"}'),
        ("FLOWER_BASIC_AUTH", "admin:admin"),
        ("FACEBOOK_ACCESS_TOKEN", ""),
        ("FACEBOOK_ACCESS_TOKEN", "your-token-here"),
        ("FLOWER_BASIC_AUTH", ""),
        ("FLOWER_BASIC_AUTH", "admin:password"),
        ("NOTION_API_TOKEN", "<token>"),
    ],
)
def test_production_refuses(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    assert refused(monkeypatch, **(PRODUCTION | {name: value})).startswith(f"{name}: ")


def test_no_secret_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    set_all(
        monkeypatch,
        {
            "FACEBOOK_ACCESS_TOKEN": TOKEN,
            "FACEBOOK_ACCOUNT_TOKENS": f'{{"7": "{TOKEN}"}}',
            "DATABASE_URL": f"postgresql://u:{TOKEN}@h/d",
        },
    )
    assert TOKEN not in repr(load_settings())
    assert TOKEN not in refused(monkeypatch, FACEBOOK_ACCOUNT_TOKENS=f'{{"7": "{TOKEN}"')
    assert TOKEN not in refused(monkeypatch, FACEBOOK_ACCOUNT_TOKENS=f'{{"x": "{TOKEN}"}}')
    assert TOKEN not in refused(monkeypatch, DATABASE_URL=f"mysql://u:{TOKEN}@h/d")


def test_a_breakdown_is_named_the_same_however_it_is_written() -> None:
    assert parse_breakdown("gender + age") == parse_breakdown("age+gender") == "age+gender"


def test_a_file_that_is_not_there_or_no_text_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ADTEMPO_ENV_FILE", str(tmp_path / "mistyped"))
    with pytest.raises(SettingsError, match="mistyped is not a file"):
        load_settings()
    (tmp_path / "latin").write_bytes("LOG_LEVEL=INFO # ação".encode("latin-1"))
    monkeypatch.setenv("ADTEMPO_ENV_FILE", str(tmp_path / "latin"))
    with pytest.raises(SettingsError, match="not UTF-8"):
        load_settings()
