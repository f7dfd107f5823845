"""Every Celery setting, each with its reason. `worker.app` adds the addresses, as it finds the servers."""

from __future__ import annotations

from kombu.entity import Queue as KombuQueue

from schedules.beat import BEAT_SCHEDULE
from worker.errors import SettingsError
from worker.queues import ROUTES, Queue
from worker.settings import get_settings

try:
    _settings = get_settings()
except SettingsError as error:
    # This is read by the `celery` command, which would show a traceback.
    raise SystemExit(str(error)) from None
_PREFIX = _settings.redis_key_prefix

# -- Tasks ------------------------------------------------------------------------------------------------

# A message is acknowledged when the task is done, so that a killed worker's task comes back.
task_acks_late = True
# Without it a task whose child was killed is acknowledged as failed and never runs again.
task_reject_on_worker_lost = True
# A task that kills its child every time is retried a few times and not requeued without end …
task_retry_on_worker_lost = True
# … this many times. The row's own attempts end the work; this bound ends the message.
task_annotations = {"*": {"max_retries": 5, "default_retry_delay": 10}}
# The visibility timeout depends on there being an end. Slices renew their leases, so a long one is fine.
task_soft_time_limit = 900
task_time_limit = 960
# Outcomes live in PostgreSQL; storing results costs a millisecond a task and blocks when Redis is away.
task_ignore_result = True
# Feeds Flower with what is sent, not only with what is received.
task_send_sent_event = True
# Names are written in the tasks, so that moving a module breaks no message that is on its way.
task_create_missing_queues = False
task_default_queue = Queue.CONTROL.value
# With the default key, a message to the exchange would go to all four.
task_queues = [KombuQueue(queue.value, routing_key=queue.value) for queue in Queue]
task_routes = ROUTES

# -- Worker -----------------------------------------------------------------------------------------------

# One message a child: tasks are long, and a message that waits in a busy worker could run elsewhere.
worker_prefetch_multiplier = 1
# On SIGTERM running tasks have this many seconds to finish, the rest goes back to the queue. The Procfile
# sets REMAP_SIGTERM=SIGQUIT, which makes SIGTERM mean this.
worker_soft_shutdown_timeout = 30
# True loses every running late-acknowledged task when Redis is killed.
worker_cancel_long_running_tasks_on_connection_loss = False
# A slow leak ends with its child; the memory bound (KiB) is about three times a child's usual size.
worker_max_tasks_per_child = 1000
worker_max_memory_per_child = 600_000
worker_send_task_events = True
# Our own format, with redaction, is set up by worker.app.
worker_hijack_root_logger = False
worker_redirect_stdouts = False

# -- Broker -----------------------------------------------------------------------------------------------

broker_connection_retry_on_startup = True
# None: a worker waits for Redis for as long as it takes, and needs no restart afterwards.
broker_connection_max_retries = None
broker_transport_options = {
    # Twice the hard time limit: a shorter one delivers a running task again, several times.
    "visibility_timeout": 2 * task_time_limit,
    # Look for messages of dead workers every five seconds, at every look: they come back in half the time.
    "unacked_restore_interval": 5,
    "unacked_restore_throttle": 1,
    # A half-open connection would hang a publish for ever.
    "socket_timeout": 30,
    "socket_connect_timeout": 5,
    "socket_keepalive": True,
    "health_check_interval": 25,
    "global_keyprefix": _PREFIX,
}

# -- Results ----------------------------------------------------------------------------------------------

# Only chords and explicit requests store results; where they do, an outage of Redis must not turn done work
# into a failure, nor block for ever.
result_backend_always_retry = True
result_backend_max_retries = 10
result_backend_transport_options = {"global_keyprefix": _PREFIX}
result_expires = 3600

# -- Messages ---------------------------------------------------------------------------------------------

# JSON only: a message can never be code.
task_serializer = "json"
result_serializer = "json"
accept_content = ["json"]
timezone = "UTC"
enable_utc = True

# -- Beat -------------------------------------------------------------------------------------------------

beat_schedule = BEAT_SCHEDULE
beat_scheduler = "worker.beat:Scheduler"
# With the lock below, a second beat takes over in under half a minute (the defaults take half an hour).
beat_max_loop_interval = 5
redbeat_lock_timeout = 25
redbeat_key_prefix = f"{_PREFIX}redbeat:"
redbeat_lock_key = f"{_PREFIX}redbeat::lock"
