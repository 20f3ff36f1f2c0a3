"""Describes the endpoints below `/api/v1/budgets` for the API document."""

from functools import partial

from analytics import examples
from analytics.budget_api import CHECK_SECONDS, CheckQuery, DetailQuery
from analytics.endpoints import ListQuery
from analytics.openapi import (
    OPTIONAL_WORKSPACE,
    WITH_BODY,
    WORKSPACE,
    Schema,
)
from analytics.operation_parts import also_created, body, describe, in_path, query_of, without_answer
from budgets.bodies import BudgetChanges, NewBudget, NewRaise
from budgets.check import Check
from budgets.items import BudgetDetail, BudgetItem, BudgetList
from budgets.preview import Preview

ID = in_path("budget_id", "The budget's id.")
EXAMPLE_PATH = {"budget_id": examples.NEW_BUDGET["id"]}


operation = partial(describe, "budgets")


def operations() -> dict[str, Schema]:
    """Returns the operations by path. Whatever deletes the example comes last, since a test runs them in this order."""
    return {
        "/api/v1/budgets": {"get": list_budgets(), "post": create()},
        "/api/v1/budgets/preview": {"post": preview()},
        "/api/v1/budgets/check": {"get": check()},
        "/api/v1/budgets/{budget_id}/raise": {"post": raise_limit(), "delete": end_raises()},
        "/api/v1/budgets/{budget_id}": {"get": one(), "patch": change(), "delete": delete()},
    }


def list_budgets() -> Schema:
    return operation(
        "list-budgets",
        "The budgets of the workspace, 50 at once, and where they stand.",
        BudgetList,
        parameters=[WORKSPACE, *query_of(ListQuery)],
    )


def create() -> Schema:
    made = operation(
        "create-budget",
        "Makes a budget: of the workspace, a part of it, or for each user, agent, model or label.",
        BudgetItem,
        *(*WITH_BODY, 409),
        requestBody=body(NewBudget, examples.NEW_BUDGET),
        **{"x-example": {"body": examples.NEW_BUDGET}},
    )
    return also_created(made, "The budget, which is new.")


def preview() -> Schema:
    return operation(
        "preview-budget",
        "Which thresholds a budget would have reached in past periods, without making it.",
        Preview,
        *WITH_BODY,
        requestBody=body(NewBudget, examples.PREVIEW),
        **{"x-example": {"body": examples.PREVIEW}},
    )


def check() -> Schema:
    return operation(
        "check-budgets",
        "Whether every budget that would count such a call is below its limit.",
        Check,
        description=(
            "For agents that stop themselves: it blocks nobody. Say what the call would be; a budget whose scope or "
            "template names a filter that you leave out does not count it. Keys with the scope `read` or `ingest` may "
            f"ask.\n\nAn answer may be {CHECK_SECONDS} seconds old; `as_of` says how old."
        ),
        parameters=[OPTIONAL_WORKSPACE, *query_of(CheckQuery)],
        **{"x-example": {"query": "agent_id=support&user_id=ada&model=gpt-4o"}},
    )


def one() -> Schema:
    return operation(
        "one-budget",
        "One budget with its past periods, events, history and those who spend the most.",
        BudgetDetail,
        404,
        parameters=[ID, WORKSPACE, *query_of(DetailQuery)],
        **{"x-example": {"path": EXAMPLE_PATH, "query": "limit=10"}},
    )


def change() -> Schema:
    return operation(
        "change-budget",
        "Changes a budget; a field that is left out keeps its value.",
        BudgetItem,
        *(*WITH_BODY, 404),
        parameters=[ID, WORKSPACE],
        requestBody=body(BudgetChanges, examples.BUDGET_CHANGES, is_update=True),
        **{"x-example": {"path": EXAMPLE_PATH, "body": examples.BUDGET_CHANGES}},
    )


def delete() -> Schema:
    gone = operation(
        "delete-budget",
        "Deletes a budget with its history. The workspace's own stays.",
        BudgetItem,
        *(404, 409),
        parameters=[ID, WORKSPACE],
        **{"x-example": {"path": EXAMPLE_PATH}},
    )
    return without_answer(gone)


def raise_limit() -> Schema:
    return operation(
        "raise-budget",
        "Adds an amount to the limit for some time.",
        BudgetItem,
        *(*WITH_BODY, 404, 409),
        parameters=[ID, WORKSPACE],
        requestBody=body(NewRaise, examples.raise_until_tomorrow()),
        **{"x-example": {"path": EXAMPLE_PATH, "body": examples.raise_until_tomorrow()}},
    )


def end_raises() -> Schema:
    return operation(
        "end-raises",
        "Ends the raises that are in force.",
        BudgetItem,
        404,
        parameters=[ID, WORKSPACE],
        **{"x-example": {"path": EXAMPLE_PATH}},
    )
