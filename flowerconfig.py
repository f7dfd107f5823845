"""Flower's options; `celery -A worker.app flower` reads this file where it is started."""

from __future__ import annotations

import hashlib
import secrets

from worker.errors import SettingsError
from worker.settings import get_settings

try:
    _settings = get_settings()
except SettingsError as error:
    # This is read by the `celery` command, which would show a traceback.
    raise SystemExit(str(error)) from None
_auth = _settings.flower_basic_auth.get_secret_value()
_key = _settings.secret_key.get_secret_value()

port = _settings.flower_port
# Without a password nobody but this machine may look.
address = "" if _auth else "127.0.0.1"
basic_auth = [_auth] if _auth else []
# Nothing can be stopped or changed from the page.
read_only = True
# Fixed, so that a restart does not sign everybody out; derived, so that it is not the key itself.
cookie_secret = hashlib.sha256(f"flower:{_key}".encode()).hexdigest() if _key else secrets.token_urlsafe(64)
# The history survives a restart; saved once a minute (milliseconds).
_settings.adtempo_data_dir.mkdir(parents=True, exist_ok=True)
persistent = True
db = str(_settings.adtempo_data_dir / "flower")
state_save_interval = 60_000
max_tasks = 10_000
tasks_columns = "name,uuid,state,args,kwargs,result,received,runtime,worker"
