"""Reads and saves the body of `PUT /api/v1/cost/budget`: JSON from API clients, a form from the dashboard."""

import json
import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, NoReturn

from django.db import transaction
from django.http import QueryDict
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, WithJsonSchema

from budgets.models import MOST_USD, Budget, own_budget
from web.body import read_body
from web.json_body import check_levels
from web.problems import Problem
from workspaces.access import WorkspaceRequest
from workspaces.models import Workspace


def two_decimals(value: Decimal) -> Decimal:
    """Drops the zeros after the second decimal. PostgreSQL stores at most 16,383 of them, and JSON may hold more."""
    return abs(value.quantize(Decimal("0.01")))


Cents = Annotated[
    Decimal,
    Field(ge=0, le=Decimal("99999999.99"), decimal_places=2),
    AfterValidator(two_decimals),
    WithJsonSchema({"type": "number", "minimum": 0, "maximum": 99999999.99, "description": "At most two decimals."}),
]
Percentage = Annotated[
    Decimal,
    Field(gt=0, le=100, decimal_places=2),
    AfterValidator(two_decimals),
    WithJsonSchema({"type": "number", "exclusiveMinimum": 0, "maximum": 100, "description": "At most two decimals."}),
]
COLUMNS = {"monthly_limit_usd": "amount_usd"}
"""The columns of fields that are named otherwise."""
UNITS = {"monthly_limit_usd": "$", "alert_threshold_percentage": "%"}
"""The units that people may write beside the numbers of the form."""
THOUSANDS = re.compile(r"[0-9]{1,3}(,[0-9]{3})+(\.[0-9]+)?")
MESSAGES = {
    "is_instance_of": "must be a number",
    "decimal_parsing": "must be a number",
    "finite_number": "must be a number",
    "extra_forbidden": "unknown field",
    "model_type": "must be an object",
    "decimal_max_places": "must have at most two decimals",
}
# The message of a percentage names both of its bounds.
BOUNDS = {
    ("monthly_limit_usd", "greater_than_equal"): "must be at least 0",
    ("monthly_limit_usd", "less_than_equal"): "must be at most 99,999,999.99",
    ("alert_threshold_percentage", "greater_than"): "must be above 0 and at most 100",
    ("alert_threshold_percentage", "less_than_equal"): "must be above 0 and at most 100",
}


class BudgetUpdate(BaseModel):
    """The fields to change. A field that is left out keeps its value."""

    model_config = ConfigDict(extra="forbid")

    monthly_limit_usd: Cents | None = Field(default=None, description="null: no limit.")
    alert_threshold_percentage: Percentage = Field(
        default=Decimal(80), description="The budget warns when spend reaches this share of the limit."
    )


def parse_budget(request: WorkspaceRequest) -> BudgetUpdate:
    """Returns the changes in the body. Raises 400, 415 and 422 Problems."""
    try:
        if request.content_type == "application/x-www-form-urlencoded" and is_from_a_page(request):
            return BudgetUpdate.model_validate(form(read_body(request)))
        if request.content_type == "application/json":
            # Strict: money is a JSON number, never a string or a boolean.
            return BudgetUpdate.model_validate(exact_json(read_body(request)), strict=True)
    except ValidationError as error:
        raise Problem(
            422,
            "The budget is not valid.",
            [
                {"loc": ["body", *details["loc"]], "msg": message(details)}
                for details in error.errors(include_url=False, include_input=False)
            ],
        ) from error
    raise Problem(415, "Send the budget as Content-Type: application/json.")


def is_from_a_page(request: WorkspaceRequest) -> bool:
    """Returns whether the form comes from a page. Without a session it is probably JSON that curl sends as a form."""
    return bool(request.htmx) or request.user.is_authenticated


def message(details: Any) -> str:
    kind = details["type"]
    bound = BOUNDS.get((str(details["loc"][0]), kind)) if details["loc"] else None
    words: str = bound or MESSAGES.get(kind, details["msg"])
    return words


def form(body: bytes) -> dict[str, Any]:
    fields = QueryDict(body, encoding="utf-8").dict()
    fields.pop("csrfmiddlewaretoken", None)
    return {
        name: None if name == "monthly_limit_usd" and not value else plain_number(value, UNITS.get(name, ""))
        for name, value in fields.items()
    }


def plain_number(text: str, unit: str = "$") -> str:
    """Turns $1,500 into 1500, and 85 % into 85. 1,50 stays as it is and is then refused: its meaning is unclear."""
    number = text.strip().removeprefix("$" if unit == "$" else "").removesuffix("%" if unit == "%" else "").strip()
    return number.replace(",", "") if THOUSANDS.fullmatch(number) else number


def exact_json(body: bytes) -> Any:
    check_levels(body)
    try:
        return json.loads(
            body.decode("utf-8-sig"), parse_float=Decimal, parse_int=Decimal, parse_constant=refuse_constant
        )
    except (ValueError, ArithmeticError, RecursionError) as error:
        raise Problem(400, "The body is not JSON.") from error


def refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)


def check_limit(budget: Budget, now: datetime) -> None:
    """Raises a 422 Problem where the amount and the raises in force are together more than a limit may be."""
    limit = budget.limit_at(now)
    if limit is not None and limit > MOST_USD:
        message = f"must be at most {MOST_USD:,} with the raises in force"
        raise Problem(422, "The limit is too high.", [{"loc": ["body", "amount_usd"], "msg": message}])


@transaction.atomic
def save(workspace: Workspace, changes: dict[str, Any], changed_by: str) -> None:
    # The row of the workspace is the lock: the budget may have no row yet.
    Workspace.objects.select_for_update().get(pk=workspace.pk)
    before = Budget.objects.filter(workspace=workspace, is_workspace_budget=True).first()
    budget = own_budget(workspace)
    fields = {COLUMNS.get(name, name): value for name, value in changes.items()}
    for name, value in fields.items():
        setattr(budget, name, value)
    if before is not None:
        check_limit(budget, datetime.now(UTC))
    is_changed = before is None or any(getattr(before, name) != value for name, value in fields.items())
    budget.rearm_if_changed(before)
    budget.save()
    if is_changed:
        budget.record_change(before, changed_by)
