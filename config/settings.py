"""Django's and Celery's settings. Every value comes from the environment; docs/settings.md lists what is read."""

import os
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

from config import addresses, doors, judge, local, mail, spectacular, storage
from config.env import Environment
from config.logs import levels_of_others
from config.messages import *  # noqa: F403 (constants that no variable changes)

BASE_DIR = local.BASE_DIR
ENV = Environment(os.environ)

# --- who and where we are ---------------------------------------------------------------------------------------

DEBUG = ENV.flag("DEBUG", about="Show errors in full and open what is closed outside development. Never on a server.")
ZAPS_DATA_DIR = Path(
    ENV.text(
        "ZAPS_DATA_DIR",
        str(local.default_data_dir()),
        about="Where the embedded servers, the local media and the local secret key live.",
        shown="`.zaps` beside the code",
    )
)
ZAP_PUBLIC_URL = ENV.url(
    "ZAP_PUBLIC_URL",
    schemes=("http", "https"),
    about="The address that callers know this service by; it begins the status, asset and callback addresses.",
    shown="none: addresses are paths",
)
ALLOWED_HOSTS = ENV.words(
    "ALLOWED_HOSTS",
    ",".join(["localhost", "127.0.0.1", "[::1]", *filter(None, [urlsplit(ZAP_PUBLIC_URL).hostname])]),
    about="Host names that requests may use.",
    shown="this machine, and the host of ZAP_PUBLIC_URL",
)
_database_url = ENV.secret(
    "DATABASE_URL",
    about="PostgreSQL: `postgresql://user:password@host:5432/name`, or `postgresql:///name?host=/folder/of/the/socket`.",
    shown="an embedded server",
)
_redis_url = ENV.secret(
    "REDIS_URL",
    about="Redis or Valkey: `redis://host:6379/0`, `rediss://…`, or `unix:///path/of/the/socket`.",
    shown="an embedded server",
)
SECRET_KEY = ENV.secret(
    "SECRET_KEY",
    about="Signs sessions and links. Keep it; changing it logs everybody out.",
    at_least=32,
    shown="made once in the data folder where DATABASE_URL is unset or DEBUG is on; else needed",
)
ZAP_SECRET_KEYS = ENV.fernet_keys(
    "ZAP_SECRET_KEYS",
    about="Encrypt the providers' keys that callers store: the first encrypts, all of them decrypt. Keep them apart "
    "from SECRET_KEY and from the database's backups; see [operating](operating.md#keys).",
    shown="made once in the data folder where DATABASE_URL is unset or DEBUG is on; else no key can be stored",
)
ZAP_OPERATOR_KEYS_FOR = ENV.text(
    "ZAP_OPERATOR_KEYS_FOR",
    "everyone" if DEBUG or not _database_url else "staff",
    choices=("staff", "allowed", "everyone"),
    about="Whose live runs may spend the operator's own keys where the caller has none: `staff`; `allowed`, staff and "
    "whoever the admin names; or `everyone` who is logged in.",
    shown="everyone where DATABASE_URL is unset or DEBUG is on; else staff",
)
ZAP_SECRET_LOG_DAYS = ENV.number(
    "ZAP_SECRET_LOG_DAYS", 90, at_least=1, at_most=3650, about="How long it is kept who used which key, and why."
)
ZAP_LOG_LEVEL = ENV.text(
    "ZAP_LOG_LEVEL", "INFO", choices=("DEBUG", "INFO", "WARNING", "ERROR"), about="The least level that is logged."
)
_db_pool = ENV.number(
    "ZAP_DB_POOL",
    0,
    at_most=1000,
    about="Connections that one process pools; 0 keeps one a thread. The ASGI server sets 16 for itself.",
)
STORAGES = {
    "default": storage.read(ENV, default=(ZAPS_DATA_DIR.resolve() / "media").as_uri()),
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}

_doors = doors.read(ENV)
ZAP_CALLS_PER_MINUTE = _doors.calls_per_minute
ZAP_OPEN_CALLS_PER_MINUTE = _doors.open_calls_per_minute
ZAP_LOGINS_PER_MINUTE = _doors.logins_per_minute
ZAP_STREAMS_PER_CALLER = _doors.streams_per_caller

# --- what we run ------------------------------------------------------------------------------------------------

