"""The truth itself: repeatable, independent of what was asked before, and worth analysing."""

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest

from simulator.graph.delivery import CLICKS, IMPRESSIONS, PURCHASES, REACH, SPEND, Deliveries
from simulator.graph.world import AD, AD_SET, CAMPAIGN, World

NOW = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)


def test_a_day_is_the_same_whatever_was_asked_before() -> None:
    days = [date(2026, 11, 19) - timedelta(days=gap) for gap in (0, 1, 40, 400, 1100)]
    first, second = Deliveries(), Deliveries()
    one, other = World(5, now=NOW).accounts[0], World(5, now=NOW).accounts[0]
    forward = {day: first.day(one, day).copy() for day in days}
    backward = {day: second.day(other, day).copy() for day in reversed(days)}
    for day in days:
        assert forward[day][IMPRESSIONS].any()
        assert np.array_equal(forward[day], backward[day])


def test_an_ad_does_not_depend_on_the_size_of_the_world() -> None:
    small, large = World(5, accounts=1, now=NOW), World(5, accounts=4, now=NOW)
    day = date(2026, 11, 10)
    assert np.array_equal(Deliveries().day(small.accounts[0], day), Deliveries().day(large.accounts[0], day))


def test_another_seed_is_another_world() -> None:
    day = date(2026, 11, 10)
    figures = [Deliveries().day(World(seed, now=NOW).accounts[0], day) for seed in (1, 2)]
    assert not np.array_equal(figures[0], figures[1])


def test_the_hour_does_not_matter_within_a_week() -> None:
    monday, friday = (World(5, now=datetime(2026, 11, day, 20, tzinfo=UTC)) for day in (16, 20))
    assert monday.accounts[0].campaigns == friday.accounts[0].campaigns


def test_today_is_the_accounts_own() -> None:
    world = World(5, now=NOW)
    assert [account.today() for account in world.accounts] == [
        date(2026, 11, 19),
        date(2026, 11, 19),
        date(2026, 11, 20),
    ]
    deliveries = Deliveries()
    brazil, japan = world.accounts[0], world.accounts[2]
    assert not deliveries.day(brazil, date(2026, 11, 20)).any()
    assert deliveries.day(japan, date(2026, 11, 20)).any()


def test_history_ends_where_it_should() -> None:
    world = World(5, now=NOW, history_days=100)
    account, deliveries = world.accounts[0], Deliveries()
    assert deliveries.day(account, account.first_day()).any()
    assert not deliveries.day(account, account.first_day() - timedelta(days=1)).any()


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_winners_losers_and_campaigns_that_sell_nothing(seed: int) -> None:
    account = World(seed, now=NOW).accounts[1]
    deliveries = Deliveries()
    days = [deliveries.day(account, account.today() - timedelta(days=gap)) for gap in range(60)]
    total = np.sum(days, axis=0)
    for campaign in account.campaigns:
        low, high = account.bounds(CAMPAIGN, campaign.index)
        spend, purchases = (total[metric, low:high].sum() for metric in (SPEND, PURCHASES))
        if campaign.quality == "sells nothing":
            assert spend > 20 * account.break_even
            assert purchases == 0
        elif campaign.quality == "winner":
            assert spend / purchases < 0.8 * account.break_even
        elif campaign.quality == "loser":
            assert spend / purchases > 1.5 * account.break_even


def test_counts_follow_each_other() -> None:
    account, deliveries = World(5, now=NOW).accounts[0], Deliveries()
    for gap in range(40):
        figures = deliveries.day(account, account.today() - timedelta(days=gap))
        assert (figures[REACH] <= figures[IMPRESSIONS]).all()
        assert (figures[CLICKS] <= figures[IMPRESSIONS]).all()
        assert (figures[PURCHASES] <= figures[CLICKS]).all()
        assert ((figures[SPEND] > 0) == (figures[IMPRESSIONS] > 0)).all()


def test_some_ads_have_days_without_delivery() -> None:
    account, deliveries = World(5, now=NOW).accounts[0], Deliveries()
    low, high = account.bounds(CAMPAIGN, 0)
    shown = [
        deliveries.day(account, account.today() - timedelta(days=gap))[IMPRESSIONS, low:high] > 0
        for gap in range(60)
    ]
    assert 0.85 < np.mean(shown) < 0.99


def test_ids_lead_back_to_their_objects() -> None:
    world = World(5, campaigns=9, ads_per_campaign=5, now=NOW)
    for account in world.accounts:
        for kind in (CAMPAIGN, AD_SET, AD):
            for number in range(account.count(kind)):
                assert world.find(account.entity_id(kind, number)) == (account, kind, number)
        assert world.find(account.entity_id(AD, account.ads)) is None
        assert world.account(f"act_{account.id}") is account
    assert world.find("123") is None
    assert world.find(World(6).accounts[0].entity_id(AD, 0)) is None


def test_ad_sets_hold_all_ads_of_their_campaign() -> None:
    account = World(5, campaigns=30, ads_per_campaign=7, now=NOW).accounts[0]
    for number in range(account.count(AD_SET)):
        low, high = account.bounds(AD_SET, number)
        assert low < high
        assert {account.parent(AD, ad, AD_SET) for ad in range(low, high)} == {number}
        assert len({account.parent(AD, ad, CAMPAIGN) for ad in range(low, high)}) == 1
    assert {campaign.ad_sets for campaign in account.campaigns} == {1, 2}
