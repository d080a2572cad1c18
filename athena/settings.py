"""Athena's settings, each read from the environment (see `.env.example` and `docs/operations.md`).

With no setting, Athena runs by itself: SQLite, a broker in files, and email written to files, all under `var/`.
"""

import os
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from csp.constants import NONE, SELF

from athena.config import environment
from athena.config.email_settings import read_email_settings
from athena.runtime import logs

BASE_DIR = Path(__file__).resolve().parent.parent
environment.read_file(Path(os.environ.get("ENV_FILE", BASE_DIR / ".env")), required="ENV_FILE" in os.environ)

os.umask(0o077)  # only Athena's own account may read the files that it writes
VAR_DIR = environment.folder("VAR_DIR", BASE_DIR / "var")
DEBUG = environment.flag("DEBUG")
DEMO = environment.flag("DEMO")
_KEYS = VAR_DIR if environment.flag("GENERATE_KEYS", default=True) else None
SECRET_KEY = environment.secret("SECRET_KEY", kept_in=_KEYS)
JWT_SIGNING_KEY = environment.secret("JWT_SIGNING_KEY", kept_in=_KEYS)
METRICS_TOKEN = environment.secret("METRICS_TOKEN", kept_in=_KEYS)
METRICS_DIR = VAR_DIR.resolve() / "metrics"  # the web processes of this machine share their counters here
BASE_URL = environment.base_url("BASE_URL", f"http://localhost:{environment.number('PORT', 8080, maximum=65_535)}")
_TLS = BASE_URL.startswith("https://")
_OWN_HOSTS = [urlsplit(BASE_URL).hostname, "localhost", "127.0.0.1", "[::1]"]
ALLOWED_HOSTS = [*_OWN_HOSTS, *environment.hosts("ALLOWED_HOSTS")]
CSRF_TRUSTED_ORIGINS = environment.origins("CSRF_TRUSTED_ORIGINS")
TRUSTED_HOPS = environment.number("TRUSTED_HOPS", 0, minimum=0, maximum=10)
REDIS_URL = environment.broker("REDIS_URL")
TICK_SECONDS = environment.number("TICK_SECONDS", 60, maximum=3600)

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
    "athena.runtime.telemetry.log_requests",
    "athena.http.middleware.forbid_caching",
    "athena.http.middleware.trust_forwarded_scheme",
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "athena.http.middleware.ignore_trailing_slash",
    "athena.http.body_limit.BodyLimit",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "athena.http.middleware.use_local_time",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "athena.http.error_pages.fill_empty_errors",
    "athena.http.drafts.report_saved_drafts",
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
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"  # so that our templates may replace those of widgets

