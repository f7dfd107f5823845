"""Which error each of Graph's codes is."""

from __future__ import annotations

from typing import Any

import pytest

from agent.errors import (
    AgentError,
    BadRequest,
    GraphError,
    PermissionMissing,
    Throttled,
    TokenDead,
    TooMuchData,
    Transient,
    classify,
)

REDUCE = "Please reduce the amount of data you're asking for, then retry your request"

THROTTLED = [
    *[(4, None), (4, 1504022), (4, 1504039), (17, None), (17, 2446079), (32, None)],
    *[(613, None), (613, 1487742), (613, 1996)],
    *[(80000, 2446079), *((code, None) for code in range(80000, 80007)), (80008, None), (80009, None)],
    (80014, None),
]
TOO_MUCH = [(100, 1487534), (100, 1504018), (2, 1504038), (1, 99)]
TRANSIENT = [(1, None), (2, None), (2, 1504043), (2, 1504044), (-2, 2490547), (2601, 1815107)]
FATAL_THOUGH_CODE_2 = [(2, 1504041), (2, 1504042), (1, 2853001)]
DEAD = [(190, None), *((190, code) for code in (458, 459, 460, 463, 464, 465, 466, 467)), (102, None)]
NOT_ALLOWED = [(10, None), (200, None), (272, None), (299, None), (294, 1), (100, 33)]
BAD_REQUEST = [(100, None), (100, 1487), (2500, None), (2635, None), (3018, None), (2601, None), (300, None)]

TABLE = [
    *((Throttled, *pair) for pair in THROTTLED),
    *((TooMuchData, *pair) for pair in TOO_MUCH),
    *((Transient, *pair) for pair in TRANSIENT),
    *((BadRequest, *pair) for pair in FATAL_THOUGH_CODE_2),
    *((TokenDead, *pair) for pair in DEAD),
    *((PermissionMissing, *pair) for pair in NOT_ALLOWED),
    *((BadRequest, *pair) for pair in BAD_REQUEST),
]


def body(code: object, subcode: object = None, **more: Any) -> dict[str, Any]:
    return {"message": "Something is wrong", "code": code, "error_subcode": subcode, **more}


@pytest.mark.parametrize(("kind", "code", "subcode"), TABLE)
def test_the_table_of_codes(kind: type[GraphError], code: int, subcode: int | None) -> None:
    error = classify(body(code, subcode))
    assert type(error) is kind
    assert (error.code, error.subcode) == (code, subcode)


@pytest.mark.parametrize(("kind", "code", "subcode"), [row for row in TABLE if row[0] is not Transient])
def test_a_flag_of_passing_makes_only_unknown_codes_transient(
    kind: type[GraphError], code: int, subcode: int | None
) -> None:
    """Graph sets `is_transient` on quota errors too; they must not be taken for passing faults."""
    known = kind in (Throttled, TooMuchData, TokenDead) or (code, subcode) in FATAL_THOUGH_CODE_2
    assert type(classify(body(code, subcode, is_transient=True))) is (kind if known else Transient)


def test_codes_told_by_their_message() -> None:
    assert type(classify(body(1, message=REDUCE))) is TooMuchData
    assert type(classify(body(100, message="(#100) Missing permissions"))) is PermissionMissing
    assert type(classify(body(2, message=REDUCE))) is Transient


def test_codes_may_come_as_text() -> None:
    error = classify(body("17", "2446079"))
    assert type(error) is Throttled
    assert (error.code, error.subcode) == (17, 2446079)


@pytest.mark.parametrize("code", [None, "", "x", 1.5, 1e300, True, [], {}, "9" * 5000])
def test_a_code_that_is_no_number_is_a_bad_request(code: object) -> None:
    error = classify(body(code, code))
    assert type(error) is BadRequest
    assert (error.code, error.subcode) == (None, None)


def test_the_text_says_what_happened_and_how_to_find_it() -> None:
    error = classify(body(17, 2446079, message="User request\n limit   reached", fbtrace_id="AbC"))
    assert str(error) == "User request limit reached (code 17/2446079) [fbtrace AbC]"
    assert str(classify({"code": 4})) == "Graph gave no reason (code 4)"


def test_the_text_meant_for_people_goes_first() -> None:
    error = classify(body(1, 99, error_user_msg="Ask for less"))
    assert str(error) == "Ask for less (code 1/99)"


def test_the_time_to_wait_is_kept() -> None:
    assert classify(body(17), retry_after=1140.0).retry_after == 1140.0
    assert classify(body(17)).retry_after is None


def test_each_kind_has_a_name_of_its_own() -> None:
    def below(kind: type[AgentError]) -> list[type[AgentError]]:
        return [kind, *(found for child in kind.__subclasses__() for found in below(child))]

    kinds = [kind.kind for kind in below(AgentError)]
    assert len(kinds) == len(set(kinds))
