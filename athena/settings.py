"""Athena's settings, each read from the environment (see `.env.example` and `docs/operations.md`).

With nothing set, Athena runs embedded: SQLite, a broker in files and mail as files, all under `var/`.
"""

import os
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from csp.constants import NONE, SELF

from athena.config import environment
from athena.runtime import logs

BASE_DIR = Path(__file__).resolve().parent.parent
environment.read_file(Path(os.environ.get("ENV_FILE", BASE_DIR / ".env")), required="ENV_FILE" in os.environ)

os.umask(0o077)  # what Athena writes is for its own account alone
VAR_DIR = environment.folder("VAR_DIR", BASE_DIR / "var")
DEBUG = environment.flag("DEBUG")
DEMO = environment.flag("DEMO")
_KEYS = VAR_DIR if environment.flag("GENERATE_KEYS", default=True) else None
SECRET_KEY = environment.secret("SECRET_KEY", kept_in=_KEYS)
JWT_SIGNING_KEY = environment.secret("JWT_SIGNING_KEY", kept_in=_KEYS)
METRICS_TOKEN = environment.secret("METRICS_TOKEN", kept_in=_KEYS)
METRICS_DIR = VAR_DIR.resolve() / "metrics"  # where web processes that share this machine add their figures up
BASE_URL = environment.base_url("BASE_URL", f"http://localhost:{environment.number('PORT', 8080, most=65_535)}")
_TLS = BASE_URL.startswith("https://")
_OWN_HOSTS = [urlsplit(BASE_URL).hostname, "localhost", "127.0.0.1", "[::1]"]
ALLOWED_HOSTS = [*_OWN_HOSTS, *environment.hosts("ALLOWED_HOSTS")]
CSRF_TRUSTED_ORIGINS = environment.origins("CSRF_TRUSTED_ORIGINS")
TRUSTED_HOPS = environment.number("TRUSTED_HOPS", 0, least=0, most=10)
REDIS_URL = environment.broker("REDIS_URL")
TICK_SECONDS = environment.number("TICK_SECONDS", 60, most=3600)

INSTALLED_APPS = [
    "athena",
    "athena.accounts",
    "notifications",
    "sales",
    "athena.apps.AdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.forms",
    "django_celery_beat",
    "django_filters",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
]

MIDDLEWARE = [
    "athena.runtime.telemetry.requests",
    "athena.http.middleware.no_store",
    "athena.http.middleware.trusted_scheme",
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "athena.http.middleware.optional_slash",
    "athena.http.middleware.BodyLimit",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "athena.http.middleware.local_time",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "athena.http.error_pages.fill_bare_errors",
    "athena.http.drafts.report_saved",
]

ROOT_URLCONF = "athena.urls"
WSGI_APPLICATION = "athena.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
            "builtins": ["athena.templatetags.formatting"],
        },
    }
]
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"  # widgets, too, may have a template of ours

# Database: PostgreSQL decides the design; SQLite makes the first run need nothing.
DATABASES: dict[str, Any] = {"default": environment.database("DATABASE_URL", VAR_DIR / "athena.sqlite3")}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    DATABASES["default"] |= {
        "ENGINE": "athena.db.sqlite3",
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
        },
        "TEST": {"NAME": VAR_DIR / "test.sqlite3"},
    }
