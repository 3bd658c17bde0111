"""How Celery is set up, whatever the environment says: a message is a hint, the database is the truth."""

from kombu import Queue

CELERY_TASK_SERIALIZER = CELERY_EVENT_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_RESULT_BACKEND = None
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_TIME_LIMIT, CELERY_TASK_SOFT_TIME_LIMIT = 120, 90  # threads know no limits: each call has its own time-out
CELERY_TASK_DEFAULT_QUEUE = "engine"
CELERY_TASK_QUEUES = [Queue("engine"), Queue("results"), Queue("media"), Queue("drain")]
CELERY_TASK_ROUTES = {
    "runs.poll_step": {"queue": "results"},
    "runs.settle_step": {"queue": "results"},
    "runs.render_step": {"queue": "media"},
    "runs.drain": {"queue": "drain"},
    "runs.*": {"queue": "engine"},
    "notifications.deliver": {"queue": "results"},
    "notifications.*": {"queue": "engine"},
    "automations.*": {"queue": "engine"},
    "bridge.*": {"queue": "engine"},
}
CELERY_TASK_PUBLISH_RETRY = False  # a lost bell costs seconds; a caller who waits for Redis costs a request
CELERY_WORKER_POOL = "threads"
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_ETA_TASK_LIMIT = 200
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = True
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = 10
CELERY_BROKER_CONNECTION_TIMEOUT = 1
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None  # a worker waits for Redis for as long as it takes
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 300,
    "unacked_restore_interval": 5,
    "unacked_restore_throttle": 1,
    "socket_connect_timeout": 1,
    "socket_timeout": 5,
    "socket_keepalive": True,
    "health_check_interval": 25,
    # How often a publisher tries to connect; without it kombu would try for ever.
    "max_retries": 0,
}
CELERY_BEAT_SCHEDULER = "django_celery_beat.schedulers:DatabaseScheduler"
CELERY_BEAT_MAX_LOOP_INTERVAL = 5
CELERY_BEAT_SYNC_EVERY = 1  # so that the admin and the health check see when an entry was last sent
DJANGO_CELERY_BEAT_TZ_AWARE = True
