"""The product's settings, with what only costs tests time taken out."""

import os

from observability.settings import *  # noqa: F403

STATIC_ROOT = BASE_DIR / "static"  # noqa: F405 (there without collectstatic)
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}  # noqa: F405
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
OPEN_WORKSPACE_IDS = frozenset()

# Playwright's event loop runs in the thread of the tests, whose ORM calls are not asynchronous for that.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"

# A test is one transaction, and may think for longer than a request.
for _database in DATABASES.values():  # noqa: F405
    _database["OPTIONS"]["options"] += " -c idle_in_transaction_session_timeout=0"
