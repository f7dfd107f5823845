"""Blocks are cut into requests within every limit."""

from __future__ import annotations

import json

from reports.notion.requests import batches, count
from reports.rich_text import block, rich_text, table


def test_nothing_is_lost_or_moved() -> None:
    blocks = [block("paragraph", rich_text(str(number))) for number in range(250)]
    parts = list(batches(blocks))
    assert [len(part) for part in parts] == [100, 100, 50]
    assert [one for part in parts for one in part] == blocks
    assert list(batches([])) == []


def test_blocks_below_count_as_well() -> None:
    tables = [table([["head"], *[["cell"]] * 98]) for _ in range(25)]
    assert count(tables[0]) == 100
    assert [len(part) for part in batches(tables)] == [10, 10, 5]


def test_a_request_stays_below_its_size_in_bytes() -> None:
    blocks = [block("paragraph", rich_text("語" * 20_000)) for _ in range(9)]
    parts = list(batches(blocks))
    assert len(parts) > 1
    assert sum(map(len, parts)) == 9
    assert all(len(json.dumps(part)) < 500_000 for part in parts)
