"""Makes two workspaces that must not see each other, every identity that may try, and a count of the tries."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.test import Client

from budgets.models import Budget, BudgetChange
from ingest.store import store_scores
from prices.models import PriceOverride
from tests.factories import MembershipFactory, UserFactory, WorkspaceFactory, an_api_key
from tests.summaries import COUNTS
from tests.tenant import NOON, a_row
from traces import writer
from traces.db import rows
from traces.scores import Score
from workspaces.models import ApiKey, Membership, Workspace

BACKEND = "django.contrib.auth.backends.ModelBackend"
CANARY = "canary-b"
B_LIMIT_USD = "31337.37"
"""Has a point, so that no random id (hexadecimal) and no length of a body can hold it by chance."""
B_LIMIT_SHOWN = (B_LIMIT_USD, "31,337.37")
"""The limit as JSON and as pages write it."""
PROBES = COUNTS["security"]
"""How often each kind of attack was tried; printed at the end of a run."""

TEXTS = (
    *("agent_id", "provider", "model", "user_id", "session_id", "environment", "release", "name", "error_type"),
    *("error_message", "response_id"),
)


@dataclass
class World:
    a: Workspace
    b: Workspace
    identities: dict[str, tuple[Client, dict[str, str]]]
    """A browser and the headers of its credential: anonymous, key, viewer, editor and owner, all of A."""
    b_owner: tuple[Client, dict[str, str]]
    b_member: Membership
    b_key: ApiKey

    def state_of_b(self) -> Any:
        """Returns everything of B that somebody could change."""
        return (
            rows("SELECT * FROM traces WHERE workspace_id = %(id)s ORDER BY span_id", {"id": self.b.id}),
            rows("SELECT * FROM scores WHERE workspace_id = %(id)s ORDER BY id", {"id": self.b.id}),
            rows("SELECT * FROM score_sums WHERE workspace_id = %(id)s AND scores > 0", {"id": self.b.id}),
            *(
                list(model.objects.filter(**{path: self.b.id}).order_by("pk").values())
                for model, path in (
                    (Workspace, "pk"),
                    (Budget, "workspace"),
                    (BudgetChange, "budget__workspace"),
                    (PriceOverride, "workspace"),
                    (Membership, "workspace"),
                )
            ),
            list(ApiKey.objects.filter(workspace=self.b).order_by("pk").values("pk", "name", "revoked_at", "can_read")),
        )


def a_world() -> World:
    a, b = WorkspaceFactory(name="canary-a"), WorkspaceFactory(name=f"{CANARY}-workspace")
    for workspace, label in ((a, "canary-a"), (b, CANARY)):
        fill(workspace, label)
    identities: dict[str, tuple[Client, dict[str, str]]] = {"anonymous": (browser(), {})}
    _, secret = an_api_key("ingest", "read", "write", workspace=a)
    identities["key"] = (browser(), {"Authorization": f"Bearer {secret}"})
    for role in ("viewer", "editor", "owner"):
        identities[role] = signed_in(MembershipFactory(workspace=a, role=role).user)
    b_member = MembershipFactory(workspace=b, role="owner", user=UserFactory(username=f"{CANARY}-user"))
    b_key, _ = an_api_key("ingest", "read", "write", workspace=b)
    return World(a, b, identities, signed_in(b_member.user), b_member, b_key)


def browser() -> Client:
    return Client(enforce_csrf_checks=True)


def signed_in(user: Any) -> tuple[Client, dict[str, str]]:
    """Returns a browser with a session, and the token that its forms would send."""
    client = browser()
    client.get("/sign-in")
    client.force_login(user, backend=BACKEND)
    return client, {"X-CSRFToken": client.cookies["csrftoken"].value}


def fill(workspace: Workspace, label: str) -> None:
    """Stores three calls (one failed) and all other objects of a workspace; the ids are the same in every workspace."""
    writer.store(
        workspace.id,
        [
            a_row(
                NOON + timedelta(minutes=number),
                trace_id="1" * 32,
                span_id=f"{number:016x}",
                status="error" if number == 2 else "success",
                cost_usd="1.00" if label != CANARY else "77.77",
                latency_ms=100.0 if label != CANARY else 7777.0,
                attributes={"prompt": f"{label}-prompt"},
                labels={"customer": f"{label}-label.customer", f"{label}-name": f"{label}-value"},
                **{name: f"{label}-{name}" for name in TEXTS},
            )
            for number in range(3)
        ],
    )
    store_scores(
        workspace.id,
        [
            Score(
                id="score-1",
                timestamp=NOON,
                name=f"{label}-score",
                trace_id="1" * 32,
                category=f"{label}-category",
                comment=f"{label}-comment",
                source="api",
            )
        ],
    )
    limit = B_LIMIT_USD if label == CANARY else 100
    Budget.objects.create(is_workspace_budget=True, workspace=workspace, amount_usd=limit).record_change(
        None, f"{label}-author"
    )
    PriceOverride.objects.create(
        workspace=workspace, model_pattern=f"{label}-model", input_usd_per_million=1, output_usd_per_million=1
    )


def selecting(workspace_id: UUID | str) -> dict[str, str]:
    return {"X-Workspace-ID": str(workspace_id)}
