from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser

from ingest.resolve_again import resolve_again
from prices.repricing import Repriced, Totals, reprice
from workspaces.models import Workspace


def parse_utc(text: str) -> datetime:
    parsed = datetime.fromisoformat(text)
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


class Command(BaseCommand):
    help = (
        "Prices stored calls again, by today's overrides, price list and names of providers and models; "
        "shows the totals before and after."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--workspace", type=UUID, required=True)
        parser.add_argument("--from", type=parse_utc, required=True, dest="start", help="ISO 8601, UTC by default")
        parser.add_argument("--to", type=parse_utc, required=True, dest="end", help="exclusive")
        parser.add_argument("--dry-run", action="store_true", help="only show what would change")

    def handle(self, *args: Any, **options: Any) -> None:
        if not Workspace.objects.filter(pk=options["workspace"]).exists():
            raise CommandError(f"There is no workspace {options['workspace']}.")
        repriced = reprice(options["workspace"], options["start"], options["end"], options["dry_run"], resolve_again)
        for line in report_lines(repriced, "would change" if options["dry_run"] else "changed"):
            self.stdout.write(line)


def report_lines(repriced: Repriced, verb: str) -> Iterator[str]:
    total = repriced.total
    yield f"calls     {total.calls}"
    yield f"before    {total_words(total.before_usd, total.unpriced_before)}"
    yield f"after     {total_words(total.after_usd, total.unpriced_after)}"
    yield f"{verb:<9} {total.changed}"
    if repriced.kinds:
        kinds = sorted(repriced.kinds.items(), key=lambda one: (-one[1], one[0]))
        yield f"by kind   {', '.join(f'{kind} {count}' for kind, count in kinds)}"
    # The models with the largest change of cost come first.
    models = sorted(repriced.models.items(), key=lambda one: (-abs(one[1].after_usd - one[1].before_usd), one[0]))
    for (provider, model), totals in models:
        if totals.changed:
            yield f"  {provider or 'no provider'} {model or 'no model'}: {change_of(totals)}"


def change_of(totals: Totals) -> str:
    before, after = (
        total_words(totals.before_usd, totals.unpriced_before),
        total_words(totals.after_usd, totals.unpriced_after),
    )
    return f"{totals.changed} of {totals.calls} calls, {before} -> {after}"


def total_words(amount: Decimal, unpriced: int) -> str:
    return f"{amount.normalize():f} USD, {unpriced} unpriced"