ZAP_PROVIDER = ENV.text(
    "ZAP_PROVIDER",
    about="Forces one provider for every step. `mock` needs no key and costs nothing, even beside `mode: live`.",
    shown="none: each step's own",
)
ZAP_POLL_DRAIN_URL = ENV.url(
    "ZAP_POLL_DRAIN_URL",
    schemes=("http", "https"),
    about="Where set, beat and `zap drain` POST here instead of draining in a worker.",
    shown="none",
)
ZAP_POLL_DRAIN_SECRET = ENV.secret(
    "ZAP_POLL_DRAIN_SECRET",
    about="Opens POST /api/providers/poll/drain. Unset, that address is closed outside DEBUG.",
    shown="none",
)
ZAP_METRICS_TOKEN = ENV.secret(
    "ZAP_METRICS_TOKEN",
    about="Opens GET /metrics, as a bearer token. Unset, that address is closed outside DEBUG.",
    shown="none",
)
ZAP_FLOWS_SECRET = ENV.secret(
    "ZAP_FLOWS_SECRET",
    about="Whoever signs a body with it may send events to flows. Unset, senders need an API key.",
    shown="none",
)
FLOWS_POLICY = "config.flows.Policy"
FLOWS_RETENTION_DAYS = ENV.number(
    "ZAP_FLOWS_RETENTION_DAYS",
    0,
    at_least=0,
    at_most=36_500,
    about="How many days after the end of its last run an event of flows is deleted, with its runs and their output; "
    "sent again, it is new then. 0: never.",
)
ZAP_FLOW_EVENTS = ENV.text(
    "ZAP_FLOW_EVENTS",
    "none",
    choices=("none", "staff", "everyone"),
    about="Whose runs flows are told of when they have ended: nobody's, those of staff, or `everyone`'s, runs that "
    "nobody owns too. See [runs and flows](how-to/join-runs-and-flows.md).",
)
ZAP_ALLOW_LOOPBACK = ENV.flag(
    "ZAP_ALLOW_LOOPBACK",
    about="Lets provider addresses on 127.0.0.1, and the media they serve, through the download guard: "
    "for `zap emulator`.",
)
ZAP_WEBHOOKS = ENV.flag(
    "ZAP_WEBHOOKS",
    True,
    about="Lets providers call us when a job has ended, below ZAP_PUBLIC_URL. That must be https or, with "
    "ZAP_ALLOW_LOOPBACK, on this machine. Without it, and until they call, jobs are polled.",
)
ZAP_OPEN_MODES = ENV.words(
    "ZAP_OPEN_MODES",
    "plan,mock" if DEBUG else "",
    about="What callers without a login may run: `plan`, `mock` or both. `live` always needs a login.",
    shown="plan,mock in DEBUG; else none",
)
ZAP_DRAIN_WINDOW_S = ENV.number(
    "ZAP_DRAIN_WINDOW_S", 5, at_least=1, at_most=60, about="How long one cycle of the drain looks for due work."
)
ZAP_SUBMIT_LEASE_S = ENV.number(
    "ZAP_SUBMIT_LEASE_S",
    90,
    at_least=1,
    at_most=3600,
    about="A submission that is silent for this long counts as unknown. More than the provider's time-out plus 30 s.",
)
ZAP_POLL_LEASE_S = ENV.number(
    "ZAP_POLL_LEASE_S",
    30,
    at_least=1,
    at_most=3600,
    about="How long a poller may hold a job; a poll times out at 10 s.",
)
ZAP_WORK_LEASE_S = ENV.number(
    "ZAP_WORK_LEASE_S",
    60,
    at_least=1,
    at_most=3600,
    about="How long a download or render may be silent before somebody else takes it over.",
)
ZAP_POLL_CAP_S = ENV.number(
    "ZAP_POLL_CAP_S", 15, at_least=1, at_most=600, about="The longest pause between two polls of a job."
)
ZAP_OWNER_CAP_USD = ENV.money("ZAP_OWNER_CAP_USD", about="What one owner's live runs may cost in all. Unset: no limit.")
ZAP_OWNER_DAY_CAP_USD = ENV.money(
    "ZAP_OWNER_DAY_CAP_USD", about="What one owner's live runs may cost on one UTC day. Unset: no limit."
)
ZAP_DAY_CAP_USD = ENV.money(
    "ZAP_DAY_CAP_USD", about="What all live runs together may cost on one UTC day. Unset: no limit."
)
ZAP_GATE_TIMEOUT_S = ENV.number(
    "ZAP_GATE_TIMEOUT_S", 0, about="After how long a gate whose recipe names no time decides by itself. 0: never."
)
ZAP_BREAKER_FAILURES = ENV.number(
    "ZAP_BREAKER_FAILURES",
    5,
    at_least=1,
    at_most=1000,
    about="A provider's model that fails this often in a row is paused.",
)
ZAP_BREAKER_PAUSE_S = ENV.number(
    "ZAP_BREAKER_PAUSE_S",
    60,
    at_least=1,
    at_most=3600,
    about="How long the first pause is; each further one is twice as long, up to an hour.",
)
ZAP_RETENTION_DAYS = ENV.number(
    "ZAP_RETENTION_DAYS",
    0,
    at_least=0,
    at_most=36_500,
    about="How many days after its end a run is deleted, whoever owns it; owners may choose fewer. 0: never.",
)
ZAP_CRON_LOG_DAYS = ENV.number(
    "ZAP_CRON_LOG_DAYS",
    14,
    at_least=1,
    at_most=3650,
    about="How long the logs of the drain's cycles and of flows' sweeps are kept.",
)
FLOWS_SWEEP_LOG_DAYS = ZAP_CRON_LOG_DAYS

