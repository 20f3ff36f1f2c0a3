"""Makes Django's settings from the variables of the environment, which `observability/variables.py` lists."""

import re
from pathlib import Path
from typing import Any

from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from observability import variables
from observability.internal_targets import internal_targets
from observability.launcher import embedded
from observability.mail_url import mail_settings, public_url, sender
from observability.oidc_settings import oidc_settings
from observability.server_urls import postgresql_database, redis_url
from web import logs
from web.postgres.base import Connection

BASE_DIR = Path(__file__).resolve().parent.parent
env = variables.read()


def development_secret_key() -> str:
    """Returns the key that `make run` made for this folder, so that commands in another terminal use the same."""
    path = BASE_DIR / "var" / "secret_key"
    return path.read_text() if path.exists() else "development-only-not-secret"


ENVIRONMENT = env.ENVIRONMENT
SECRET_KEY = env.SECRET_KEY or development_secret_key()
SECRET_KEY_FALLBACKS = env.SECRET_KEY_FALLBACKS
DEBUG = env.DEBUG
# Always with 127.0.0.1: the container's health check sends requests to its own server.
ALLOWED_HOSTS = [*env.ALLOWED_HOSTS, "127.0.0.1"]
CSRF_TRUSTED_ORIGINS = env.CSRF_TRUSTED_ORIGINS
OPEN_WORKSPACE_IDS = frozenset(env.OPEN_WORKSPACE_IDS)
# Workspaces that a user who is no superuser may make.
MEMBER_WORKSPACES = env.MEMBER_WORKSPACES

INGEST_ALLOWED_ORIGINS = frozenset(env.INGEST_ALLOWED_ORIGINS)
for origin in INGEST_ALLOWED_ORIGINS:
    if not re.fullmatch(r"https?://[a-z0-9.-]+(:\d+)?|https?://\[[0-9a-f:]+\](:\d+)?", origin):
        raise ImproperlyConfigured("INGEST_ALLOWED_ORIGINS lists origins like https://example.com.")

PRODUCTION = ENVIRONMENT == "production"
if PRODUCTION:
    if len(env.SECRET_KEY) < 50:
        raise ImproperlyConfigured("Production needs a SECRET_KEY of its own, at least 50 random characters.")
    if any(len(key) < 50 for key in SECRET_KEY_FALLBACKS):
        raise ImproperlyConfigured("Each of SECRET_KEY_FALLBACKS must have at least 50 characters in production.")
    if any(set(host) <= {"*", "."} for host in env.ALLOWED_HOSTS):
        raise ImproperlyConfigured("ALLOWED_HOSTS must name hosts in production: * would take any name for its own.")
    if DEBUG:
        raise ImproperlyConfigured("DEBUG must be off in production: its error pages show settings and data.")
    if OPEN_WORKSPACE_IDS:
        raise ImproperlyConfigured("OPEN_WORKSPACE_IDS must be empty in production: it gives data away.")

INSTALLED_APPS = [
    "observability",
    "web",
    "methods",
    "workspaces",
    "accounts",
    "traces",
    "prices",
    "ingest",
    "budgets",
    "analytics",
    "explorer",
    "insights",
    "alerts",
    "reports",
    "dashboards",
    "settings",
    "assistants",
    "procrastinate.contrib.django",
    "jobs",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django_htmx",
    "csp",
    "axes",
    "allauth",
    "allauth.account",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "allauth.mfa",
]

MIDDLEWARE = [
    "web.headers.HeadersMiddleware",
    "web.requests.RequestMiddleware",
    "web.cors.CorsMiddleware",
    "csp.middleware.CSPMiddleware",
    "web.plain_http.PlainHttpMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "web.problems.ProblemMiddleware",
    "web.ingestion.IngestionMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "accounts.middleware.AccountsMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "web.declared_access.DeclaredAccessMiddleware",
    "workspaces.admin_audit.AdminAuditMiddleware",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "observability.urls"
WSGI_APPLICATION = "observability.wsgi.application"
APPEND_SLASH = True

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "builtins": ["web.timed_loops"],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "web.version.product_version",
                "jobs.context.jobs_warning",
                "accounts.context.chosen_theme",
            ],
        },
    }
]


