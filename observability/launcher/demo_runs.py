"""Makes the runs of agents for the demo data: sessions of several runs, with model calls, tools and other agents.

The random numbers of a day depend on its date only, and so do the ids and starts of its spans. What happened a number
of days ago, like a release, changes other values: on the next day the same spans are made again.
"""

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import orjson

from observability.launcher import demo_company as company
from observability.launcher.demo_company import Feature, Model, Release, Tool
from traces.row import Row

SESSIONS_A_DAY = 357
RUNS_OF_SESSION, RUN_WEIGHTS = [1, 2, 3, 5], [55, 25, 13, 7]
CALLS_OF_RUN, CALL_WEIGHTS = [1, 2, 3, 5], [40, 30, 20, 10]
DELEGATION_SHARE = 0.08
STREAMED_SHARE = 0.8
SLOWEST = max(release.slowness for release in company.RELEASES)
CONTENT_DAYS = 14
"""Older spans have no contents, which would make most of the work."""


def customers_of_users() -> list[str]:
    rng = random.Random("customers")  # noqa: S311 (made-up data)
    return rng.choices(company.CUSTOMERS, company.CUSTOMER_WEIGHTS, k=company.USERS)


CUSTOMER_OF_USER = customers_of_users()


@dataclass
class Session:
    """What the runs of a session have in common."""

    rng: random.Random
    days_ago: int
    agent: str
    model: Model
    release: Release
    feature: Feature
    dimensions: dict[str, Any]
    """Columns of all its rows."""

    @property
    def has_content(self) -> bool:
        return self.days_ago <= CONTENT_DAYS


def spans_of_day(midnight: datetime, days_ago: int) -> Iterator[Row]:
    rng = random.Random(f"{midnight:%Y-%m-%d}")  # noqa: S311 (made-up data)
    for _ in range(round(SESSIONS_A_DAY * company.WEEKDAY_WEIGHTS[midnight.weekday()])):
        [hour] = rng.choices(range(24), company.HOUR_WEIGHTS)
        at = midnight + timedelta(hours=hour, seconds=rng.uniform(0, 3600))
        session = new_session(rng, days_ago)
        for _ in range(rng.choices(RUNS_OF_SESSION, RUN_WEIGHTS)[0]):
            run = Run(session, at)
            yield from run.spans()
            at = run.at + timedelta(seconds=rng.uniform(20, 240))


def new_session(rng: random.Random, days_ago: int) -> Session:
    [agent] = rng.choices(company.AGENTS, company.AGENT_WEIGHTS)
    index = company.AGENTS.index(agent)
    # Each agent uses three models, one of them mostly.
    [model] = rng.choices([company.MODELS[(index + step * 3) % len(company.MODELS)] for step in range(3)], [70, 20, 10])
    [user] = rng.choices(range(company.USERS), company.USER_WEIGHTS)
    [environment] = rng.choices([*company.ENVIRONMENTS], [*company.ENVIRONMENTS.values()])
    feature = company.FEATURES[index % len(company.FEATURES) if rng.random() < 0.8 else rng.choice([0, 1, 1, 2])]
    release = company.release_of(environment, days_ago)
    # Those who develop it work for no customer.
    customer = {} if environment == "dev" else {"customer": CUSTOMER_OF_USER[user]}
    dimensions = {
        "user_id": f"user-{user:03d}",
        "session_id": f"session-{rng.getrandbits(32):08x}",
        "environment": environment,
        "release": release.name,
        "labels": customer | {"feature": feature.name},
    }
    return Session(rng, days_ago, agent, model, release, feature, dimensions)


