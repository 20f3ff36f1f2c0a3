"""Exports of calls, traces and scores, as clients fetch them."""

import csv
import io
import json
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from ingest.store import store_scores
from reports.exports import reading
from reports.models import Export
from tests.tenant import NOON, Tenant, a_row, iso
from traces import writer
from traces.scores import Score

pytestmark = pytest.mark.django_db(databases="__all__")
