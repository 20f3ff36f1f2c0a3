"""Shows how code tells which slice a call is of: in Python and TypeScript with OpenTelemetry, and in plain JSON."""

import json
from typing import NamedTuple

from insights.experiments.models import Experiment
from traces.filters import LABEL_PREFIX


class Snippet(NamedTuple):
    title: str
    code: str


def snippets(experiment: Experiment) -> list[Snippet]:
    """Returns the code for the dimension of the first slice; nothing where calls have it by themselves."""
    arm = experiment.arms[0]
    dimension, values = (
        arm.dimension or "",
        [one.value or "" for one in experiment.arms if one.dimension == arm.dimension],
    )
    if not dimension.startswith(LABEL_PREFIX):
        return []
    name = dimension.removeprefix(LABEL_PREFIX)
    return [
        Snippet("Python, OpenTelemetry", PYTHON.format(name=json.dumps(name), values=json.dumps(values))),
        Snippet("TypeScript, OpenTelemetry", TYPESCRIPT.format(name=json.dumps(name), values=json.dumps(values))),
        Snippet("JSON", json.dumps({"trace_id": "…", "model": "…", "labels": {name: values[0]}}, ensure_ascii=False)),
    ]


PYTHON = """import hashlib
from opentelemetry import trace

VARIANTS = {values}

def variant_of(user_id: str) -> str:
    # The same user always gets the same variant.
    return VARIANTS[int(hashlib.sha256(user_id.encode()).hexdigest(), 16) % len(VARIANTS)]

variant = variant_of(user_id)
trace.get_current_span().set_attribute({name}, variant)"""
TYPESCRIPT = """import {{ createHash }} from "node:crypto";
import {{ trace }} from "@opentelemetry/api";

const variants = {values};

// The same user always gets the same variant.
function variantOf(userId: string): string {{
  return variants[createHash("sha256").update(userId).digest().readUInt32BE(0) % variants.length];
}}

const variant = variantOf(userId);
trace.getActiveSpan()?.setAttribute({name}, variant);"""
