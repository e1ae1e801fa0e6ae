"""Settings of the ZSK; every value that an operator may set is an environment variable read here."""

import contextlib
import os
import secrets
from pathlib import Path

from celery.schedules import crontab
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

from zsk import cache, env, feeds, oidc, servers

BASE_DIR = Path(__file__).resolve().parent.parent
DATA_DIR = Path(env.text("ZSK_DATA_DIR", str(BASE_DIR / ".zsk")))


def _local_secret(name: str) -> str:
    """A secret of this installation, made at the first start and kept beside the embedded servers."""
    path = DATA_DIR / name
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        # Written aside and linked: of several processes that start at once, one wins and all read the same.
        aside = path.with_name(f"{name}.{os.getpid()}")
        aside.touch(mode=0o600)
        aside.write_text(secrets.token_urlsafe(48), encoding="utf-8")
        with contextlib.suppress(FileExistsError):
            os.link(aside, path)
        aside.unlink()
    return path.read_text(encoding="utf-8").strip()


# Which installation this is; named in the bar at the top of every page outside production.
ENVIRONMENT = env.text("ZSK_ENVIRONMENT", "demo")
if ENVIRONMENT not in {"demo", "test", "production"}:
    raise ImproperlyConfigured(f"ZSK_ENVIRONMENT={ENVIRONMENT!r}; erlaubt sind demo, test, production.")
PRODUCTION = ENVIRONMENT == "production"
# Whether the numbers of this installation are invented; said on every page and in every file.
SYNTHETIC_DATA = env.flag("ZSK_SYNTHETIC_DATA", not PRODUCTION)

DEBUG = env.flag("ZSK_DEBUG", False)
SECRET_KEY = env.text("SECRET_KEY", None if PRODUCTION else _local_secret("secret_key"))
# Numbered peppers of the API keys' hashes, `1:…,2:…`; the highest number is used for new keys.
KEY_PEPPERS = env.numbered("KEY_PEPPERS", "" if PRODUCTION else "1:" + _local_secret("key_pepper"))

ALLOWED_HOSTS = env.items("ALLOWED_HOSTS", "" if PRODUCTION else "*")
CSRF_TRUSTED_ORIGINS = env.items("CSRF_TRUSTED_ORIGINS")
BEHIND_TLS_PROXY = env.flag("BEHIND_TLS_PROXY", PRODUCTION)
# The address that links in files, mails and API answers start with; empty: that of the request.
SITE_URL = env.origin("SITE_URL", only_https=PRODUCTION and BEHIND_TLS_PROXY)

INSTALLED_APPS = [
    "zsk",
    "reports",
    "transactions",
    "services",
    "portals",
    "accounts",
    "ozgsync",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "rest_framework",
    "simple_history",
    "drf_spectacular",
    "csp",
    "allauth",
    "allauth.account",
    "allauth.mfa",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "zsk.middleware.private_answers",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "zsk.middleware.language",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "accounts.second_factor.required",
    "accounts.resume.keep_forms",
    "accounts.oidc_session.check_session",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "zsk.urls"
WSGI_APPLICATION = "zsk.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        # An operator's own texts (Impressum, Datenschutz …) come before ours.
        "DIRS": [*env.items("OPERATOR_TEMPLATES"), BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "zsk.context.page",
            ],
            "builtins": ["zsk.templatetags.zsk"],
        },
    }
]