class Run:
    """One run of an agent: calls one after the other, with a tool between two of them."""

    def __init__(self, session: Session, start: datetime) -> None:
        self.session = session
        self.rng = session.rng
        self.start = self.at = start
        self.shared = {**session.dimensions, "trace_id": f"{self.rng.getrandbits(128):032x}", "agent_id": session.agent}

    def spans(self) -> Iterator[Row]:
        """Yields the spans in the order in which they end: the run itself is the last."""
        root = self.new_id()
        turns = self.rng.choices(CALLS_OF_RUN, CALL_WEIGHTS)[0]
        call = self.model_call(root)
        for _ in range(turns - 1):
            if call.status != "success":
                break
            yield call
            yield from self.tool_spans(root)
            call = self.model_call(root)
        if self.is_incident() and call.status != "timeout":
            call.latency_ms = round((call.latency_ms or 0) * company.INCIDENT_FACTOR, 3)
        if self.rng.random() < self.session.release.failure_share and call.status == "success":
            fail(call, company.NEW_ERROR, company.NEW_ERROR_MESSAGE)
        yield call
        yield self.agent_span(root, None, self.start, self.session.agent, call)

    def new_id(self) -> str:
        return f"{self.rng.getrandbits(64):016x}"

    def latency(self, median: float, sigma: float) -> float:
        """Returns a random latency. The next span begins when the slowest release would have ended this one."""
        usual = self.rng.lognormvariate(math.log(median), sigma)
        self.at += timedelta(milliseconds=usual * SLOWEST)
        return round(usual * self.session.release.slowness, 3)

    def agent_span(self, span_id: str, parent: str | None, start: datetime, agent: str, last_call: Row) -> Row:
        feature, has_content = self.session.feature, self.session.has_content
        return Row(
            timestamp=start,
            span_id=span_id,
            parent_span_id=parent,
            operation="invoke_agent",
            name=f"invoke_agent {agent}",
            status=last_call.status,
            error_type=last_call.error_type if last_call.status != "success" else None,
            latency_ms=milliseconds(end_of(last_call) - start),
            attributes=messages(feature, last_call) if has_content else {},
            **(self.shared | {"agent_id": agent}),
        )

    def tool_spans(self, parent: str) -> Iterator[Row]:
        """Yields a tool call, or another agent that was asked and the tool call by which it was."""
        if self.rng.random() >= DELEGATION_SHARE:
            yield self.tool_call(parent)
            return
        tool_id, agent_id, start = self.new_id(), self.new_id(), self.at
        agent = self.rng.choice(company.AGENTS)
        call = self.model_call(agent_id, agent)
        yield call
        yield self.agent_span(agent_id, tool_id, start, agent, call)
        yield self.tool_row(company.DELEGATION, tool_id, parent, start, milliseconds(end_of(call) - start))

    def tool_call(self, parent: str) -> Row:
        tool = self.rng.choice(company.TOOLS)
        start = self.at
        row = self.tool_row(tool, self.new_id(), parent, start, self.latency(tool.latency_ms, 0.9))
        if self.rng.random() < tool.failure_share:
            row.status, row.error_type, row.error_message = "error", tool.error_type, tool.error_message
            row.attributes.pop("gen_ai.tool.call.result", None)
        return row

    def tool_row(self, tool: Tool, span_id: str, parent: str, start: datetime, latency_ms: float) -> Row:
        content = {"gen_ai.tool.call.arguments": tool.arguments, "gen_ai.tool.call.result": tool.result}
        return Row(
            timestamp=start,
            span_id=span_id,
            parent_span_id=parent,
            operation="execute_tool",
            name=f"execute_tool {tool.name}",
            tool=tool.name,
            latency_ms=latency_ms,
            attributes=content if self.session.has_content else {},
            **self.shared,
        )

    def model_call(self, parent: str, agent: str | None = None) -> Row:
        model, start = self.session.model, self.at
        call = Row(
            timestamp=start,
            span_id=self.new_id(),
            parent_span_id=parent,
            operation="chat",
            name=f"chat {model.name}",
            provider=model.provider,
            model=model.name,
            latency_ms=self.latency(model.latency_ms, 0.55),
            **(self.shared | ({"agent_id": agent} if agent else {})),
        )
        self.add_outcome(call)
        return call

    def is_incident(self) -> bool:
        is_then = self.session.days_ago == company.INCIDENT_DAYS_AGO and self.start.hour in company.INCIDENT_HOURS
        return is_then and self.session.model.provider == company.INCIDENT_PROVIDER

    def add_outcome(self, call: Row) -> None:
        draw = self.rng.random()
        if draw < company.TIMEOUT_SHARE:
            fail(call, "timeout", "no answer within 60 s")
            call.status, call.latency_ms = "timeout", 60_000.0
            self.at = end_of(call)
        elif draw < company.TIMEOUT_SHARE + company.ERROR_SHARE:
            kinds = list(company.ERRORS)
            [kind] = self.rng.choices(kinds, [company.ERRORS[kind][1] for kind in kinds])
            fail(call, kind, company.ERRORS[kind][0])
        else:
            self.add_usage(call)

    def add_usage(self, call: Row) -> None:
        rng, session = self.rng, self.session
        call.input_tokens = round(rng.lognormvariate(math.log(1800), 0.8))
        if session.days_ago == company.SPIKE_DAYS_AGO and call.agent_id == company.SPIKE_AGENT:
            call.input_tokens *= company.SPIKE_FACTOR
        call.output_tokens = round(rng.lognormvariate(math.log(260), 0.7))
        place, share, streams = rng.random(), rng.uniform(0.6, 1), rng.random() < STREAMED_SHARE
        cached = round(call.input_tokens * share * session.release.cached_share)
        if place < 0.7:
            call.cache_read_tokens = cached
        elif session.model.provider == company.CACHE_WRITING_PROVIDER:
            call.cache_write_tokens = cached
        if streams:
            call.first_token_ms = round((call.latency_ms or 0) * rng.uniform(0.08, 0.35), 3)
        if session.has_content:
            call.attributes = messages(session.feature, call)


def milliseconds(time: timedelta) -> float:
    return time / timedelta(milliseconds=1)


def end_of(row: Row) -> datetime:
    return row.timestamp + timedelta(milliseconds=row.latency_ms or 0)


def fail(call: Row, error_type: str, message: str) -> None:
    """Makes it a failed call, for which providers charge nothing."""
    call.status, call.error_type, call.error_message = "error", error_type, message
    call.input_tokens = call.output_tokens = call.cache_read_tokens = call.cache_write_tokens = None
    call.first_token_ms, call.attributes = None, {}
    call.cost_usd, call.cost_source, call.span_facts = Decimal(0), "reported", {"reported_cost_usd": "0"}


def messages(feature: Feature, call: Row) -> dict[str, Any]:
    """Returns the attributes of a conversation, as SDKs send them: JSON in texts. A failed call has no answer."""
    question = {"gen_ai.input.messages": conversation("user", feature.question)}
    if call.status != "success":
        return question
    return question | {"gen_ai.output.messages": conversation("assistant", feature.answer)}


def conversation(role: str, text: str) -> str:
    return orjson.dumps([{"role": role, "parts": [{"type": "text", "content": text}]}]).decode()
