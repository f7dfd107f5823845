"""The workspace: every object by id, in memory and, when a path is given, in one SQLite file.

An object is a JSON document with ``object``, ``id``, ``created``, ``edited`` (ISO 8601, UTC), ``created_by``,
``edited_by`` and ``in_trash``. Pages, blocks and databases below a page or block have a ``rank`` among its
children. A write touches only the rows that changed, in one transaction.
"""

import hashlib
import json
import sqlite3
from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from simulator.notion.checks import Json
from simulator.notion.errors import StateError

_FORMAT = "notion-simulator-1"
_TABLES = """
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS objects (id TEXT PRIMARY KEY, place INTEGER NOT NULL, body TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS files (id TEXT PRIMARY KEY, content BLOB NOT NULL);
"""


class Store:
    """Objects and the bytes of uploaded files. Raises `StateError` when the state file cannot be used."""

    def __init__(self, path: Path | None, seed: int, now: Callable[[], datetime] | None = None) -> None:
        self.seed = seed
        self._now = now or (lambda: datetime.now(UTC))
        self._path = path
        self.objects: dict[str, Json] = {}
        self._children: dict[str, list[str]] = {}
        self._members: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
        self._dirty: set[str] = set()
        self._attaching: set[str] = set()
        self._places: dict[str, int] = {}
        self._counter = 0
        self._requests = 0
        self._open(path)
        self.bot_id = self.named_id("bot")
        self.person_id = self.named_id("person")
        self.workspace_id = self.named_id("workspace")
        self.root_id = self.named_id("root")
        if self.root_id not in self.objects:
            self._make_root()

    # Ids and time

    def named_id(self, name: str) -> str:
        """An id fixed by the seed and the name."""
        return _uuid(f"{self.seed}/{name}", 4)

    def new_id(self, version: int = 8) -> str:
        """The next id of the seed's series."""
        self._counter += 1
        return _uuid(f"{self.seed}/{self._counter}", version)

    def request_id(self) -> str:
        """An id for one answer; each start of the server has a series of its own."""
        self._requests += 1
        return _uuid(f"{self.seed}/request/{self._starts}/{self._requests}", 4)

    def now(self) -> datetime:
        """The time, UTC."""
        return self._now()

    def stamp(self) -> str:
        """The time as stored."""
        return self.now().isoformat(timespec="microseconds")

    # Objects

    def get(self, object_id: str, *kinds: str) -> Json | None:
        """The object, when there is one and it is of one of the kinds."""
        found = self.objects.get(object_id)
        return found if found is not None and (not kinds or found["object"] in kinds) else None

    def of_kind(self, kind: str) -> Iterator[Json]:
        """Every object of a kind, oldest first."""
        return (one for one in self.objects.values() if one["object"] == kind)

    def add(self, record: Json, *, by: str | None = None, version: int = 8) -> Json:
        """Store a new object, completing its id, times and authors."""
        stamp, user = self.stamp(), by or self.bot_id
        whole: Json = {
            "id": self.new_id(version),
            "created": stamp,
            "edited": stamp,
            "created_by": user,
            "edited_by": user,
            "in_trash": False,
        } | record
        self._index(whole)
        self.changed(whole)
        return whole

    def changed(self, record: Json) -> None:
        """Note that the object has to be written."""
        self._dirty.add(record["id"])

    def touch(self, record: Json, *, by: str | None = None) -> None:
        """Note an edit: the time, the author, and that the object has to be written."""
        record["edited"] = self.stamp()
        record["edited_by"] = by or self.bot_id
        self.changed(record)

    def attach(self, upload_id: str) -> None:
        """Note that the request being handled shows an upload; it holds once the request succeeds."""
        self._attaching.add(upload_id)

    def discard(self) -> None:
        """Forget what a refused request would have attached."""
        self._attaching.clear()

    def members(self, kind: str, owner_id: str) -> list[Json]:
        """What belongs to an object and is no block: rows, data sources, views, comments; oldest first."""
        return [self.objects[one] for one in self._members[kind, owner_id]]

    # Children in order

    def children_ids(self, parent_id: str) -> list[str]:
        """Live children of a page or block, in order."""
        return self._children.get(parent_id, [])

    def place(self, record: Json, parent_id: str, index: int | None = None) -> None:
        """Put an object among the children of a page or block; at the end without an index."""
        siblings = self._children.setdefault(parent_id, [])
        position = len(siblings) if index is None else index
        before = self.objects[siblings[position - 1]]["rank"] if position > 0 else None
        after = self.objects[siblings[position]]["rank"] if position < len(siblings) else None
        siblings.insert(position, record["id"])
        if before is None or after is None:
            record["rank"] = (
                before + 1.0 if before is not None else (after - 1.0 if after is not None else 0.0)
            )
        else:
            record["rank"] = (before + after) / 2
            if not before < record["rank"] < after:  # no room between two neighbours: number them anew
                for rank, sibling in enumerate(siblings):
                    self.objects[sibling]["rank"] = float(rank)
                    self.changed(self.objects[sibling])
        self.changed(record)

    def displace(self, record: Json, parent_id: str) -> None:
        """Take an object out of its parent's children."""
        siblings = self._children.get(parent_id, [])
        if record["id"] in siblings:
            siblings.remove(record["id"])

    # The file

    def flush(self) -> None:
        """Write what changed, whole or not at all."""
        for upload_id in self._attaching:
            self.objects[upload_id]["attached"] = True
            self._dirty.add(upload_id)
        self._attaching.clear()
        if not self._dirty:
            return
        rows = []
        for one in self._dirty:
            place = self._places.setdefault(one, len(self._places))
            rows.append((one, place, json.dumps(self.objects[one], ensure_ascii=False)))
        with self._db:
            self._db.executemany("INSERT OR REPLACE INTO objects VALUES (?, ?, ?)", rows)
            self._db.execute("INSERT OR REPLACE INTO meta VALUES ('counter', ?)", (str(self._counter),))
        self._dirty.clear()

    def write_file(self, file_id: str, content: bytes) -> None:
        """Keep the bytes of an upload."""
        with self._db:
            self._db.execute("INSERT OR REPLACE INTO files VALUES (?, ?)", (file_id, content))

    def read_file(self, file_id: str) -> bytes | None:
        """The bytes of an upload."""
        row = self._db.execute("SELECT content FROM files WHERE id = ?", (file_id,)).fetchone()
        return bytes(row[0]) if row else None

    def close(self) -> None:
        """Write what is left and let go of the file."""
        self.flush()
        self._db.close()

    def _open(self, path: Path | None) -> None:
        # The server's thread is not always the one that builds the application.
        self._db = sqlite3.connect(path or ":memory:", timeout=2.0, check_same_thread=False)
        try:
            # Exclusive: a second simulator on the same file would overwrite what this one knows.
            self._db.execute("PRAGMA locking_mode=EXCLUSIVE")
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=NORMAL")
            self._db.executescript(_TABLES)
            self._load()
        except sqlite3.OperationalError as error:
            self._db.close()
            raise StateError(
                f"cannot use {path}: {error}; end the other simulator on this file, or choose another --state"
            ) from None
        except sqlite3.DatabaseError as error:
            self._db.close()
            raise StateError(
                f"{path} is not a state file of this simulator: {error}; choose another"
            ) from None

    def _load(self) -> None:
        meta = dict(self._db.execute("SELECT key, value FROM meta").fetchall())
        if meta.get("format", _FORMAT) != _FORMAT:
            raise StateError(
                f"{self._path} was written by another version; delete it or choose another --state"
            )
        if int(meta.get("seed", self.seed)) != self.seed:
            raise StateError(
                f"{self._path} was made with seed {meta['seed']}; start with --seed {meta['seed']}, "
                "or choose another --state"
            )
        self._counter = int(meta.get("counter", 0))
        self._starts = int(meta.get("starts", 0)) + 1
        for body, place in self._db.execute("SELECT body, place FROM objects ORDER BY place"):
            record = json.loads(body)
            self._index(record)
            self._places[record["id"]] = place
        self._sort_children()
        facts = {"format": _FORMAT, "seed": str(self.seed), "starts": str(self._starts)}
        with self._db:
            self._db.executemany("INSERT OR REPLACE INTO meta VALUES (?, ?)", facts.items())

    def _index(self, record: Json) -> None:
        self.objects[record["id"]] = record
        if owner := record.get("belongs_to"):
            self._members[record["object"], owner].append(record["id"])

    def _sort_children(self) -> None:
        for record in self.objects.values():
            if "rank" in record and not record["in_trash"]:
                self._children.setdefault(parent_id(record), []).append(record["id"])
        for siblings in self._children.values():
            siblings.sort(key=lambda one: float(self.objects[one]["rank"]))

    def _make_root(self) -> None:
        text = {"content": "Workspace", "link": None}
        annotations = dict.fromkeys(("bold", "italic", "strikethrough", "underline", "code"), False)
        title = {
            "type": "text",
            "text": text,
            "annotations": annotations | {"color": "default"},
            "plain_text": "Workspace",
            "href": None,
        }
        self.add(
            {
                "object": "page",
                "id": self.root_id,
                "parent": {"type": "workspace", "workspace": True},
                "icon": None,
                "cover": None,
                "is_locked": False,
                "values": {"title": [title]},
            },
            by=self.person_id,
        )
        self.flush()


def parent_id(record: Json) -> str:
    """Id of the parent; empty for the workspace."""
    parent = record["parent"]
    value = parent[parent["type"]]
    return value if isinstance(value, str) else ""


def _uuid(name: str, version: int) -> str:
    digest = bytearray(hashlib.sha256(name.encode()).digest()[:16])
    digest[6] = (digest[6] & 0x0F) | (version << 4)
    digest[8] = (digest[8] & 0x3F) | 0x80
    return str(UUID(bytes=bytes(digest)))