# --- what goes out ----------------------------------------------------------------------------------------------

ZAP_WEBHOOK_ORIGINS = ENV.words(
    "ZAP_WEBHOOK_ORIGINS",
    about="Origins, like `http://10.0.0.5:9000`, that webhooks may be sent to besides public ones over https.",
    shown="none",
)
ZAP_DELIVERY_LOG_DAYS = ENV.number(
    "ZAP_DELIVERY_LOG_DAYS", 30, at_least=1, at_most=3650, about="How long it is kept what was told to whom."
)
_mail = mail.read(ENV, debug=DEBUG)
ZAP_MAIL_ON, ZAP_MAIL_FROM, EMAIL_BACKEND = _mail.is_on, _mail.sender, _mail.backend
EMAIL_HOST, EMAIL_PORT, EMAIL_TIMEOUT = _mail.host, _mail.port, 10
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = _mail.user, _mail.password
EMAIL_USE_TLS, EMAIL_USE_SSL = _mail.use_tls, _mail.use_ssl

# --- who judges -------------------------------------------------------------------------------------------------

_judge = judge.read(ENV)
ZAP_JUDGE_URL, ZAP_JUDGE_MODEL, ZAP_JUDGE_KEY = _judge.url, _judge.model, _judge.key
ZAP_JUDGE_USD, ZAP_JUDGE_TIMEOUT_S = _judge.usd, _judge.timeout_s
ZAP_JUDGE_USD_PER_MTOK_IN, ZAP_JUDGE_USD_PER_MTOK_OUT = _judge.usd_per_mtok_in, _judge.usd_per_mtok_out

# providers.download, which knows no Django, reads these itself; here they are checked before anything starts.
for _kind, _default_mb in (("IMAGE", 30), ("AUDIO", 50), ("VIDEO", 500)):
    ENV.number(
        f"ZAP_MAX_{_kind}_MB", _default_mb, at_least=1, about=f"The largest {_kind.lower()} taken from a provider."
    )
ENV.number("ZAP_DOWNLOAD_TIMEOUT_S", 600, at_least=1, about="How long one result may take to arrive.")

for _origin in ZAP_WEBHOOK_ORIGINS:
    if not doors.is_origin(_origin):
        ENV.refuse(f"ZAP_WEBHOOK_ORIGINS names {_origin!r}; an origin is like https://hooks.example.com.")
for _mode in set(ZAP_OPEN_MODES) - {"plan", "mock"}:
    ENV.refuse(f"ZAP_OPEN_MODES names {_mode!r}; it may hold plan and mock.")
if not SECRET_KEY and _database_url and not DEBUG:
    ENV.refuse(
        "SECRET_KEY is not set. Make one and keep it: python -c 'import secrets; print(secrets.token_urlsafe(48))'."
    )
if _redis_url and urlsplit(_redis_url).scheme not in ("redis", "rediss", "unix", "redis+socket"):
    ENV.refuse("REDIS_URL must begin with redis://, rediss:// or unix://.")
if _database_url and urlsplit(_database_url).scheme not in ("postgres", "postgresql"):
    ENV.refuse("DATABASE_URL must begin with postgresql://; no other database is supported.")
elif _database_url:
    try:
        addresses.database(_database_url)
    except ImproperlyConfigured as exc:
        ENV.refuse(str(exc))
ENV.check()

# --- the two servers --------------------------------------------------------------------------------------------

if not SECRET_KEY:
    SECRET_KEY = local.own_secret_key(ZAPS_DATA_DIR)
