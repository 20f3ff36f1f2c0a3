from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from jobs import overview
from jobs.state import jobs_state
from web import number_text


class Command(BaseCommand):
    help = "Shows background work, runs a task now, pauses or resumes it, or runs a failed job again."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "action", nargs="?", choices=[*overview.ACTIONS, "again"], help="without it, the tasks are listed"
        )
        parser.add_argument("what", nargs="?", help="the name of a task; for `again` the number of a job")

    def handle(self, *args: Any, **options: Any) -> None:
        action, what = options["action"], options["what"] or ""
        if action is None:
            self.show()
        elif action == "again":
            if not (what.isascii() and what.isdigit()):
                raise CommandError("Give the number of a job.")
            self.stdout.write(overview.run_again(int(what)))
        elif what not in overview.own_tasks():
            raise CommandError(f"Give the name of a task: {', '.join(overview.own_tasks())}.")
        else:
            self.stdout.write(overview.ACTIONS[action](what))

    def show(self) -> None:
        self.stdout.write("State: {state}, lag: {lag_seconds} s".format(**jobs_state()))
        for task in overview.task_lines():
            last = f"last {task.last_run.started_at:%Y-%m-%d %H:%M:%S}" if task.last_run else "never run"
            took = f", took {number_text.ms(task.last_run.seconds * 1000)}" if task.last_run else ""
            paused = ", paused" if task.state.is_paused else ""
            counts = f"{task.state.runs} runs, {task.state.failures} failed"
            jobs = f"{task.waiting_jobs} waiting, {task.later_jobs} for later"
            self.stdout.write(f"{task.name}: {task.due or 'on demand'}, {last}{took}, {counts}, {jobs}{paused}")
        for job in overview.failed_jobs():
            self.stdout.write(f"Failed: job {job.id}, {job.task}: {job.reason}")
