"""The snippets of docs/budgets.md stop an agent whose budget is spent, and let it go on while the product is away."""

import asyncio
import re
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from budgets.models import Budget
from tests.factories import an_api_key
from tests.tenant import Tenant

pytestmark = pytest.mark.django_db(databases="__all__", transaction=True)

DOCUMENT = (Path(__file__).resolve().parents[2] / "docs/budgets.md").read_text()
PATIENT = {"timeout=2)": "timeout=60)", "timeout(2000)": "timeout(60000)"}
"""A busy machine must not make an agent go on in a test."""
NOBODY_THERE = "http://127.0.0.1:9"


def snippets(language: str) -> list[str]:
    found = re.findall(rf"```{language}\n(.*?)```", DOCUMENT, re.DOTALL)
    for hurried, patient in PATIENT.items():
        found = [text.replace(hurried, patient) for text in found]
    return found


PYTHON, LITELLM, LANGCHAIN = snippets("python")


@pytest.fixture
def spent(tenant: Tenant, live_server: Any, monkeypatch: pytest.MonkeyPatch) -> Tenant:
    """Makes a budget of the agent support that is spent, and a key as agents have it."""
    scope = {"agent_id": ["support"]}
    Budget.objects.create(workspace=tenant.workspace, name="Support", amount_usd=Decimal(5), scope=scope)
    tenant.calls(1, datetime.now(UTC), cost_usd="5")
    _, secret = an_api_key("ingest", workspace=tenant.workspace)
    monkeypatch.setenv("OBSERVABILITY_URL", live_server.url)
    monkeypatch.setenv("OBSERVABILITY_KEY", secret)
    return tenant


def loaded(*texts: str) -> dict[str, Any]:
    names: dict[str, Any] = {}
    for text in texts:
        exec(compile(text, "docs/budgets.md", "exec"), names)  # noqa: S102 (a snippet of our own)
    return names


@pytest.mark.usefixtures("spent")
def test_python_stops_the_agent_whose_budget_is_spent() -> None:
    names = loaded(PYTHON)
    names["check_budget"](agent_id="sales")
    with pytest.raises(names["BudgetSpent"], match="Support is spent until"):
        names["check_budget"](agent_id="support")


@pytest.mark.usefixtures("spent")
def test_python_goes_on_while_the_product_is_away_but_not_with_a_wrong_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OBSERVABILITY_KEY", "aop_wrong")
    with pytest.raises(OSError, match="401"):
        loaded(PYTHON)["check_budget"](agent_id="support")
    monkeypatch.setenv("OBSERVABILITY_URL", NOBODY_THERE)
    loaded(PYTHON)["check_budget"](agent_id="support")


TYPES = re.compile(r": (?:Record<string, string>|Promise<void>|Response)(?=[);{ ])")
"""What Node.js before version 22 does not read."""


@pytest.mark.usefixtures("spent")
@pytest.mark.skipif(shutil.which("node") is None, reason="Node.js runs the snippet")
def test_typescript_stops_the_agent_whose_budget_is_spent(tmp_path: Path) -> None:
    [text] = snippets("typescript")
    assert len(TYPES.findall(text)) == 3
    (tmp_path / "check.mjs").write_text(TYPES.sub("", text) + CALLS)
    ran = subprocess.run(["node", "check.mjs"], cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert ran.stdout.startswith("BudgetSpent Support is spent until"), ran.stderr


CALLS = """
await checkBudget({ agent_id: "sales" });
try {
  await checkBudget({ agent_id: "support" });
} catch (error) {
  console.log(error.constructor.name, error.message);
}
"""


def pretend(monkeypatch: pytest.MonkeyPatch, name: str, **classes: Any) -> None:
    """Puts a module with these classes in the place of a library that the tests do not install."""
    parts = name.split(".")
    for end in range(1, len(parts) + 1):
        monkeypatch.setitem(sys.modules, ".".join(parts[:end]), ModuleType(".".join(parts[:end])))
    for class_name, value in classes.items():
        setattr(sys.modules[name], class_name, value)


@pytest.mark.usefixtures("spent")
def test_the_hook_of_litellm_refuses_a_request_over_budget(spent: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch, "litellm.integrations.custom_logger", CustomLogger=type("CustomLogger", (), {}))
    names = loaded(PYTHON, LITELLM)
    body = {"model": "gpt-4o", "user": "ada", "messages": []}
    assert asyncio.run(names["hook"].async_pre_call_hook(None, None, body, "completion")) is body
    Budget.objects.create(workspace=spent.workspace, name="Model", amount_usd=Decimal(0), scope={"model": ["gpt-4o"]})
    with pytest.raises(names["BudgetSpent"], match="Model is spent"):
        asyncio.run(names["hook"].async_pre_call_hook(None, None, body, "completion"))


@pytest.mark.usefixtures("spent")
def test_the_callback_of_langchain_raises_its_errors(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch, "langchain_core.callbacks", BaseCallbackHandler=type("BaseCallbackHandler", (), {}))
    names = loaded(PYTHON, LANGCHAIN)
    callback = names["BudgetCallback"](agent_id="support")
    assert callback.raise_error is True
    with pytest.raises(names["BudgetSpent"], match="Support is spent"):
        callback.on_chat_model_start({}, [[]], invocation_params={"model": "gpt-4o"})
    names["BudgetCallback"](agent_id="sales").on_chat_model_start({}, [[]])