else:
    DATABASES["default"] |= {
        "CONN_MAX_AGE": environment.number("CONN_MAX_AGE", 60, least=0),
        "CONN_HEALTH_CHECKS": True,
    }
    DATABASES["default"].setdefault("OPTIONS", {})["connect_timeout"] = 5
    # Compiling a query takes longer than all that pages ask; names less alike are no matter (sales/queries).
    DATABASES["default"]["OPTIONS"].setdefault("options", "-c jit=off -c pg_trgm.similarity_threshold=0.6")
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Accounts
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["athena.accounts.backends.RoleBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
LOGIN_URL, LOGIN_REDIRECT_URL = "admin:login", "admin:index"
SESSION_COOKIE_AGE = 12 * 3600
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "athena.http.error_pages.csrf_failure"
X_FRAME_OPTIONS = "DENY"

# Nothing but our own files, and nothing inline, in any page. What a page needs beyond that, it says itself.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}

# Behind TLS (any BASE_URL with https) cookies are for TLS alone and browsers are told to stay on it.
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = _TLS
SECURE_HSTS_SECONDS = 31_536_000 if _TLS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = _TLS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if TRUSTED_HOPS else None
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^metrics$"]  # asked from the inside

# Language and time: UTC in the database; people have a zone of their own.
LANGUAGE_CODE = "en-us"
USE_I18N = True
FORMAT_MODULE_PATH = "athena.formats"
USE_TZ = True
TIME_ZONE = "UTC"
COMPANY_TIME_ZONE = environment.zone("COMPANY_TIME_ZONE", "America/New_York")
PHONE_REGION = environment.region("PHONE_REGION", "US")
HOT_SCORE = environment.number("HOT_SCORE", 50, most=100)
HOLIDAYS_COUNTRY = environment.holidays_country("HOLIDAYS_COUNTRY", "US")
HOLIDAYS_REGION = environment.holidays_region("HOLIDAYS_REGION", HOLIDAYS_COUNTRY)
DIGEST_DAYS_AHEAD = environment.number("DIGEST_DAYS_AHEAD", 7, most=60)
ESCALATE_OVERDUE_DAYS = environment.number("ESCALATE_OVERDUE_DAYS", 2, least=0, most=60)
ESCALATE_HOT_HOURS = environment.number("ESCALATE_HOT_HOURS", 4, least=0, most=720)
ESCALATE_UNOWNED_HOURS = environment.number("ESCALATE_UNOWNED_HOURS", 4, least=0, most=720)
CALL_AGAIN_FROM_MONTHS = environment.number("CALL_AGAIN_FROM_MONTHS", 6, least=0, most=11)
CALL_AGAIN_TO_MONTHS = environment.number("CALL_AGAIN_TO_MONTHS", 9, least=CALL_AGAIN_FROM_MONTHS + 1, most=12)
CALL_AGAIN_BY_ITSELF = environment.flag("CALL_AGAIN_BY_ITSELF")

STATIC_URL = "static/"
STATIC_ROOT = VAR_DIR / "static"
STATIC_ROOT.mkdir(exist_ok=True)
FILE_UPLOAD_PERMISSIONS, FILE_UPLOAD_DIRECTORY_PERMISSIONS = 0o600, 0o700
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

# Mail: files under var/mail; by EMAIL_URL a server (smtp://, smtp+tls://, smtp+ssl://) or a provider (postmark://?…).
MAIL_DIR = VAR_DIR / "mail"
EMAIL_BACKEND = "notifications.channels.eml.EmailBackend"
EMAIL_TIMEOUT = environment.number("EMAIL_TIMEOUT", 30, most=600)
ANYMAIL: dict[str, Any] = {}
vars().update(environment.mail_server("EMAIL_URL"))
ANYMAIL |= {"REQUESTS_TIMEOUT": EMAIL_TIMEOUT}
DEFAULT_FROM_EMAIL = environment.mailbox("DEFAULT_FROM_EMAIL", "Athena <athena@localhost>")
DELIVERY_LEASE_SECONDS = environment.number("DELIVERY_LEASE_SECONDS", 100, most=86_400)

# API
REST_FRAMEWORK: dict[str, Any] = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "athena.accounts.api.authentication.BearerAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_THROTTLE_CLASSES": ["athena.api.throttles.UserThrottle"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_PARSER_CLASSES": ["athena.api.parsers.StrictJSONParser"],
    "DEFAULT_RENDERER_CLASSES": [
        "athena.api.renderers.JSONRenderer",
        "rest_framework.renderers.BrowsableAPIRenderer",
    ],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "athena.api.renderers.Negotiation",
    "DEFAULT_FILTER_BACKENDS": ["athena.api.filters.StrictFilterBackend"],
    "DEFAULT_PAGINATION_CLASS": "athena.api.pagination.KeysetPagination",
    "DEFAULT_SCHEMA_CLASS": "athena.config.api_schema.Schema",
    "EXCEPTION_HANDLER": "athena.config.api_errors.handle",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
    "DEFAULT_METADATA_CLASS": None,
    "URL_FORMAT_OVERRIDE": None,
    "COERCE_DECIMAL_TO_STRING": False,
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
# How many requests are taken: of an address on routes without a login, and of a user on all others. Counting users
# costs a write a request where there is no Redis, so there it has to be asked for.
THROTTLES = {
    "public": environment.rate("THROTTLE_PUBLIC", "300/minute"),
    "intake": environment.rate("THROTTLE_INTAKE", "60/minute"),
    "user": environment.rate("THROTTLE_USER", "1800/minute" if REDIS_URL else "none"),
}
API_LOGIN_LIFETIME = timedelta(days=environment.number("API_LOGIN_DAYS", 30, most=3650))
SIMPLE_JWT = {
    "ACCESS_TOKEN_LIFETIME": timedelta(minutes=10),
    "REFRESH_TOKEN_LIFETIME": timedelta(hours=12),
    "SIGNING_KEY": JWT_SIGNING_KEY,
    "AUDIENCE": "athena",
    "ISSUER": "athena",
    "UPDATE_LAST_LOGIN": False,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Athena",
    "DESCRIPTION": "Sales and lead management of a charter-bus company.",
    "VERSION": "1",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "SERVE_PERMISSIONS": ["rest_framework.permissions.IsAuthenticated"],
    "GET_LIB_DOC_EXCLUDES": "athena.config.api_schema.undescribed",
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "athena.config.api_schema.without_null_enum",
    ],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "ENUM_NAME_OVERRIDES": {
        "LeadStatus": "sales.models.Lead.Status",
        "FollowUpType": "sales.models.FollowUp.Type",
        "ActivityType": "sales.models.Activity.Type",
        "RuleOperator": "sales.models.LeadScoringRule.Operator",
        "NotificationKind": "notifications.api.KINDS",
        "Channel": "notifications.api.CHANNELS",
        "StoryKind": "sales.api.leads.timeline.KINDS",
    },
}

# Celery: it only wakes work. Publishing waits two seconds at most.
CELERY_BROKER_URL = REDIS_URL or "localhost"
CELERY_BROKER_TRANSPORT = None if REDIS_URL else "athena.runtime.filesystem_broker:Transport"
_SPOOL = VAR_DIR / "broker"
CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, Any] = (
    {"socket_timeout": 2, "socket_connect_timeout": 2, "retry_on_timeout": False, "max_retries": 0}
    if REDIS_URL
    else {
        "data_folder_in": str(_SPOOL / "queue"),
        "data_folder_out": str(_SPOOL / "queue"),
        "control_folder": str(_SPOOL / "control"),
        "polling_interval": 0.2,
    }
)
if not REDIS_URL:
    for _folder in ("queue", "control"):
        (_SPOOL / _folder).mkdir(parents=True, exist_ok=True)
CELERY_BROKER_CONNECTION_TIMEOUT = 2
# Worker and beat outlive a restart of the broker (publishing never waits for it); a wrong REDIS_URL is said at once.
CELERY_BROKER_CONNECTION_RETRY = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = False
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULER = "django_celery_beat.schedulers:DatabaseScheduler"
CELERY_BEAT_MAX_LOOP_INTERVAL = 5
CELERY_BEAT_SYNC_EVERY = 1
DJANGO_CELERY_BEAT_TZ_AWARE = True

# Logs: see `athena.runtime.logs`.
LOG_LEVEL = environment.one_of("LOG_LEVEL", "INFO", ("DEBUG", "INFO", "WARNING", "ERROR"))
LOGGING = logs.configure(LOG_LEVEL, pretty=DEBUG)
