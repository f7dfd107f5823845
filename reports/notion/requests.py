"""Cutting a page's blocks into requests that Notion takes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from reports.rich_text import Json

# Notion's limits: children in one list, blocks in one request with all below them, bytes of one request.
CHILDREN = 100
BLOCKS = 1000
# 500 KB, less room for the properties that travel along.
BYTES = 450_000


def batches(
    blocks: Iterable[Json], *, children: int = CHILDREN, total: int = BLOCKS, size: int = BYTES
) -> Iterator[list[Json]]:
    """Consecutive parts of the blocks, each fit for one request; nothing for no blocks."""
    batch: list[Json] = []
    counted = measured = 0
    for block in blocks:
        number, length = count(block), _bytes(block)
        full = len(batch) == children or counted + number > total or measured + length > size
        if batch and full:
            yield batch
            batch, counted, measured = [], 0, 0
        batch.append(block)
        counted += number
        measured += length
    if batch:
        yield batch


def count(block: Json) -> int:
    """The blocks in a block, itself included."""
    return 1 + sum(count(child) for child in block[block["type"]].get("children", ()))


def _bytes(block: Json) -> int:
    # Escaped text is the longer form, so this holds whichever the HTTP library sends.
    return len(json.dumps(block)) + 1