# --- Data ------------------------------------------------------------------------------------------
DATABASES = {
    "default": servers.database(
        env.text("DATABASE_URL", ""),
        DATA_DIR,
        pool_size=env.number("DATABASE_POOL_SIZE", 0),
        prepare=env.flag("DATABASE_PREPARE", True),
    )
}
_CACHE_URL, CELERY_BROKER_URL = servers.redis(env.text("REDIS_URL", ""), DATA_DIR)
CACHES = {
    "default": {
        "BACKEND": "zsk.cache.ForgivingRedisCache",
        "LOCATION": _CACHE_URL,
        "OPTIONS": cache.CONNECTION,
    }
}
CELERY_TIMEZONE = "Europe/Berlin"
CELERY_TASK_IGNORE_RESULT = True
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# Who hands over a task does not wait for a broker that is away; workers connect again all the same.
CELERY_BROKER_TRANSPORT_OPTIONS = {"max_retries": 0, "socket_connect_timeout": 2}
# A process that has grown over a large delivery gives its memory back.
CELERY_WORKER_MAX_MEMORY_PER_CHILD = 500_000  # KiB
CELERY_BEAT_SCHEDULE = {
    "send-waiting-work": {"task": "transactions.tasks.send_waiting_work", "schedule": 20.0},
    "fold-totals": {"task": "transactions.tasks.fold_totals", "schedule": 10.0},
    "expire-contents": {"task": "transactions.tasks.expire_contents", "schedule": 3600.0},
    "apply-release-rules": {"task": "transactions.tasks.apply_release_rules", "schedule": 300.0},
    # In office hours; whoever was told is not told again.
    "send-reminders": {
        "task": "transactions.tasks.send_reminders",
        "schedule": crontab(minute=5, hour="7-18"),
    },
    "expire-bulk-uploads": {"task": "services.tasks.expire_bulk_uploads", "schedule": 24 * 3600.0},
    "deliver-waiting-mail": {"task": "accounts.tasks.deliver_waiting_mail", "schedule": 60.0},
    "expire-mail": {"task": "accounts.tasks.expire_mail", "schedule": 24 * 3600.0},
    "tell-of-reference-changes": {"task": "services.tasks.tell_of_reference_changes", "schedule": 300.0},
    "resume-syncs": {"task": "ozgsync.tasks.resume_syncs", "schedule": 600.0},
    "follow-calendar": {"task": "ozgsync.tasks.follow_calendar", "schedule": crontab(minute=1, hour=0)},
    "expire-sync": {"task": "ozgsync.tasks.expire_sync", "schedule": 24 * 3600.0},
    "expire-access": {"task": "accounts.tasks.expire_access", "schedule": 24 * 3600.0},
}
# Reference data from foreign registers; a source without an address is not asked.
SYNC_FEEDS = feeds.feeds()
CELERY_BEAT_SCHEDULE |= {
    f"sync-{name}": {"task": "ozgsync.tasks.sync", "args": (name,), "schedule": feed.schedule}
    for name, feed in SYNC_FEEDS.items()
    if feed.address
}
# A run that changes or ends more than this share of a table, and more rows than this, asks operations first.
SYNC_ASK_SHARE = env.number("SYNC_ASK_PERCENT", 5, most=100) / 100
SYNC_ASK_ROWS = env.number("SYNC_ASK_ROWS", 20)
SYNC_RAW_DAYS = env.number("SYNC_RAW_DAYS", 90, least=1)
AUTH_USER_MODEL = "accounts.User"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- Language and time -----------------------------------------------------------------------------
LANGUAGE_CODE = "de"
LANGUAGES = [("de", _("Deutsch")), ("en", _("Englisch"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = "Europe/Berlin"
USE_TZ = True
USE_THOUSAND_SEPARATOR = False

# --- Static files ----------------------------------------------------------------------------------
STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = Path(env.text("STATIC_ROOT", str(DATA_DIR / "static")))
WHITENOISE_KEEP_ONLY_HASHED_FILES = True
WHITENOISE_SKIP_COMPRESS_EXTENSIONS = ("map", "png", "gif", "gz", "br", "woff", "woff2")
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

# --- Log-in by Keycloak ----------------------------------------------------------------------------
# With OIDC_ISSUER, OIDC_CLIENT_ID and OIDC_CLIENT_SECRET people log in there; without them accounts are ours.
OIDC_PROVIDER = oidc.provider(production=PRODUCTION)
OIDC_ISSUER = OIDC_PROVIDER.issuer if OIDC_PROVIDER else ""

# --- Safety ----------------------------------------------------------------------------------------
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        # Log-out leads on to Keycloak, and browsers hold what a form leads to against this as well.
        "form-action": [SELF, *([OIDC_PROVIDER.origin] if OIDC_PROVIDER else [])],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = BEHIND_TLS_PROXY
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
if BEHIND_TLS_PROXY:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_HSTS_SECONDS = env.number("HSTS_SECONDS", 31_536_000)
LOGIN_URL = "accounts:login"
LOGIN_REDIRECT_URL = "/meine/"
LOGOUT_REDIRECT_URL = "/"
CSRF_FAILURE_VIEW = "zsk.errors.csrf_failure"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
]

# --- Local accounts --------------------------------------------------------------------------------
AUTHENTICATION_BACKENDS = [
    "allauth.account.auth_backends.AuthenticationBackend",
    *(["accounts.oidc.KeycloakBackend"] if OIDC_PROVIDER else []),
]
# The one local account that may log in where Keycloak is configured, at /anmelden/notfall/.
BREAK_GLASS_USER = env.text("BREAK_GLASS_USER", "")
# Operations must have a second factor before they can do anything.
REQUIRE_SECOND_FACTOR = env.flag("REQUIRE_SECOND_FACTOR", PRODUCTION)
ACCOUNT_ADAPTER = "accounts.adapter.AccountAdapter"
ACCOUNT_FORMS = {"user_token": "accounts.forms.ResetTokenForm"}
ACCOUNT_LOGIN_METHODS = {"username", "email"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "email*", "password1*"]
# Accounts arise by a link in a mail, so that addresses are known from the start; a change is confirmed.
ACCOUNT_EMAIL_VERIFICATION = "optional"
ACCOUNT_CHANGE_EMAIL = True
# A mail to an address without an account would let anybody send mail through us.
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_REAUTHENTICATION_REQUIRED = True
# A session ends with the browser.
ACCOUNT_SESSION_REMEMBER = False
# Requests for access: whole town halls share one address.
ACCOUNT_RATE_LIMITS = {
    "login_failed": "60/15m/ip,10/15m/key",
    "confirm_email": "3/10m/key",
    "request_access": "20/h/ip",
}
MFA_ADAPTER = "accounts.second_factor.SecondFactorAdapter"
MFA_ALLOW_UNVERIFIED_EMAIL = True
MFA_TOTP_ISSUER = "ZSK" if PRODUCTION else f"ZSK {ENVIRONMENT}"
# One step of 30 seconds to either side: clocks of phones are not exact.
MFA_TOTP_TOLERANCE = 1

# --- Mail ------------------------------------------------------------------------------------------
EMAIL_HOST = env.text("EMAIL_HOST", None if PRODUCTION else "")
EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend" if EMAIL_HOST else "accounts.kept_mail.Backend"
EMAIL_USE_TLS = env.flag("EMAIL_USE_TLS", True)
EMAIL_PORT = env.number("EMAIL_PORT", 587 if EMAIL_USE_TLS else 25, least=1)
EMAIL_HOST_USER = env.text("EMAIL_HOST_USER", "")
EMAIL_HOST_PASSWORD = env.text("EMAIL_HOST_PASSWORD", "")
EMAIL_TIMEOUT = 20
DEFAULT_FROM_EMAIL = env.text("DEFAULT_FROM_EMAIL", None if PRODUCTION else "ZSK <zsk@demo.invalid>")

# Where operations are told of new requests for access; empty: everybody in operations is.
OPERATIONS_EMAIL = env.text("OPERATIONS_EMAIL", "")

# How long requests for access and invitations are kept after they are done with, in days.
ACCESS_REQUEST_DAYS = env.number("ACCESS_REQUEST_DAYS", 180, least=1)

# --- Deliveries ------------------------------------------------------------------------------------
# Day of the following month on which a month is due.
DUE_DAY = env.number("DUE_DAY", 15, least=1, most=28)
# Mail to those who are due: from so many days before the deadline, and once so many days after it.
REMINDERS = env.flag("REMINDERS", True)
REMINDER_DAYS_BEFORE = env.number("REMINDER_DAYS_BEFORE", 5, most=27)
REMINDER_DAYS_LATE = env.number("REMINDER_DAYS_LATE", 1, least=1)
MAX_UPLOAD_BYTES = env.number("MAX_UPLOAD_BYTES", 200 * 1024 * 1024, least=1)
# A larger file is checked and taken over by a worker; counted in pieces of 1 MiB, and of an XLSX unpacked.
UPLOAD_AT_ONCE_BYTES = env.number("UPLOAD_AT_ONCE_BYTES", 2 * 1024 * 1024, least=0)
MAX_PUSH_BYTES = env.number("MAX_PUSH_BYTES", 20 * 1024 * 1024, least=1)
# With `Prefer: respond-async` a worker delivers; the body is counted unpacked.
MAX_ASYNC_BYTES = env.number("MAX_ASYNC_BYTES", 200 * 1024 * 1024, least=1)
MAX_ASYNC_ROWS = env.number("MAX_ASYNC_ROWS", 5_000_000, least=1)
MAX_PUSH_ROWS = env.number("MAX_PUSH_ROWS", 100_000, least=1)
# What a worker has yet to do for one credential or person; a single delivery may be of any size.
MAX_WAITING = env.number("MAX_WAITING", 100, least=1)
MAX_WAITING_BYTES = env.number("MAX_WAITING_BYTES", 1024 * 1024 * 1024, least=1)
# Requests to the interface in one minute: by each key or Keycloak client, and by each address without one.
REQUESTS_PER_KEY = env.number("REQUESTS_PER_KEY", 1_200)
REQUESTS_PER_ADDRESS = env.number("REQUESTS_PER_ADDRESS", 300)
# How long an uploaded file is kept, in days.
FILE_DAYS = env.number("FILE_DAYS", 30, least=1)
# Uploads go through temporary files above this size; push bodies are limited by MAX_PUSH_BYTES.
DATA_UPLOAD_MAX_MEMORY_SIZE = MAX_PUSH_BYTES

# --- Interface -------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": [],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "transactions.problems.handler",
    "UNAUTHENTICATED_USER": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "ZSK: Schnittstelle",
    "DESCRIPTION": "Transaktionszahlen von Onlineservices liefern und nachsehen, was aus einer Lieferung "
    "wurde. Anmelden kann sich ein Verfahren mit dem Zugangsschlüssel eines Onlineservices oder Portals. "
    "Offene Daten gibt es ohne Anmeldung. "
    "Fehler kommen als application/problem+json (RFC 9457).",
    "VERSION": "1.0.0",
    "OAS_VERSION": "3.1.0",
    "CONTACT": {"name": "ZSK-Betrieb", "url": f"{SITE_URL}/hilfe/kontakt/"},
    "LICENSE": {
        "name": "Datenlizenz Deutschland – Namensnennung – Version 2.0",
        "url": "https://www.govdata.de/dl-de/by-2-0",
    },
    "SERVERS": [{"url": SITE_URL or "/", "description": "Diese Umgebung"}],
    "TAGS": [
        {"name": "Lieferungen", "description": "Liefern, nachsehen, zurücknehmen."},
        {
            "name": "Offene Daten",
            "description": "Onlineservices, Regionen, Leistungen und Zahlen, ohne Anmeldung.",
        },
    ],
    "POSTPROCESSING_HOOKS": ["transactions.api_description.finish", "reports.api.description.finish"],
    "SORT_OPERATION_PARAMETERS": False,
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "SERVE_INCLUDE_SCHEMA": False,
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "root": {"handlers": ["console"], "level": env.text("LOG_LEVEL", "INFO")},
}
