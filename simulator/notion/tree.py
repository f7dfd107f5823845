"""The tree of pages and blocks: put in, take out, bring back, empty."""

from collections.abc import Iterable, Iterator

from simulator.notion.blocks import Draft
from simulator.notion.checks import Json
from simulator.notion.errors import invalid
from simulator.notion.store import Store, parent_id

IN_TREE = ("page", "block", "database")


def children(store: Store, parent: Json) -> list[Json]:
    """Live children of a page or block, in order."""
    return [store.objects[one] for one in store.children_ids(parent["id"])]


def insert(
    store: Store, parent: Json, drafts: Iterable[Draft], *, index: int | None = None, by: str | None = None
) -> list[Json]:
    """Store drafts below a page or block, with everything below them; returns those at the top."""
    reference = {"type": f"{parent['object']}_id", f"{parent['object']}_id": parent["id"]}
    created = []
    for offset, draft in enumerate(drafts):
        record = store.add(
            {
                "object": "block",
                "parent": reference,
                "type": draft.type,
                "content": draft.content,
                "rank": 0.0,
            },
            by=by,
        )
        store.place(record, parent["id"], None if index is None else index + offset)
        insert(store, record, draft.children, by=by)
        created.append(record)
    if created:
        touch_page(store, parent, by=by)
    return created


def touch_page(store: Store, record: Json, *, by: str | None = None) -> None:
    """Note an edit on the object and on the page it is part of."""
    store.touch(record, by=by)
    for ancestor in ancestors(store, record):
        if record["object"] == "block":
            store.touch(ancestor, by=by)
        if ancestor["object"] != "block":
            break


def ancestors(store: Store, record: Json) -> Iterator[Json]:
    """What the object lies in, nearest first: blocks, pages, data sources, databases."""
    current = store.objects.get(parent_id(record))
    while current is not None:
        yield current
        current = store.objects.get(parent_id(current))


def in_trash(store: Store, record: Json) -> bool:
    """Whether the object or anything it lies in is in the trash."""
    return bool(record["in_trash"]) or any(one["in_trash"] for one in ancestors(store, record))


def check_editable(store: Store, record: Json) -> None:
    """Refuse to edit what is in the trash, itself or with what it lies in."""
    if record["in_trash"]:
        raise invalid("Can't edit block that is archived. You must unarchive the block before editing.")
    if in_trash(store, record):
        raise invalid(
            "Can't edit page on block with an archived ancestor. You must unarchive the ancestor before "
            "editing page."
        )


def trash(store: Store, record: Json, *, by: str | None = None) -> None:
    """Move to the trash; what lies below stays where it is and cannot be edited."""
    if record["in_trash"]:
        return
    record["in_trash"] = True
    if "rank" in record:
        store.displace(record, parent_id(record))
    touch_page(store, record, by=by)


def restore(store: Store, record: Json) -> None:
    """Bring back from the trash, to the end of where it was."""
    if not record["in_trash"]:
        return
    record["in_trash"] = False
    if "rank" in record:
        store.place(record, parent_id(record))
    touch_page(store, record)


def erase(store: Store, page: Json) -> None:
    """Empty a page: its blocks, and the pages and databases in it, go to the trash."""
    for child in children(store, page):
        trash(store, child)
    store.touch(page)
