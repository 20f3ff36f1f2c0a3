"""Says what the sums of an experiment show, however often somebody looks."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.db import transaction

from insights import compare
from insights.compare import Compared, MeasureAnswer, measure_answer, of_means, of_rates
from insights.compare_words import sentence
from insights.experiments.models import NO_USER, RUNNING, Cause, Experiment, ExperimentLook, ExperimentSum
from insights.experiments.sums import fill
from methods.comparison import Arm, Users, always_valid_of, users_of

CLEAR = ("higher", "lower")
MOST_LOOKS = 500


class Sums(NamedTuple):
    """The fields of ExperimentSum that are a measure: its calls, its total, its squares."""

    calls: str
    total: str
    squares: str


SUMS = {
    "cost_per_call_usd": Sums("priced_calls", "cost_usd", "squared_cost"),
    "input_tokens_per_call": Sums("calls", "input_tokens", "squared_input"),
    "output_tokens_per_call": Sums("calls", "output_tokens", "squared_output"),
    "avg_latency_ms": Sums("timed_calls", "latency_ms", "squared_latency"),
    "error_rate": Sums("calls", "errors", "errors"),
}


def arm_of(found: Sequence[ExperimentSum], names: Sums) -> Arm:
    """Returns the arm of a measure: of all calls, with the variance by user of the users in the sample."""
    values = [(one.user_number, *(float(getattr(one, name)) for name in names)) for one in found]
    calls, total, squares = (sum(value[place] for value in values) for place in (1, 2, 3))
    known = [(int(n), y) for number, n, y, _ in values if number >= 0 and n]
    if not known:
        return Arm(int(calls), total, squares)
    alone = [value[1:] for value in values if value[0] == NO_USER]
    without_user = sum(n for n, *_ in alone)
    scale = (calls - without_user) / sum(n for n, _ in known)
    sample, mean = users_of(known), total / calls
    rest = sum(s - 2 * mean * y + mean**2 * n for n, y, s in alone) / (1 - 1 / calls) ** 2 if calls > 1 else 0.0
    users = Users(
        round(sample.users * scale + without_user),
        sample.residuals_squared * scale + max(rest, 0.0),
        sample.n_squared * scale + without_user,
    )
    return Arm(int(calls), total, squares, users)


def arms_of(experiment: Experiment) -> list[list[ExperimentSum]]:
    found = ExperimentSum.objects.filter(experiment=experiment)
    by_place: dict[int, list[ExperimentSum]] = {}
    for one in found:
        by_place.setdefault(one.place, []).append(one)
    return [by_place.get(place, []) for place in range(len(experiment.slices))]


def compared(experiment: Experiment, arms: Sequence[Sequence[ExperimentSum]]) -> dict[str, Compared]:
    width = always_valid_of(len(arms) - 1)
    found = {}
    for name in experiment.measures:
        values = [arm_of(arm, SUMS[name]) for arm in arms]
        found[name] = of_rates(values, compare.PERCENT, width) if name in compare.RATES else of_means(values, width)
    return found


def words_of(experiment: Experiment, found: Mapping[str, Compared]) -> str:
    """Returns what the first measure says of each slice."""
    first, slices = next(iter(found)), experiment.arms
    return " ".join(
        sentence(first, one, slices[place + 1].value or "", slices[0].value or "")
        for place, one in enumerate(found[first].comparisons)
    )


def results_of(experiment: Experiment, found: Mapping[str, Compared]) -> dict[str, Any]:
    """Returns what is stored, and answered: calls of each slice, sentence, and measures."""
    answers: list[MeasureAnswer] = [measure_answer(name, one, experiment.arms) for name, one in found.items()]
    return {"words": words_of(experiment, found), "measures": answers}


def evaluate(experiment: Experiment, now: datetime) -> Experiment:
    """Adds the calls that have arrived, stores what they show, and ends the experiment where its rule says so."""
    experiment = fill(experiment, now)
    arms = arms_of(experiment)
    found = compared(experiment, arms)
    calls = [sum(one.calls for one in arm) for arm in arms]
    return store(experiment, found, calls, now)


@transaction.atomic
def store(experiment: Experiment, found: Mapping[str, Compared], calls: list[int], now: datetime) -> Experiment:
    stored = Experiment.objects.select_for_update().select_related("workspace").get(pk=experiment.pk)
    if stored.state != RUNNING or stored.filled_until != experiment.filled_until:
        return stored
    stored.results = results_of(stored, found) | {"calls": calls}
    verdicts = [str(one.verdict) for one in next(iter(found.values())).comparisons]
    if cause := end_of(stored, verdicts, calls):
        stored.end(now, cause)
    stored.save(update_fields=["results", "state", "ended_at", "ended_because"])
    look(stored, verdicts, calls)
    return stored


def end_of(experiment: Experiment, verdicts: Sequence[str], calls: Sequence[int]) -> Cause | None:
    """Returns the rule that ends the experiment now."""
    if experiment.ends_on_verdict and all(verdict in CLEAR for verdict in verdicts):
        return "verdict"
    if experiment.ends_after_calls and min(calls) >= experiment.ends_after_calls:
        return "calls"
    return "date" if experiment.ends_at and experiment.filled_until >= experiment.ends_at else None


def look(experiment: Experiment, verdicts: list[str], calls: list[int]) -> None:
    """Records the first look of a day, and each that has another verdict than the last, or is the last."""
    last, at = experiment.looks.first(), experiment.filled_until
    zone = experiment.workspace.zone
    is_new_day = last is None or last.at.astimezone(zone).date() != at.astimezone(zone).date()
    if not (is_new_day or last.verdicts != verdicts or experiment.state != RUNNING):  # type: ignore[union-attr]
        return
    values = {"calls": calls, "verdicts": verdicts, "words": experiment.results["words"]}
    ExperimentLook.objects.update_or_create(experiment=experiment, at=at, defaults=values)
    too_many = experiment.looks.values_list("pk", flat=True)[MOST_LOOKS:]
    ExperimentLook.objects.filter(pk__in=list(too_many)).delete()
