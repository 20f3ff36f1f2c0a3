"""The product's settings, without the parts that only slow tests down."""

import os

from observability.settings import *  # noqa: F403

STATIC_ROOT = BASE_DIR / "static"  # noqa: F405 (its files need no collectstatic)
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}  # noqa: F405
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
OPEN_WORKSPACE_IDS = frozenset()

# Playwright's event loop runs in the tests' thread, where Django would refuse the tests' own queries.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"

# A test is one transaction, and may pause for longer than a request.
for _database in DATABASES.values():  # noqa: F405
    _database["OPTIONS"]["options"] += " -c idle_in_transaction_session_timeout=0"
