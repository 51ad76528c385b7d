"""`make demo`: a story through the real code. Exit code 0, 1 (it ended otherwise), 2 (no story)."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter

from cli.room.history import History
from cli.room.page import report_page
from cli.shadow_page import page_of
from local.room.recording import local_reader, recorder
from local.scenario import SUMMARY_FIGURES, Scenario, ScenarioError, read_scenario
from local.stack import IMPORT, LocalStack, local_stack
from local.story import Difference, Story, plan_of
from local.telling import HEADINGS, LEGEND, tell_comparison
from local.template import ROOT, TemplateError

GUIDE_EXAMPLE = ROOT / "local" / "scenarios" / "guide_example.json"
OUT = ROOT / "build" / "demo"


def main(arguments: Sequence[str], out: Path = OUT) -> int:
    """Play the scenario named by the first argument, by default the guide's example."""
    try:
        scenario = read_scenario(Path(arguments[0]) if arguments else GUIDE_EXAMPLE)
        out.mkdir(parents=True, exist_ok=True)
        code = play(scenario, out)
        sys.stdout.flush()
        return code
    except (ScenarioError, TemplateError) as error:
        print(error, file=sys.stderr)
        return 2
    except BrokenPipeError:  # whoever read along has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:  # noqa: BLE001  # whatever it was, say it in a line
        print(
            f"The story broke off: {type(error).__name__}: {error}\n"
            f"Look at the last lines of {out / 'log.jsonl'}; if they do not help, run `make test`.",
            file=sys.stderr,
        )
        return 1


def play(scenario: Scenario, out: Path) -> int:
    """Tell the story, write summary.json, log.jsonl and report.html, and compare."""
    started = perf_counter()
    print(f"{scenario.title}\n")
    for line in scenario.why:
        print(f"    {line}")
    print(f"\n{HEADINGS}")
    history = History()
    with (
        (out / "log.jsonl").open("w", encoding="utf-8") as log,
        local_stack(plan_of(scenario), log=log) as stack,
    ):
        record = recorder(local_reader(stack), history)
        story = Story(stack, scenario, print, record)
        figures = story.play()
        differences = [*story.differences, *_of_shadow(story, stack, out)]
    named = figures.named()
    summary = {name: named[name] for name in SUMMARY_FIGURES}
    (out / "summary.json").write_text(json.dumps(summary, indent=2) + "\n", encoding="utf-8")
    (out / "report.html").write_text(
        report_page(scenario.title, history.moments()), encoding="utf-8"
    )
    print(f"{LEGEND}\n\n{tell_comparison(scenario.expect, figures)}\n")
    print(
        f"Played in {perf_counter() - started:.1f} s; see summary.json and log.jsonl in {out},"
        f" and the picture of it all: {(out / 'report.html').resolve().as_uri()}"
    )
    return _verdict(differences)


def _of_shadow(story: Story, stack: LocalStack, out: Path) -> list[Difference]:
    """What the shadow's report says otherwise than what is true; the report is kept."""
    if (watched := story.watched) is None:
        return []
    report = watched.report(stack.template.physical_id("ImportBucket"))
    lag = stack.template.environment(IMPORT)["OTHER_SYSTEM_LAG_SECONDS"]
    page = out / "shadow-report.html"
    page.write_text(page_of(report, lag), encoding="utf-8")
    compared = watched.compared(report)
    print(f"\n    {'unit hours promised':40} {'true':>8} {'reported':>8}")
    for name, true, said in compared:
        print(f"    {name:40} {true:8.2f} {said:8.2f}{'' if true == said else '   <- differs'}")
    print(f"    {'of these certain by the report':40} {report.total.certain.unit_hours:17.2f}")
    print(f"    The report: {page.resolve().as_uri()}")
    return [
        Difference("the shadow's report", name, f"{true:.2f}", said)
        for name, true, said in compared
        if true != said
    ]


def _verdict(differences: Sequence[Difference]) -> int:
    if not differences:
        print("As expected, after every step.")
        return 0
    print("\nNot as expected:")
    print(f"    {'where':24} {'figure':30} {'expected':>12} {'actual':>8}")
    for difference in differences:
        print(
            f"    {difference.where:24} {difference.figure:30}"
            f" {difference.expected:>12} {difference.actual!s:>8}"
        )
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
