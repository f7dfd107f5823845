"""Endpoints of file uploads: create, send the bytes, retrieve, list."""

from datetime import datetime, timedelta

from simulator.notion import limits
from simulator.notion.checks import MISSING, Json, a_string, one_of, only_keys, wrong
from simulator.notion.errors import invalid
from simulator.notion.gate import Call
from simulator.notion.lookup import find
from simulator.notion.paging import one_page
from simulator.notion.uploads import upload_status

_STATUSES = ("pending", "uploaded", "expired", "failed")


def create_upload(call: Call) -> Json:
    """``POST /v1/file_uploads``: files in one part only, as on the free plan."""
    body, store = call.body, call.store
    only_keys(body, "body", ("mode", "filename", "content_type", "number_of_parts", "external_url"))
    mode = one_of(body.get("mode", "single_part"), "body.mode", ("single_part", "multi_part", "external_url"))
    if mode != "single_part":
        raise invalid(f"body.mode: {mode} uploads are not part of this workspace's plan; use `single_part`.")
    for key in ("number_of_parts", "external_url"):
        if key in body:
            raise wrong(f"body.{key}", "not present", body[key])
    name = a_string(body.get("filename", "Untitled"), "body.filename")
    if len(name.encode()) > limits.FILE_NAME_BYTES:
        raise wrong("body.filename", f"at most `{limits.FILE_NAME_BYTES}` bytes", name)
    kind = body.get("content_type")
    if kind is not None and "/" not in a_string(kind, "body.content_type"):
        raise wrong("body.content_type", "a MIME type", kind)
    expires = datetime.fromisoformat(store.stamp()) + timedelta(seconds=call.settings.upload_seconds)
    upload = store.add(
        {
            "object": "file_upload",
            "status": "pending",
            "filename": name,
            "content_type": kind,
            "content_length": None,
            "attached": False,
            "expires": expires.isoformat(timespec="microseconds"),
        }
    )
    return call.shapes.file_upload(upload)


def send_upload(call: Call) -> Json:
    """``POST /v1/file_uploads/{file_upload_id}/send``: multipart form with the part ``file``."""
    store = call.store
    upload = find(store, "file_upload", call.path_id("file_upload_id"))
    part = call.body.get("file", MISSING)
    if not isinstance(part, tuple):
        raise wrong("body.file", "defined", MISSING)
    _, kind, content = part
    status = upload_status(upload, store)
    if status != "pending":
        raise invalid(f"File upload {upload['id']} has status `{status}`; only a `pending` one takes bytes.")
    if "part_number" in call.body:
        raise wrong("body.part_number", "not present", call.body["part_number"])
    limit = call.settings.upload_limit_bytes
    if len(content) > limit:
        raise invalid(f"The file is larger than this workspace's limit of {limit} bytes.")
    if not content:
        raise invalid("The file is empty.")
    declared = upload["content_type"]
    if declared is not None and kind.split(";")[0].strip() != declared:
        raise invalid(
            f"The part's content type `{kind}` is not the one the upload was created with, `{declared}`."
        )
    store.write_file(upload["id"], content)
    upload |= {"status": "uploaded", "content_type": declared or kind, "content_length": len(content)}
    store.touch(upload)
    return call.shapes.file_upload(upload)


def retrieve_upload(call: Call) -> Json:
    """``GET /v1/file_uploads/{file_upload_id}``"""
    return call.shapes.file_upload(find(call.store, "file_upload", call.path_id("file_upload_id")))


def list_uploads(call: Call) -> Json:
    """``GET /v1/file_uploads``, newest first"""
    uploads = list(call.store.of_kind("file_upload"))[::-1]
    if "status" in call.query:
        wanted = one_of(call.query["status"], "query.status", _STATUSES)
        uploads = [one for one in uploads if upload_status(one, call.store) == wanted]
    return one_page(uploads, call.query, "query", "file_upload", call.shapes.file_upload)
