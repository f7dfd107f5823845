"""Finding what a request names, and the refusals when it is not there or is something else."""

from simulator.notion.checks import Json
from simulator.notion.errors import ApiError, invalid
from simulator.notion.store import Store

INTEGRATION = "Local integration"
_WORDS = {
    "page": "page",
    "database": "database",
    "data_source": "data source",
    "block": "block",
    "view": "view",
    "comment": "comment",
    "file_upload": "file upload",
}


def not_found(store: Store, kind: str, object_id: str) -> ApiError:
    """HTTP 404 as the real service words it."""
    return ApiError(
        404,
        "object_not_found",
        f"Could not find {_WORDS[kind]} with ID: {object_id}. Make sure the relevant pages and databases are "
        f'shared with your integration "{INTEGRATION}".',
        additional_data={"integration_id": store.bot_id},
    )


def find(store: Store, kind: str, object_id: str) -> Json:
    """The object of that kind. Raises `ApiError`: 404, or 400 when the id is one of another kind."""
    found = store.objects.get(object_id)
    if found is None:
        raise not_found(store, kind, object_id)
    if found["object"] != kind:
        actual = _WORDS[found["object"]]
        raise invalid(
            f"Provided ID {object_id} is a {actual}, not a {_WORDS[kind]}. "
            f"Use the retrieve {actual} API instead."
        )
    return found


def find_in_tree(store: Store, object_id: str) -> Json:
    """A block, or a page or database in the place of one."""
    found = store.get(object_id, "block", "page", "database")
    if found is None:
        raise not_found(store, "block", object_id)
    return found
