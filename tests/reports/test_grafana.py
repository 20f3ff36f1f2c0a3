"""The dashboard for Grafana asks only for what the product serves."""

import json
import re
from pathlib import Path
from typing import Any

from django.conf import settings

from reports.prometheus import COUNTS, LABELS, LATENCY

FILE = Path(settings.BASE_DIR) / "deploy" / "grafana" / "agents.json"
SERVED = {f"{name}_total" for name, _ in COUNTS.values()} | {f"{LATENCY}_{part}" for part in ("bucket", "count", "sum")}
FUNCTIONS = {"sum", "by", "rate", "increase", "histogram_quantile"}


def queries() -> list[str]:
    dashboard: dict[str, Any] = json.loads(FILE.read_text())
    return [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]


def test_each_query_names_only_metrics_and_labels_that_are_served() -> None:
    assert len(queries()) >= 10
    for query in queries():
        assert set(re.findall(r"llm_\w+", query)) <= SERVED, query
        assert set(re.findall(r"[{,]\s*(\w+)\s*=", query)) <= {*LABELS, "le"}, query
        assert {name.strip() for names in re.findall(r"by \(([^)]*)\)", query) for name in names.split(",")} <= {
            *LABELS,
            "le",
        }
        words = set(re.findall(r"\b([a-z_]+)\b(?=\s*\()", query))
        assert words <= FUNCTIONS, query


def test_every_metric_is_shown() -> None:
    shown = {name for query in queries() for name in re.findall(r"llm_\w+", query)}
    assert shown == SERVED


def test_its_variables_read_labels_that_are_served() -> None:
    for variable in json.loads(FILE.read_text())["templating"]["list"]:
        if variable["type"] == "query":
            metric, label = re.fullmatch(r"label_values\((\w+), (\w+)\)", variable["query"]).groups()  # type: ignore[union-attr]
            assert metric in SERVED
            assert label in LABELS
