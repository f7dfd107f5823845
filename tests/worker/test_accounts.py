"""Which ad accounts a person may name."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from pydantic import SecretStr

from agent.errors import TokenDead, Transient
from db.accounts import save_accounts
from tests.conftest import TOKEN
from tests.support.network import refusing_port
from tests.support.simulators import GraphSimulator
from worker.accounts import require_accounts
from worker.errors import BadInput
from worker.process import Process
from worker.settings import Settings

STRANGER = 424242


@pytest.fixture
def make_process(
    make_settings: Callable[..., Settings], graph: GraphSimulator
) -> Iterator[Callable[..., Process]]:
    made: list[Process] = []

    def make(**values: object) -> Process:
        settings = make_settings(**{"facebook_graph_url": graph.url, **values})
        made.append(Process(settings, None))  # no message is sent here
        return made[-1]

    yield make
    for process in made:
        process.close()


def collected(process: Process, *account_ids: int) -> None:
    with process.session() as session, session.begin():
        save_accounts(
            session,
            [
                {"id": one, "name": f"Account {one}", "currency": "EUR", "timezone_name": "Europe/Lisbon"}
                for one in account_ids
            ],
        )


def test_naming_none_asks_nobody(make_settings: Callable[..., Settings]) -> None:
    address = f"postgresql+psycopg2://127.0.0.1:{refusing_port()}/none"
    process = Process(make_settings(database_url=SecretStr(address)), None)
    require_accounts(process, [])


def test_an_account_that_was_collected_needs_no_call(
    make_process: Callable[..., Process], graph: GraphSimulator
) -> None:
    process = make_process()
    collected(process, 7, 8)
    require_accounts(process, [8, 7])
    require_accounts(process, [7], collected=True)
    assert graph.log() == []


def test_an_account_that_is_set_needs_no_call(
    make_process: Callable[..., Process], graph: GraphSimulator
) -> None:
    require_accounts(make_process(facebook_ad_account_ids="act_7,8"), [7, 8])
    assert graph.log() == []


def test_an_account_that_its_token_sees_is_taken(
    make_process: Callable[..., Process], graph: GraphSimulator
) -> None:
    account = graph.account_ids()[0]
    require_accounts(make_process(), [account])
    assert [entry["path"].rpartition("/")[2] for entry in graph.log()] == [f"act_{account}"]


def test_an_account_that_its_token_does_not_see_is_refused(make_process: Callable[..., Process]) -> None:
    with pytest.raises(BadInput, match=f"the token sees no ad account {STRANGER}") as caught:
        require_accounts(make_process(), [STRANGER])
    assert TOKEN not in str(caught.value)


def test_where_accounts_are_set_no_other_is_asked_about(
    make_process: Callable[..., Process], graph: GraphSimulator
) -> None:
    process = make_process(facebook_ad_account_ids="7")
    collected(process, 9)
    with pytest.raises(BadInput, match=f"unknown ad account {STRANGER}; known: 7, 9"):
        require_accounts(process, [7, 9, STRANGER])
    assert graph.log() == []


def test_what_was_never_collected_cannot_be_read(
    make_process: Callable[..., Process], graph: GraphSimulator
) -> None:
    process = make_process(facebook_ad_account_ids="7")
    with pytest.raises(BadInput, match="known: none yet, run `adtempo run collect`"):
        require_accounts(process, [7], collected=True)
    assert graph.log() == []


def test_a_long_list_of_known_accounts_is_cut(make_process: Callable[..., Process]) -> None:
    process = make_process(facebook_ad_account_ids=",".join(map(str, range(100, 125))))
    with pytest.raises(BadInput, match="108, 109 and 15 more"):
        require_accounts(process, [STRANGER])


def test_trouble_with_graph_is_not_taken_for_a_wrong_number(
    make_process: Callable[..., Process], graph: GraphSimulator
) -> None:
    with pytest.raises(Transient):
        require_accounts(make_process(facebook_graph_url=f"http://127.0.0.1:{refusing_port()}"), [STRANGER])
    graph.post("tokens", dead=TOKEN)
    with pytest.raises(TokenDead):
        require_accounts(make_process(), [STRANGER])