def database(variable: str) -> dict[str, Any]:
    """Returns Django's settings for the database of a URL, or for the embedded PostgreSQL where no URL is set."""
    is_embedded = not getattr(env, variable)
    config = embedded.database(embedded.DATABASES[variable]) if is_embedded else postgresql_database(env, variable)
    config["ENGINE"] = "web.postgres"
    # web.postgres checks the connection of each request, so that a restart of the database fails no request.
    config["CONN_HEALTH_CHECKS"] = False
    options = config.setdefault("OPTIONS", {})
    # A pool that is empty for 2 s means overload. Clients retry a 503, while a queue would only grow.
    options["pool"] = {
        "connection_class": Connection,
        "min_size": 1,
        "max_size": env.DATABASE_POOL_SIZE,
        "timeout": 2,
        # One that nobody uses takes 3 MB of the database. A pool closes one in each such time.
        "max_idle": 30,
        # The next request tries to connect again. The pool's own pauses between attempts grow to half a minute.
        "reconnect_timeout": 2,
    }
    # psycopg prepares a statement that runs often. Here it prepares only those that request it, the writer's inserts.
    options["prepare_threshold"] = 1_000_000_000
    options["connect_timeout"] = 3
    # These notice a host that vanished; web.deadline notices a server that hangs.
    options |= {"tcp_user_timeout": 15_000, "keepalives_idle": 30, "keepalives_interval": 5, "keepalives_count": 3}
    options["options"] = (
        f"-c statement_timeout={STATEMENT_TIMEOUT_MS} -c lock_timeout=5000"
        " -c idle_in_transaction_session_timeout=15000 -c jit=off"
        # SSDs read at random as fast as in order; starting parallel workers takes longer than most queries here.
        " -c random_page_cost=1.1 -c parallel_setup_cost=100000"
    )
    return config


STATEMENT_TIMEOUT_MS = env.STATEMENT_TIMEOUT_MS
# The longest time that a request waits for databases in total, including one that hangs.
REQUEST_SECONDS = 12
DATABASES = {"default": database("DATABASE_URL"), "analytics": database("ANALYTICS_DATABASE_URL")}
ANALYTICS_ENGINE = env.ANALYTICS_ENGINE
# Each file of traces/engines/ is an engine, but for the two that all of them share.
ENGINES = sorted({path.stem for path in (BASE_DIR / "traces/engines").glob("*.py")} - {"__init__", "protocol"})
if ANALYTICS_ENGINE not in ("", *ENGINES):
    raise ImproperlyConfigured(f"ANALYTICS_ENGINE must be {' or '.join(ENGINES)}.")
