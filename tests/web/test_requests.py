"""Every request has an id, a deadline, a log line and counts."""

import json
import logging
import re
import sys
from datetime import UTC, datetime
from io import StringIO
from typing import Any

import pytest
from django.core.exceptions import SuspiciousOperation
from django.db import DatabaseError, InternalError, OperationalError, ProgrammingError, connections
from django.test import Client, RequestFactory
from psycopg import errors
from psycopg_pool import PoolTimeout

from tests.factories import an_api_key
from tests.tenant import Tenant
from web import deadline, logs, problems, prometheus
from web.postgres.base import Connection, DeadlinePassed

pytestmark = pytest.mark.django_db(databases="__all__")

NOW = datetime.now(UTC).isoformat()
BROWSER = {"Accept": "text/html,application/xhtml+xml"}


def caused_by(outer: type[Exception], origin: Exception) -> Exception:
    try:
        raise outer("words") from origin
    except outer as error:
        return error


class TestRequestId:
    def test_the_id_of_a_client_comes_back(self, client: Client) -> None:
        assert client.get("/livez", headers={"X-Request-ID": "trace-7"})["X-Request-ID"] == "trace-7"

    @pytest.mark.parametrize("request_id", ["", "two words", 'quote"', "é", "x" * 129])
    def test_an_id_that_would_garble_the_log_is_replaced(self, client: Client, request_id: str) -> None:
        assert re.fullmatch("[0-9a-f]{32}", client.get("/livez", headers={"X-Request-ID": request_id})["X-Request-ID"])


