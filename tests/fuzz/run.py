"""Fuzzes the parsers, guided by coverage, each for FUZZ_SECONDS (60), beginning with the stored corpus.

A finding is written to var/fuzz and printed, and the exit code is 1: fix it, and add its case to test_regressions.py.
"""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
CORPUS = Path(__file__).parent / "corpus"
FINDINGS = ROOT / "var" / "fuzz"
NAMES = ("otlp-protobuf", "otlp-json", "inflater")


class Outcome(NamedTuple):
    name: str
    executions: int
    coverage: int
    finding: str


def fuzz(name: str, seconds: int) -> Outcome:
    with tempfile.TemporaryDirectory() as grown:
        words = Path(grown, "words")
        words.write_text("".join(f'"{word}"\n' for word in vocabulary()))
        Path(grown, "corpus").mkdir()
        done = subprocess.run(
            [
                *(sys.executable, "-m", "tests.fuzz.fuzz_target", name),
                *(f"-max_total_time={seconds}", "-print_final_stats=1", "-max_len=4096", "-timeout=20"),
                *("-rss_limit_mb=2048", f"-dict={words}", f"-artifact_prefix={FINDINGS}/{name}-"),
                *(f"{grown}/corpus", str(CORPUS / name)),
            ],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
            errors="replace",
        )
    output = done.stdout + done.stderr
    executions = re.search(r"number_of_executed_units: (\d+)", output)
    coverage = re.findall(r"cov: (\d+)", output)
    failed = done.returncode != 0 or executions is None
    return Outcome(
        name, int(executions[1]) if executions else 0, int(coverage[-1]) if coverage else 0, output if failed else ""
    )


def vocabulary() -> list[str]:
    """Returns the names that clients write, so that fuzzing need not guess them."""
    folders = (ROOT / "ingest" / "clients", ROOT / "ingest" / "formats")
    source = "".join(path.read_text() for folder in folders for path in sorted(folder.glob("*.py")))
    return sorted({word for word in re.findall(r'"([\w.]{3,40})"', source) if word.isascii()})


def main() -> None:
    seconds = int(os.environ.get("FUZZ_SECONDS", "60"))
    FINDINGS.mkdir(parents=True, exist_ok=True)
    outcomes = [fuzz(name, seconds) for name in NAMES]
    print(f"{'target':16}{'executions':>12}{'edges':>8}  findings")
    for outcome in outcomes:
        findings = "1, see below" if outcome.finding else "none"
        print(f"{outcome.name:16}{outcome.executions:>12,}{outcome.coverage:>8,}  {findings}")
    for outcome in outcomes:
        if outcome.finding:
            print(f"\n{outcome.name}: the case is in {FINDINGS}\n{outcome.finding[-6000:]}")
    sys.exit(any(outcome.finding or not outcome.executions for outcome in outcomes))


if __name__ == "__main__":
    main()
