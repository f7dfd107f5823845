"""One call to Graph: what is sent, how an answer is judged, and what an error gives away."""

from __future__ import annotations

import hashlib
import hmac
import logging
import socket
import traceback
from collections.abc import Callable, Iterator

import pytest
from facebook_business.adobjects.adaccount import AdAccount
from facebook_business.adobjects.campaign import Campaign
from pydantic import SecretStr

from agent.errors import (
    AgentError,
    BadRequest,
    PermissionMissing,
    Throttled,
    TokenDead,
    TokenRefused,
    TokenStateUnknown,
    TooMuchData,
    Transient,
)
from agent.graph import GraphApi
from simulator.graph import World, create_app
from simulator.serving import Server
from tests.agent.answers import Answer, HandMade, RecordingGuard, answer, error
from tests.agent.conftest import SECRET, MakeApi
from tests.conftest import TOKEN
from tests.support.simulators import GraphSimulator

PROOF = hmac.new(SECRET.encode(), TOKEN.encode(), hashlib.sha256).hexdigest()
HTML = b"<html><body><h1>Sorry, something went wrong.</h1></body></html>"
QUOTA = '{"1": [{"estimated_time_to_regain_access": 19}]}'

# Every answer that is no answer, and what it must be taken for.
UNREADABLE = {
    "an HTML page": Answer(HTML, 502),
    "an HTML page with the word success": Answer(b"<html>success: Service Unavailable</html>", 503),
    "an HTML page with status 200": Answer(HTML, 200),
    "truncated JSON": Answer(b'{"data": [{"id": "1"}, {"id', 200),
    "an empty body": Answer(b"", 200),
    "no content": Answer(b"", 204),
    "a NaN": Answer(b'{"data": [NaN]}'),
    "an infinite number": Answer(b'{"data": [1e999]}'),
    "bytes that are no UTF-8": Answer(b'{"name": "\xff\xfe"}'),
    "a raw NUL": Answer(b'{"name": "a\x00b"}'),
    "nesting without end": Answer(b"[" * 100_000),
    "escapes in nesting without end": Answer(b'["\\ud83d",' + b"[" * 100_000),
    "a list": answer([]),
    "null": answer(None),
    "a text": answer("success"),
    "a number": answer(3),
    "a redirect": Answer(b"", 302, {"Location": "/elsewhere"}),
    "a redirect with an object": answer({"data": []}, 302, Location="/elsewhere"),
    "an object with status 500": answer({"data": []}, 500),
    "an object with status 404": answer({}, 404),
    "an error that is a text": answer({"error": "invalid_request"}),
    "an error that is true": answer({"error": True}, 400),
    "a body that is not what its encoding says": Answer(b"no gzip", 200, {"Content-Encoding": "gzip"}),
}


def told(error: BaseException) -> str:
    """All that a log, a database or a person may get to see of an exception."""
    parts = [str(error), repr(error), *traceback.format_exception(error)]
    parts += [repr(error.args), repr(vars(error))]
    return "\n".join(parts)


def assert_no_secret(text: str) -> None:
    for secret in (TOKEN, PROOF, SECRET):
        assert secret not in text


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port on which nobody listens, and which nobody else gets meanwhile."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


def test_a_call_carries_token_proof_version_and_parameters(server: HandMade, api: GraphApi) -> None:
    server.give(answer({"id": "1"}, X_App_Usage="{}"))
    params = {
        "fields": "id",
        "effective_status": ["A", "B"],
        "time_range": {"since": "x"},
        "n": 3,
        "no": None,
    }
    response = api.call("GET", ("act_1", "insights"), params)
    (seen,) = server.requests
    assert (seen.method, seen.path) == ("GET", "/v26.0/act_1/insights")
    assert seen.query == {
        "access_token": TOKEN,
        "appsecret_proof": PROOF,
        "fields": "id",
        "effective_status": '["A","B"]',
        "time_range": '{"since":"x"}',
        "n": "3",
    }
    assert response.json() == {"id": "1"}
    assert response.is_success()
    assert response.error() is None
    assert (response.status(), response.headers()["x-app-usage"]) == (200, "{}")
    assert api.calls == 1


