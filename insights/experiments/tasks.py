"""The work on experiments that no request does."""

from datetime import datetime, timedelta

from django.utils import timezone

from insights.experiments.models import RUNNING, Experiment, ExperimentSum
from insights.experiments.verdicts import evaluate
from web.clock import check_clocks
from web.queue import for_each, task

SUMS_STORED = timedelta(days=30)
"""After the end of an experiment. What it showed stays with it."""


# The next run is the next attempt, as for budgets.
@task("insights.evaluate_experiments", retry_pauses=())
def evaluate_experiments(due_at: str) -> None:
    """Adds the calls that have arrived to the sums of running experiments, and looks what they show."""
    now = timezone.now()
    running = Experiment.objects.filter(state=RUNNING, started_at__lt=now).select_related("workspace")

    def look(experiment: Experiment) -> None:
        evaluate(experiment, now)

    for_each(running.order_by("pk"), look)


@task("insights.delete_old_experiment_sums")
def delete_old_experiment_sums(due_at: str) -> None:
    """Deletes the sums of experiments that ended more than 30 days ago."""
    check_clocks(due_at)
    ended = datetime.fromisoformat(due_at) - SUMS_STORED
    ExperimentSum.objects.filter(experiment__ended_at__lt=ended).delete()
