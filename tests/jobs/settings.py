"""The settings of tests, for workers that know the tasks of tests."""

from tests.settings import *  # noqa: F403

PROCRASTINATE_IMPORT_PATHS = ["tests.jobs.effects"]