def test_what_is_posted_goes_in_the_body(server: HandMade, api: GraphApi) -> None:
    server.give(answer({"report_run_id": "5"}))
    api.call("POST", ("act_1", "insights"), {"level": "ad", "name": "café \U0001f600"})
    (seen,) = server.requests
    assert seen.form == {"level": "ad", "name": "café \U0001f600"}
    assert "level" not in seen.query


def test_without_a_secret_there_is_no_proof(server: HandMade, make_api: MakeApi) -> None:
    server.give(answer({}))
    make_api(server.url).call("GET", ("me",))
    make_api(server.url, app_secret=SecretStr("")).call("GET", ("me",))
    assert [set(seen.query) for seen in server.requests] == [{"access_token"}] * 2


def test_the_proof_is_the_one_that_graph_expects(make_api: MakeApi, world: World) -> None:
    with Server(lambda: create_app(world, app_secret=SECRET)) as strict:
        assert make_api(strict.url, app_id="1", app_secret=SecretStr(SECRET)).call("GET", ("me",)).json()
        with pytest.raises(BadRequest, match="appsecret_proof"):
            make_api(strict.url).call("GET", ("me",))


@pytest.mark.parametrize("name", UNREADABLE)
def test_an_answer_that_is_none_is_a_passing_fault(server: HandMade, api: GraphApi, name: str) -> None:
    server.give(UNREADABLE[name])
    with pytest.raises(Transient) as caught:
        api.call("GET", ("act_1",))
    assert len(server.requests) == 1
    assert_no_secret(told(caught.value))


def test_a_page_that_is_no_json_is_named_with_its_status_and_without_its_text(
    server: HandMade, api: GraphApi
) -> None:
    server.give(Answer(HTML, 502, {"X-Business-Use-Case-Usage": QUOTA}))
    with pytest.raises(Transient, match="HTTP 502") as caught:
        api.call("GET", ("act_1",))
    assert "<html>" not in told(caught.value)
    assert caught.value.retry_after == 19 * 60


def test_a_redirect_is_not_followed(server: HandMade, api: GraphApi) -> None:
    server.give(Answer(b"", 301, {"Location": f"{server.url}/stolen"}), answer({"id": "1"}))
    with pytest.raises(Transient):
        api.call("GET", ("act_1",))
    assert [seen.path for seen in server.requests] == ["/v26.0/act_1"]


@pytest.mark.parametrize("status", [200, 400, 403, 500, 503])
@pytest.mark.parametrize(
    ("code", "kind"),
    [(17, Throttled), (1, Transient), (200, PermissionMissing), (100, BadRequest), (190, TokenDead)],
)
def test_the_code_decides_and_not_the_status(
    server: HandMade, api: GraphApi, status: int, code: int, kind: type[AgentError]
) -> None:
    server.give(error(code, status=status))
    with pytest.raises(kind) as caught:
        api.call("GET", ("act_1",))
    assert type(caught.value) is kind


def test_a_refusal_carries_the_time_to_wait(server: HandMade, api: GraphApi) -> None:
    refused = error(80000, 2446079)
    server.give(Answer(refused.body, 400, {"x-business-use-case-usage": QUOTA}))
    with pytest.raises(Throttled) as caught:
        api.call("GET", ("act_1",))
    assert caught.value.retry_after == 19 * 60


def test_strange_values_come_through_as_they_are(server: HandMade, api: GraphApi) -> None:
    odd = {
        "huge": 2**64 - 1,
        "names": ["\\N", "a\tb\nc\rd\\", "\U0001f600\U00020000", "nul\x00nul", ""],
        "success": False,
        "error": None,
    }
    server.give(answer(odd))
    assert api.call("GET", ("act_1",)).json() == odd