DATABASE_ROUTERS = ["observability.router.AnalyticsRouter"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

if env.REDIS_URL:
    from web import shared_cache  # Its driver takes memory.

    CACHES: dict[str, Any] = {"default": shared_cache.settings_for(redis_url(env))}
else:
    CACHES = {"default": {"BACKEND": "web.memory_cache.MemoryCache"}}

mail = mail_settings(env, BASE_DIR)
MAIL_IS_ON = mail.is_on
EMAIL_BACKEND = mail.backend
EMAIL_FILE_PATH = mail.folder
EMAIL_HOST = mail.host
EMAIL_PORT = mail.port
EMAIL_HOST_USER = mail.user
EMAIL_HOST_PASSWORD = mail.password
EMAIL_USE_TLS = mail.tls == "starttls"
EMAIL_USE_SSL = mail.tls == "from the start"
EMAIL_TIMEOUT = 10  # seconds
DEFAULT_FROM_EMAIL = SERVER_EMAIL = sender(env)
PUBLIC_URL = public_url(env)

# Pairs of a host and a port to which webhooks may go although they are inside.
WEBHOOK_INTERNAL_TARGETS = internal_targets(env.WEBHOOK_INTERNAL_TARGETS)

AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = 0.25  # hours
AXES_RESET_ON_SUCCESS = True
AXES_LOCKOUT_TEMPLATE = "locked_out.html"
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
# Beside the password. The address to which somebody goes after signing in can hold the token of an invitation.
AXES_SENSITIVE_PARAMETERS = ["username", "ip_address", "next"]
AXES_CLIENT_IP_CALLABLE = "workspaces.access.client_address"
PASSWORD_HASHERS = ["workspaces.passwords.QueuedArgon2Hasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]
LOGIN_URL = "sign-in"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "sign-in"

# Second factors and the sign-in by a provider (django-allauth)
LOCAL_PASSWORDS = env.LOCAL_PASSWORDS
OIDC = oidc_settings(env)
ACCOUNT_ADAPTER = "accounts.adapters.AccountAdapter"
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*"]
ACCOUNT_CHANGE_EMAIL = False
ACCOUNT_RATE_LIMITS = {"reset_password": "20/m/ip,5/15m/key"}
SOCIALACCOUNT_ADAPTER = "accounts.oidc.adapter.ProviderAdapter"
MFA_ADAPTER = "accounts.adapters.SecondFactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes", "webauthn"]
MFA_ALLOW_UNVERIFIED_EMAIL = True  # Nobody registers here: people are invited, or come from the provider.
MFA_RECOVERY_CODE_DIGITS = 10
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not PRODUCTION  # http://localhost

LANGUAGE_CODE = "en-us"
USE_I18N = False
TIME_ZONE = "UTC"
USE_TZ = True

STATIC_URL = "static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATICFILES_FINDERS = [
    "django.contrib.staticfiles.finders.FileSystemFinder",
    "django.contrib.staticfiles.finders.AppDirectoriesFinder",
    "analytics.plotly_script.PlotlyFinder",
]
WHITENOISE_ALLOW_ALL_ORIGINS = False
STATIC_ROOT = env.STATIC_ROOT or str(BASE_DIR / "var" / "static")
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "connect-src": [SELF],
        "font-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
    }
}
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CONTENT_TYPE_NOSNIFF = True
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = PRODUCTION
SESSION_COOKIE_HTTPONLY = True
SECURE_SSL_REDIRECT = PRODUCTION and env.SECURE_SSL_REDIRECT
SECURE_REDIRECT_EXEMPT = [r"^livez$", r"^readyz$"]
SECURE_HSTS_SECONDS = 31_536_000 if PRODUCTION else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = PRODUCTION
BEHIND_PROXY = env.BEHIND_PROXY
if BEHIND_PROXY:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

# The folder of dashboards that are kept as files. Empty: none.
DASHBOARDS_DIR = env.DASHBOARDS_DIR

# Ingestion
MAX_BODY_BYTES = 8 * 1024 * 1024
MAX_SPANS_PER_REQUEST = 10_000
RETENTION_DAYS = env.RETENTION_DAYS
ROLLUP_RETENTION_DAYS = max(RETENTION_DAYS, env.ROLLUP_RETENTION_DAYS)
CONTENT_RETENTION_DAYS = min(RETENTION_DAYS, env.CONTENT_RETENTION_DAYS)
STORE_CONTENT = env.STORE_CONTENT

# Up to this many calls in a window percentiles are exact; with more they come from a histogram.
EXACT_PERCENTILE_ROWS = env.EXACT_PERCENTILE_ROWS

# Bounds the forms that Django parses. Views read other bodies themselves, up to MAX_BODY_BYTES.
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024

# Requests of one workspace that a process serves at once. The other WEB_THREADS are for the other workspaces.
WORKSPACE_CONCURRENCY = env.WORKSPACE_CONCURRENCY

# Background jobs that a worker runs at once.
JOB_THREADS = env.JOB_THREADS

METRICS_TOKEN = env.METRICS_TOKEN

LOGGING = logs.logging_config(env.LOG_LEVEL, env.LOG_JSON, PRODUCTION)
