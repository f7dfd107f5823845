"""The real SDK against the simulator."""

from collections.abc import Iterator
from typing import Any

import pytest
from facebook_business.adobjects.adaccount import AdAccount
from facebook_business.api import FacebookAdsApi
from facebook_business.exceptions import FacebookBadObjectError, FacebookRequestError
from facebook_business.session import FacebookSession

SECRET = "an app's secret"


@pytest.fixture
def simulated(open_graph: Any) -> Any:
    return open_graph(app_secret=SECRET)


@pytest.fixture
def api(simulated: Any) -> Iterator[FacebookAdsApi]:
    session = FacebookSession("1234", SECRET, simulated.token)
    session.GRAPH = simulated.url
    yield FacebookAdsApi(session, "v26.0")
    session.requests.close()


def test_calls_with_proof(simulated: Any, api: FacebookAdsApi) -> None:
    response = api.call(
        "GET",
        (simulated.account, "insights"),
        params={
            "level": "ad",
            "time_range": {"since": "2026-11-18", "until": "2026-11-19"},
            "time_increment": 1,
            "fields": ["ad_id", "spend", "actions"],
            "filtering": [{"field": "campaign.id", "operator": "IN", "value": ["120070000100000000"]}],
            "limit": 500,
        },
    )
    rows = response.json()["data"]
    assert rows
    assert {row["date_start"] for row in rows} == {"2026-11-18", "2026-11-19"}
    assert "x-business-use-case-usage" in {name.lower() for name in response.headers()}


def test_a_report_by_the_sdks_objects(simulated: Any, api: FacebookAdsApi) -> None:
    account = AdAccount(simulated.account, api=api)
    run = account.get_insights(fields=["campaign_id", "spend"], params={"level": "campaign"}, is_async=True)
    for _ in range(5):
        run = run.api_get()
        if run["async_status"] == "Job Completed":
            break
    rows = list(run.get_result(params={"limit": 3}))
    assert len({row["campaign_id"] for row in rows}) == len(rows) > 3
    names = [row["name"] for row in account.get_campaigns(fields=["name"], params={"limit": 2})]
    assert len(names) > 4


def test_errors_reach_the_sdk(simulated: Any, api: FacebookAdsApi) -> None:
    simulated.fault("throttled", times=1, parameters={"code": 17})
    with pytest.raises(FacebookRequestError) as caught:
        api.call("GET", (simulated.account,), params={})
    assert (caught.value.api_error_code(), caught.value.api_error_subcode()) == (17, 2446079)
    simulated.fault("http_502_html", times=1)
    with pytest.raises(FacebookBadObjectError):
        list(AdAccount(simulated.account, api=api).get_insights(fields=["spend"]))
    simulated.fault("http_503_html", times=1)
    with pytest.raises(TypeError):  # the SDK stumbles over a page with the word success in it
        AdAccount(simulated.account, api=api).api_get(fields=["name"])