@pytest.mark.parametrize("fault", ["cut", "cut_body", "truncated_json", "http_502_html", "http_503_html"])
def test_the_simulators_broken_answers(graph: GraphSimulator, make_api: MakeApi, fault: str) -> None:
    graph.fault(fault, times=1)
    api = make_api(graph.url, app_secret=SecretStr(SECRET))
    with pytest.raises(Transient) as caught:
        api.call("GET", ("me",))
    assert_no_secret(told(caught.value))
    assert api.call("GET", ("me",)).json()["id"]


def refused(server: HandMade, make_api: MakeApi, port: int) -> None:
    make_api(f"http://127.0.0.1:{port}", app_secret=SecretStr(SECRET)).call("GET", ("me",))


def refused_over_tls(server: HandMade, make_api: MakeApi, port: int) -> None:
    url = server.url.replace("http://", "https://")
    make_api(url, app_secret=SecretStr(SECRET)).call("GET", ("me",))


def timed_out(server: HandMade, make_api: MakeApi, port: int) -> None:
    server.give(Answer(b"{}", silent_seconds=30))
    make_api(server.url, app_secret=SecretStr(SECRET), timeout=(5.0, 0.2)).call("GET", ("me",))


def no_address(server: HandMade, make_api: MakeApi, port: int) -> None:
    make_api("http://", app_secret=SecretStr(SECRET)).call("GET", ("me",))


def no_scheme(server: HandMade, make_api: MakeApi, port: int) -> None:
    make_api("gopher://127.0.0.1", app_secret=SecretStr(SECRET)).call("GET", ("me",))


def no_host(server: HandMade, make_api: MakeApi, port: int) -> None:
    make_api("http://nowhere.invalid", app_secret=SecretStr(SECRET)).call("GET", ("me",))


def long_label(server: HandMade, make_api: MakeApi, port: int) -> None:
    make_api(f"http://{'a' * 80}.invalid", app_secret=SecretStr(SECRET)).call("GET", ("me",))