@pytest.mark.parametrize("path", ["/api/v1/usage/overview", "/api/v1/scores", "/dashboard/choices/model"])
def test_too_many_parameters_are_400_in_a_sentence_and_no_traceback(
    tenant: Tenant, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    query = "&".join(f"a{number}=1" for number in range(1_001))
    response = tenant.client.get(f"{path}?{query}")
    assert response.status_code == 400
    assert b"More than 1,000 parameters" in response.content
    assert [record for record in caplog.records if record.exc_info] == []


def test_what_a_client_must_not_send_is_logged_without_a_traceback() -> None:
    try:
        raise SuspiciousOperation
    except SuspiciousOperation:
        record = logging.LogRecord("django.security.Kind", logging.ERROR, "", 1, "words", None, sys.exc_info())
    assert logs.RequestIdFilter().filter(record)
    assert "Traceback" not in logs.LineLogFormatter().format(record)


class TestTransientFaults:
    @pytest.mark.parametrize(
        ("exception", "cause"),
        [
            (caused_by(OperationalError, PoolTimeout()), "pool"),
            (caused_by(OperationalError, DeadlinePassed()), "deadline"),
            (caused_by(OperationalError, errors.QueryCanceled()), "statement_timeout"),
            (caused_by(OperationalError, errors.LockNotAvailable()), "lock"),
            (caused_by(OperationalError, errors.DeadlockDetected()), "conflict"),
            (caused_by(InternalError, errors.ReadOnlySqlTransaction()), "read_only"),
            (caused_by(OperationalError, errors.DiskFull()), "resources"),
            (caused_by(OperationalError, errors.TooManyConnections()), "resources"),
            (caused_by(ProgrammingError, errors.UndefinedTable()), "migrations"),
            (caused_by(ProgrammingError, errors.UndefinedColumn()), "migrations"),
            (caused_by(OperationalError, errors.AdminShutdown()), "connection"),
            (OperationalError("server closed the connection"), "connection"),
            (caused_by(DatabaseError, errors.UniqueViolation()), None),
            (caused_by(ProgrammingError, errors.SyntaxError()), None),
            (ValueError(), None),
        ],
    )
    def test_transient_faults_are_distinguished_from_others(self, exception: Exception, cause: str | None) -> None:
        assert problems.transient_cause(exception) == cause

    @pytest.fixture
    def broken(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def fail(*args: Any) -> None:
            raise OperationalError("the database is unreachable")

        monkeypatch.setattr("django.contrib.sessions.backends.db.SessionStore.load", fail)
        monkeypatch.setattr("workspaces.models.ApiKeyManager.find_valid", fail)

    @pytest.mark.parametrize(
        "path", ["/v1/traces", "/api/v1/traces", "/api/public/otel/v1/traces", "/api/v1/usage/overview"]
    )
    def test_a_transient_fault_of_the_key_lookup_is_503_with_retry_after(
        self, client: Client, broken: None, path: str
    ) -> None:
        answer = client.generic("POST" if "traces" in path else "GET", path, headers={"Authorization": "Bearer aop_x"})
        assert (answer.status_code, answer["Retry-After"]) == (503, "2")
        assert answer["Content-Type"] == "application/problem+json"
        assert answer.json()["title"] == "Service Unavailable"

    @pytest.mark.parametrize("path", ["/dashboard/usage", "/admin/", "/sign-in"])
    def test_a_transient_fault_is_a_readable_page_for_browsers(self, client: Client, broken: None, path: str) -> None:
        client.cookies["sessionid"] = "a" * 32
        answer = client.get(path, headers=BROWSER, follow=True)
        assert (answer.status_code, answer["Retry-After"]) == (503, "2")
        assert "The database does not answer right now" in answer.content.decode()

    def test_a_transient_fault_in_a_middleware_is_503_too(
        self, client: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(*args: Any) -> None:
            raise OperationalError("the database is unreachable")

        monkeypatch.setattr("django.contrib.sessions.middleware.SessionMiddleware.process_response", fail)
        client.raise_request_exception = False
        answer = client.get("/livez")
        assert (answer.status_code, answer["Retry-After"]) == (503, "2")

    def test_any_other_fault_is_500_and_a_problem(self, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("analytics.views.query_string.parse_filters", lambda *args: 1 / 0)
        key, secret = an_api_key("read")
        client.raise_request_exception = False
        headers = {"Authorization": f"Bearer {secret}", "X-Workspace-ID": str(key.workspace_id)}
        answer = client.get("/api/v1/usage/overview", headers=headers)
        assert (answer.status_code, answer.json()["status"]) == (500, 500)
        assert "division" not in answer.content.decode()


class TestDeadline:
    def test_outside_a_request_there_is_no_deadline(self) -> None:
        assert deadline.remaining_seconds() is None

    def test_the_nearest_end_counts(self) -> None:
        with deadline.at_most(60), deadline.at_most(2), deadline.at_most(30):
            remaining = deadline.remaining_seconds()
        assert remaining is not None
        assert 0.5 <= remaining <= 2

    def test_the_wait_for_a_server_that_does_not_answer_ends(self) -> None:
        connection = connections["default"]
        connection.ensure_connection()
        info = connection.connection.info
        # In another database: the session outlives the test, and the test's database must have none to be dropped.
        server = {"dbname": "postgres", "password": info.password, "options": "-c statement_timeout=2000"}
        with (
            Connection.connect(info.dsn, **server) as hanging,
            deadline.at_most(0.1),
            pytest.raises(DeadlinePassed, match=r"no answer within the request's time \(0.5 s\)"),
        ):
            hanging.execute("SELECT pg_sleep(60)")
        assert hanging.closed


class TestLog:
    @pytest.fixture
    def lines(self) -> Any:
        handler = logging.StreamHandler(StringIO())
        config = logs.logging_config("INFO", True, production=False)
        json_lines = {name: value for name, value in config["formatters"]["json"].items() if name != "()"}
        handler.setFormatter(logs.JsonLogFormatter(**json_lines))
        handler.addFilter(logs.RequestIdFilter())
        root = logging.getLogger()
        level = root.level
        root.addHandler(handler)
        root.setLevel("DEBUG")
        yield lambda: handler.stream.getvalue().splitlines()
        root.removeHandler(handler)
        root.setLevel(level)

    def test_each_request_is_one_line_of_json(self, client: Client, lines: Any) -> None:
        client.get("/livez", headers={"X-Request-ID": "trace-7"})
        [line] = [entry for entry in map(json.loads, lines()) if entry["message"] == "answered"]
        assert (line["request_id"], line["path"], line["status"]) == ("trace-7", "/livez", 200)
        assert line["duration_ms"] >= 0

    def test_the_line_of_a_refusal_has_the_id_and_no_query(self, client: Client, lines: Any) -> None:
        client.get("/nowhere?user=ada", headers={"X-Request-ID": "trace-7"})
        [line] = [entry for entry in map(json.loads, lines()) if entry["logger"] == "django.request"]
        assert line["request_id"] == "trace-7"
        assert "ada" not in str(line)

    def test_secrets_never_reach_the_log(self, tenant: Tenant, lines: Any, settings: Any) -> None:
        key, secret = an_api_key("ingest", "read", workspace=tenant.workspace)
        bearer = {"Authorization": f"Bearer {secret}", "X-Workspace-ID": str(tenant.workspace.id)}
        client = Client(raise_request_exception=False)
        client.get("/api/v1/usage/overview", headers=bearer)
        client.get(f"/api/v1/usage/overview?token={secret}", headers=bearer)
        client.get("/api/v1/usage/overview", headers=bearer | {"X-Request-ID": secret})
        client.post("/sign-in", {"username": "ada", "password": "correct horse battery"})
        client.post("/v1/traces", b"\xff", content_type="application/x-protobuf", headers=bearer)
        client.post("/api/v1/traces", f'{{"agent_id": "{secret}"', content_type="application/json", headers=bearer)
        client.get(f"/{secret}")
        logger = logging.getLogger("anything")
        logger.warning("sent %s", bearer)
        logger.warning("postgres://user:hunter2-hunter2@host/name")
        try:
            raise ValueError(f"Basic {secret}")
        except ValueError:
            logger.exception("failed")
        written = "\n".join(lines())
        assert written.count("answered") >= 6
        assert key.prefix in written
        for hidden in (secret, secret[len(key.prefix) + 8 :], "correct horse", "hunter2", settings.SECRET_KEY):
            assert hidden not in written


class TestMetrics:
    def scrape(self, **headers: str) -> Any:
        return Client().get("/metrics", headers={name.replace("_", "-"): value for name, value in headers.items()})

    def value(self, name: str) -> float:
        [value] = re.findall(rf"^{re.escape(name)} (\S+)$", self.scrape().content.decode(), re.MULTILINE)
        return float(value)

    def test_this_machine_may_read_metrics_in_development(self) -> None:
        assert "observability_requests_total" in self.scrape().content.decode()

    def test_a_proxy_may_not_read_metrics_for_others(self) -> None:
        assert self.scrape(X_Forwarded_For="203.0.113.7").status_code == 404

    def test_another_machine_may_not_read_metrics(self) -> None:
        assert Client(REMOTE_ADDR="203.0.113.7").get("/metrics").status_code == 404

    def test_in_production_nobody_reads_metrics_without_a_token(self, settings: Any) -> None:
        settings.PRODUCTION = True
        assert self.scrape().status_code == 404

    @pytest.mark.parametrize(("authorization", "status"), [("Bearer s3cret", 200), ("Bearer other", 404), ("", 404)])
    def test_only_the_owner_of_the_token_reads_metrics(self, settings: Any, authorization: str, status: int) -> None:
        settings.METRICS_TOKEN = "s3cret"
        assert self.scrape(Authorization=authorization).status_code == status

    def test_spans_are_counted_by_their_outcome(self, tenant: Tenant) -> None:
        names = ["spans_accepted_total", "spans_duplicate_total", 'spans_rejected_total{reason="agent_id"}']
        prometheus.REJECTED.labels("agent_id")
        before = [self.value(f"observability_{name}") for name in names]
        spans = [{"agent_id": "a", "trace_id": "t", "span_id": "1", "timestamp": NOW}] * 3
        body = json.dumps({"traces": [*spans, {"agent_id": ""}]})
        tenant.client.post("/api/v1/traces", body, content_type="application/json")
        after = [self.value(f"observability_{name}") for name in names]
        assert [new - old for new, old in zip(after, before, strict=True)] == [1, 2, 1]

    def test_answers_503_are_counted_by_cause(self) -> None:
        prometheus.UNAVAILABLE.labels("lock")
        before = self.value('observability_unavailable_total{cause="lock"}')
        request = RequestFactory().get("/api/v1/traces")
        exception = caused_by(OperationalError, errors.LockNotAvailable())
        problems.ProblemMiddleware(lambda request: None).process_exception(request, exception)  # type: ignore[arg-type]
        assert self.value('observability_unavailable_total{cause="lock"}') == before + 1

    def test_the_state_of_databases_and_cache_is_read_at_every_request(self) -> None:
        assert self.value('observability_database_up{database="analytics"}') == 1
        assert self.value("observability_cache_up") == 1
