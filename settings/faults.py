"""Turns what a model finds wrong with its values into a Problem for clients, and into words for people."""

from django.core.exceptions import ValidationError

from analytics.budget_pages import words_of
from web.problems import Problem

SHOWN_STATUSES = (409, 422)
"""Of faults that a page shows at its form."""


def invalid_form(error: ValidationError, what: str) -> Problem:
    return Problem(
        422,
        f"The {what} is not valid.",
        [
            {"loc": ["body", *([] if name == "__all__" else [name])], "msg": " ".join(messages)}
            for name, messages in error.message_dict.items()
        ],
    )


def shown_errors(problem: Problem) -> list[str]:
    """Returns the faults of a form in words. Raises the problem if it is of another kind."""
    if problem.status not in SHOWN_STATUSES:
        raise problem
    return words_of(problem)
