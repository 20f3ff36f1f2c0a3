"""The work on budgets that no request does."""

from datetime import datetime, timedelta

from django.utils import timezone

from budgets.evaluation import evaluate
from budgets.models import BudgetEvent
from web.clock import check_clocks
from web.queue import task

EVENTS_STORED = timedelta(days=400)


# The next minute is the next attempt: a job that waited for another one would keep all later minutes out of the queue.
@task("budgets.evaluate", retry_pauses=())
def evaluate_budgets(due_at: str) -> None:
    """Looks at all budgets, and stores the thresholds that they have reached."""
    evaluate(timezone.now())


@task("budgets.delete_old_events")
def delete_old_events(due_at: str) -> None:
    """Deletes what happened to budgets more than 400 days ago."""
    check_clocks(due_at)
    BudgetEvent.objects.filter(at__lt=datetime.fromisoformat(due_at) - EVENTS_STORED).exclude(ended_at=None).delete()
