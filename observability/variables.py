"""Lists every variable of the environment that the product reads, with its type and default.

`.env.example` describes each. A variable that is empty counts as unset. A value that does not fit stops the product
with an error that names the variable and does not show the value, which may be a secret.
"""

import os
import re
from typing import Annotated, Literal
from uuid import UUID

from django.core.exceptions import ImproperlyConfigured
from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, ValidationError

from observability.env_file import load_env_file


def split_list(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def in_ascii(text: str) -> str:
    if not re.fullmatch("[!-~]*", text):
        raise ValueError("it is sent in a header, so it may have no spaces, and no characters that are not ASCII")
    return text


Token = Annotated[str, AfterValidator(in_ascii)]
Texts = Annotated[list[str], BeforeValidator(split_list)]
Ids = Annotated[list[UUID], BeforeValidator(split_list)]
Count = Annotated[int, Field(ge=1, le=10_000)]
Days = Annotated[int, Field(ge=1, le=36_500)]


class Variables(BaseModel):
    ENVIRONMENT: Literal["development", "production"] = "development"
    SECRET_KEY: str = ""
    SECRET_KEY_FALLBACKS: Texts = []
    DEBUG: bool = False
    ALLOWED_HOSTS: Texts = ["localhost", "[::1]"]
    CSRF_TRUSTED_ORIGINS: Texts = []
    OPEN_WORKSPACE_IDS: Ids = []
    MEMBER_WORKSPACES: Annotated[int, Field(ge=0, le=10_000)] = 0
    INGEST_ALLOWED_ORIGINS: Texts = []

    DATABASE_URL: str = ""
    DATABASE_PASSWORD: str = ""
    ANALYTICS_DATABASE_URL: str = ""
    ANALYTICS_DATABASE_PASSWORD: str = ""
    ANALYTICS_ENGINE: str = ""
    DATABASE_POOL_SIZE: Count = 20
    STATEMENT_TIMEOUT_MS: Annotated[int, Field(ge=0, le=600_000)] = 10_000
    REDIS_URL: str = ""
    REDIS_PASSWORD: str = ""

    EMAIL_URL: str = ""
    EMAIL_PASSWORD: str = ""
    EMAIL_FROM: str = ""
    PUBLIC_URL: str = ""

    LOCAL_PASSWORDS: bool = True
    OIDC_ISSUER: str = ""
    OIDC_CLIENT_ID: str = ""
    OIDC_CLIENT_SECRET: str = ""
    OIDC_NAME: str = ""
    OIDC_SCOPES: Texts = ["openid", "profile", "email"]
    OIDC_GROUPS_CLAIM: str = "groups"
    OIDC_GROUPS: str = ""

    WEBHOOK_INTERNAL_TARGETS: Texts = []

    DASHBOARDS_DIR: str = ""

    RETENTION_DAYS: Days = 400
    ROLLUP_RETENTION_DAYS: Days = 1200
    CONTENT_RETENTION_DAYS: Days = 400
    STORE_CONTENT: bool = True

    STATIC_ROOT: str = ""
    BEHIND_PROXY: bool = False
    SECURE_SSL_REDIRECT: bool = True
    EXACT_PERCENTILE_ROWS: Annotated[int, Field(ge=0)] = 10_000
    LOG_LEVEL: Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"] = "WARNING"
    LOG_JSON: bool | None = None
    METRICS_TOKEN: Token = ""

    BIND: str = "127.0.0.1:8000"
    # Without REDIS_URL each process caches in its own memory. Several could return different answers.
    WEB_WORKERS: Count = 1
    WEB_THREADS: Count = 24
    WORKSPACE_CONCURRENCY: Count = 16
    JOB_THREADS: Count = 4
    PORT: str = "8000"


def read() -> Variables:
    """Returns the variables of the environment and of `.env`."""
    load_env_file()
    return from_environment()


def from_environment() -> Variables:
    try:
        return Variables.model_validate({name: value for name, value in os.environ.items() if value})
    except ValidationError as error:
        faults = [f"{fault['loc'][0]}: {fault['msg']}." for fault in error.errors(include_input=False)]
    raise ImproperlyConfigured(" ".join(faults))