# Database: the design is made for PostgreSQL; with SQLite the first run needs no server.
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
        "CONN_MAX_AGE": environment.number("CONN_MAX_AGE", 60, minimum=0),
        "CONN_HEALTH_CHECKS": True,
    }
    DATABASES["default"].setdefault("OPTIONS", {})["connect_timeout"] = 5
    # JIT costs more than it saves on our queries; the threshold is for sales/queries/leads/similar_names.py.
    DATABASES["default"]["OPTIONS"].setdefault("options", "-c jit=off -c pg_trgm.similarity_threshold=0.6")
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Accounts
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["athena.accounts.backends.RoleBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
LOGIN_URL, LOGIN_REDIRECT_URL = "admin:login", "admin:index"
SESSION_COOKIE_AGE = 12 * 3600
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "athena.http.error_pages.csrf_failure"
X_FRAME_OPTIONS = "DENY"

# Pages load only our own files, and nothing inline. A page that needs more extends the policy itself.
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

# With TLS (a BASE_URL with https) cookies are sent only over TLS, and browsers are told to keep using it.
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = _TLS
SECURE_HSTS_SECONDS = 31_536_000 if _TLS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = _TLS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if TRUSTED_HOPS else None
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^metrics$"]  # requested from inside the network, without TLS

# Language and time: the database holds UTC; each user has a time zone.
LANGUAGE_CODE = "en-us"
USE_I18N = True
FORMAT_MODULE_PATH = "athena.formats"
USE_TZ = True
TIME_ZONE = "UTC"
COMPANY_TIME_ZONE = environment.zone("COMPANY_TIME_ZONE", "America/New_York")
PHONE_REGION = environment.region("PHONE_REGION", "US")
HOT_SCORE = environment.number("HOT_SCORE", 50, maximum=100)
HOLIDAYS_COUNTRY = environment.holidays_country("HOLIDAYS_COUNTRY", "US")
HOLIDAYS_REGION = environment.holidays_region("HOLIDAYS_REGION", HOLIDAYS_COUNTRY)
DIGEST_DAYS_AHEAD = environment.number("DIGEST_DAYS_AHEAD", 7, maximum=60)
ESCALATE_OVERDUE_DAYS = environment.number("ESCALATE_OVERDUE_DAYS", 2, minimum=0, maximum=60)
ESCALATE_HOT_HOURS = environment.number("ESCALATE_HOT_HOURS", 4, minimum=0, maximum=720)
ESCALATE_UNOWNED_HOURS = environment.number("ESCALATE_UNOWNED_HOURS", 4, minimum=0, maximum=720)
CALL_AGAIN_FROM_MONTHS = environment.number("CALL_AGAIN_FROM_MONTHS", 6, minimum=0, maximum=11)
CALL_AGAIN_TO_MONTHS = environment.number("CALL_AGAIN_TO_MONTHS", 9, minimum=CALL_AGAIN_FROM_MONTHS + 1, maximum=12)
CALL_AGAIN_BY_ITSELF = environment.flag("CALL_AGAIN_BY_ITSELF")

STATIC_URL = "static/"
STATIC_ROOT = VAR_DIR / "static"
STATIC_ROOT.mkdir(exist_ok=True)
FILE_UPLOAD_PERMISSIONS, FILE_UPLOAD_DIRECTORY_PERMISSIONS = 0o600, 0o700
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

# Email: written to files under var/mail, unless EMAIL_URL names an SMTP server or a provider (postmark://?…).
MAIL_DIR = VAR_DIR / "mail"
EMAIL_TIMEOUT = environment.number("EMAIL_TIMEOUT", 30, maximum=600)
_EMAIL = read_email_settings("EMAIL_URL", default_backend="notifications.channels.eml.EmailBackend")
EMAIL_BACKEND = _EMAIL.backend
EMAIL_HOST, EMAIL_PORT = _EMAIL.host, _EMAIL.port
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = _EMAIL.user, _EMAIL.password
EMAIL_USE_TLS, EMAIL_USE_SSL = _EMAIL.use_tls, _EMAIL.use_ssl
ANYMAIL = {**_EMAIL.provider_settings, "REQUESTS_TIMEOUT": EMAIL_TIMEOUT}
DEFAULT_FROM_EMAIL = environment.mailbox("DEFAULT_FROM_EMAIL", "Athena <athena@localhost>")
DELIVERY_LEASE_SECONDS = environment.number("DELIVERY_LEASE_SECONDS", 100, maximum=86_400)

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
# Without Redis each counted request is a write to the database, so by default users are only counted with Redis.
THROTTLES = {
    "public": environment.rate("THROTTLE_PUBLIC", "300/minute"),
    "intake": environment.rate("THROTTLE_INTAKE", "60/minute"),
    "user": environment.rate("THROTTLE_USER", "1800/minute" if REDIS_URL else "none"),
}
API_LOGIN_LIFETIME = timedelta(days=environment.number("API_LOGIN_DAYS", 30, maximum=3650))
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
    "GET_LIB_DOC_EXCLUDES": "athena.config.api_schema.list_undescribed_classes",
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "athena.config.api_schema.remove_null_enum",
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

# Celery only starts work, which the database holds. Publishing a task waits two seconds at most.
CELERY_BROKER_URL = REDIS_URL or "localhost"
CELERY_BROKER_TRANSPORT = None if REDIS_URL else "athena.runtime.filesystem_broker:Transport"
_BROKER_DIR = VAR_DIR / "broker"
CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, Any] = (
    {"socket_timeout": 2, "socket_connect_timeout": 2, "retry_on_timeout": False, "max_retries": 0}
    if REDIS_URL
    else {
        "data_folder_in": str(_BROKER_DIR / "queue"),
        "data_folder_out": str(_BROKER_DIR / "queue"),
        "control_folder": str(_BROKER_DIR / "control"),
        "polling_interval": 0.2,
    }
)
if not REDIS_URL:
    for _folder in ("queue", "control"):
        (_BROKER_DIR / _folder).mkdir(parents=True, exist_ok=True)
CELERY_BROKER_CONNECTION_TIMEOUT = 2
# Worker and beat survive a restart of the broker (publishing never waits for it); a wrong REDIS_URL fails at once.
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