if not ZAP_SECRET_KEYS and (DEBUG or not _database_url):
    ZAP_SECRET_KEYS = [local.own_vault_key(ZAPS_DATA_DIR)]
_where = local.addresses(database_url=_database_url, redis_url=_redis_url, data=ZAPS_DATA_DIR)
REDIS_URL = addresses.redis_for_redis(_where.redis_url)

_database = addresses.database(_where.database_url)
_database["OPTIONS"] = {"connect_timeout": "5", "application_name": "zaps", **_database["OPTIONS"]}
# The engine says the same forty statements in every run: planned once a connection, they cost half.
_database["OPTIONS"] |= {"server_side_binding": True, "prepare_threshold": 2}
_database |= {"CONN_HEALTH_CHECKS": True, "CONN_MAX_AGE": 0 if _db_pool else 60}
if _db_pool:
    _database["OPTIONS"]["pool"] = {"min_size": 0, "max_size": _db_pool, "timeout": 5}
DATABASES: dict[str, Any] = {"default": _database}
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "zaps",
        "OPTIONS": {"socket_timeout": 2, "socket_connect_timeout": 1},
    }
}

# --- Django -----------------------------------------------------------------------------------------------------

DATA_UPLOAD_MAX_NUMBER_FIELDS = 2_000  # operators order something for a thousand rows, one field each
INSTALLED_APPS = [
    "config.apps.ConfigConfig",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django_celery_beat",
    "corsheaders",
    "rest_framework",
    "drf_spectacular",
    "accounts",
    "zaps",
    "runs",
    "flows",
    "notifications",
    "automations",
    "bridge",
    "web",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "config.middleware.no_referrer",
    "config.audit.staff_changes",
    "config.middleware.in_one_thread",
]
ROOT_URLCONF = "config.urls"
ASGI_APPLICATION = "config.asgi.application"
WSGI_APPLICATION = "config.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]
LANGUAGE_CODE = "en-us"
USE_I18N = False
USE_TZ = True
TIME_ZONE = "UTC"  # Django's own default is Chicago
STATIC_URL = "/static/"
LOGIN_URL, LOGIN_REDIRECT_URL, LOGOUT_REDIRECT_URL = "/sign-in", "/", "/"
WHITENOISE_USE_FINDERS = True  # serves the packages' own files: there is no collectstatic step
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = ZAP_PUBLIC_URL.startswith("https://")
SESSION_COOKIE_HTTPONLY = True
SECURE_CONTENT_TYPE_NOSNIFF = True
CSRF_TRUSTED_ORIGINS = [*_doors.cors_origins]
if ZAP_PUBLIC_URL:
    CSRF_TRUSTED_ORIGINS.append("{0.scheme}://{0.netloc}".format(urlsplit(ZAP_PUBLIC_URL)))
CORS_ALLOWED_ORIGINS = _doors.cors_origins
CORS_ALLOW_CREDENTIALS = True  # a session's cookie; it goes to pages of the same site only
CORS_URLS_REGEX = r"^/api/"
CORS_ALLOW_HEADERS, CORS_EXPOSE_HEADERS = doors.SENT, doors.SHOWN
AUTHENTICATION_BACKENDS = ["accounts.logins.PacedBackend"]
REST_FRAMEWORK = {
    "DEFAULT_PARSER_CLASSES": ["core.api.parsers.JsonObjectParser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "accounts.api.auth.BearerToken",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": [],
    "DEFAULT_THROTTLE_CLASSES": ["accounts.api.throttle.CallerRate"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_PAGINATION_CLASS": None,
    "EXCEPTION_HANDLER": "core.api.problems.handler",
}
SPECTACULAR_SETTINGS = spectacular.SETTINGS
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"()": "config.logs.OneLine"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": ZAP_LOG_LEVEL},
    # Django gives this one a handler of its own in DEBUG, which would print each line twice.
    "loggers": {
        **{name: {"handlers": [], "propagate": True} for name in ("django", "django.server")},
        **levels_of_others(ZAP_LOG_LEVEL),
    },
}

# --- Celery: a message is a hint, the database is the truth -----------------------------------------------------

CELERY_BROKER_URL = addresses.redis_for_celery(_where.redis_url)
CELERY_TIMEZONE = TIME_ZONE
CELERY_WORKER_CONCURRENCY = ENV.number(
    "ZAP_WORKER_THREADS", 8, at_least=1, at_most=200, about="Threads of a Celery worker; `-c` overrides it."
)
ENV.check()