@pytest.mark.parametrize(
    "fail", [refused, refused_over_tls, timed_out, no_address, no_scheme, no_host, long_label]
)
def test_no_answer_is_a_passing_fault_that_gives_no_secret_away(
    fail: Callable[[HandMade, MakeApi, int], None],
    server: HandMade,
    make_api: MakeApi,
    silent_port: int,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    with pytest.raises(Transient, match="no answer from Graph") as caught:
        fail(server, make_api, silent_port)
    assert_no_secret(told(caught.value))
    assert_no_secret(caplog.text)


@pytest.mark.parametrize(
    ("code", "subcode"), [(17, None), (1, 99), (2, None), (190, 463), (10, None), (100, None), (None, None)]
)
@pytest.mark.parametrize("field", ["message", "error_user_msg", "fbtrace_id"])
def test_graphs_words_are_cleared_of_secrets(
    server: HandMade, api: GraphApi, guard: RecordingGuard, code: int | None, subcode: int | None, field: str
) -> None:
    """Graph may quote the request, with the token and the proof in it."""
    words = f"Unknown request /me?access_token={TOKEN}&appsecret_proof={PROOF}&fields=id"
    server.give(error(code, subcode, more={field: words}))
    with pytest.raises(AgentError) as caught:
        api.call("GET", ("me",))
    assert_no_secret(told(caught.value))
    assert "fields=id" in str(caught.value)
    for _, reason in guard.deaths:
        assert_no_secret(reason)


def test_the_api_object_shows_no_secret(api: GraphApi) -> None:
    assert_no_secret(repr(api) + str(api))


def test_the_guard_is_asked_before_every_call(server: HandMade, api: GraphApi, guard: RecordingGuard) -> None:
    server.give(answer({}))
    for number in range(3):
        assert len(guard.checked) == len(server.requests) == number
        api.call("GET", ("me",))
    assert guard.checked == [TOKEN] * 3


@pytest.mark.parametrize("refusal", [TokenRefused("revoked"), TokenStateUnknown("Redis is away")])
def test_a_refusal_of_the_guard_makes_no_call(
    server: HandMade, api: GraphApi, guard: RecordingGuard, refusal: AgentError
) -> None:
    server.give(answer({}))
    guard.refusal = refusal
    with pytest.raises(type(refusal)):
        api.call("GET", ("me",))
    assert server.requests == []
    assert api.calls == 0


def test_the_guard_hears_of_a_dead_token_and_of_nothing_else(
    server: HandMade, api: GraphApi, guard: RecordingGuard
) -> None:
    for other in (error(17), error(200), error(100), error(1), Answer(HTML, 502)):
        server.give(other)
        with pytest.raises(AgentError):
            api.call("GET", ("me",))
    assert guard.deaths == []
    server.give(error(190, 463, more={"message": "Session has expired."}))
    with pytest.raises(TokenDead):
        api.call("GET", ("me",))
    assert guard.deaths == [(TOKEN, "Session has expired. (code 190/463)")]


@pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"])
def test_proxies_of_the_environment_are_ignored(
    server: HandMade, make_api: MakeApi, monkeypatch: pytest.MonkeyPatch, silent_port: int, name: str
) -> None:
    for excuse in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(excuse, raising=False)
    monkeypatch.setenv(name, f"http://127.0.0.1:{silent_port}")
    server.give(answer({"id": "1"}))
    assert make_api(server.url).call("GET", ("me",)).json() == {"id": "1"}


def test_calls_of_one_object_share_a_connection_and_cookies_stay_out(graph: GraphSimulator) -> None:
    """Building an object is costly because of its connections; closing it gives them back."""
    api = GraphApi(
        SecretStr(TOKEN), guard=RecordingGuard(), graph_url=graph.url, api_version="v26.0", timeout=(5.0, 5.0)
    )
    for _ in range(3):
        api.call("GET", ("me",))
    api.close()
    assert api.calls == 3


class TestObjectsOfTheSdk:
    """The SDK's own classes on top of our call."""

    @pytest.fixture
    def account(self, graph: GraphSimulator, make_api: MakeApi) -> AdAccount:
        return AdAccount(f"act_{graph.account_ids()[0]}", api=make_api(graph.url))

    def test_lists_and_nodes(self, account: AdAccount, graph: GraphSimulator) -> None:
        found = account.get_campaigns(fields=["name"], params={"limit": 1})
        names = [campaign["name"] for campaign in found]
        assert len(names) > 1
        first = account.get_campaigns(fields=["id"])[0]
        assert Campaign(first["id"], api=account.get_api()).api_get(fields=["name"])["name"] in names
        assert account.api_get(fields=["currency"])["currency"]

    def test_a_report(self, account: AdAccount) -> None:
        run = account.get_insights(
            fields=["campaign_id", "spend"], params={"level": "campaign"}, is_async=True
        )
        for _ in range(5):
            run = run.api_get()
            if run["async_status"] == "Job Completed":
                break
        assert list(run.get_result(params={"limit": 2}))

    def test_errors_are_ours(self, account: AdAccount, graph: GraphSimulator) -> None:
        graph.fault("too_much_data", times=1)
        with pytest.raises(TooMuchData):
            list(account.get_insights(fields=["spend"]))
        graph.fault("http_503_html", times=1)
        with pytest.raises(Transient):
            account.api_get(fields=["name"])


def test_half_an_emoji_in_a_name_spoils_nothing_else(server: HandMade, api: GraphApi) -> None:
    server.give(Answer(rb'{"data": [{"name": "Sale \ud83d", "id": "12"}]}'))
    assert api.call("GET", ("act_1", "ads")).json() == {"data": [{"name": "Sale ?", "id": "12"}]}


@pytest.mark.parametrize(("status", "kind"), [(500, Transient), (400, BadRequest)])
def test_an_error_without_a_code_is_judged_by_its_status(
    server: HandMade, api: GraphApi, status: int, kind: type[Exception]
) -> None:
    server.give(answer({"error": {"message": "An unexpected error has occurred"}}, status))
    with pytest.raises(kind):
        api.call("GET", ("me",))
