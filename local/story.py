"""Plays a scenario through the local stack, and tells what happens."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from inventory_sync.domain.locations import Location
from inventory_sync.domain.wording import counted
from local import scenario as steps
from local.figures import Figures, Key, read_figures
from local.newstore.availabilities import ImportFinding
from local.newstore.events import Event
from local.newstore.job import JobFaults
from local.other_system import Watched
from local.scenario import AnyStep, Publishing, Scenario, ScenarioError
from local.stack import Stack, StackPlan
from local.telling import tell_answer, tell_event, tell_figures, tell_import, tell_run, tell_text

Say = Callable[[str], None]
Watch = Callable[[str], None]
"""Called after each step with what happened."""


@dataclass(frozen=True)
class Difference:
    """A figure that is not as expected, and where the story was."""

    where: str
    figure: str
    expected: str
    actual: float | None


def plan_of(scenario: Scenario) -> StackPlan:
    """The stack that the story needs."""
    locations = [
        Location(
            location_id=place.location,
            fulfillment_node_id=place.location,
            store_id=place.store_id,
            erp_location=place.location,
        )
        for place in scenario.locations
    ]
    parameters, newstore = dict(scenario.parameters), {}
    if (other := scenario.other_system) is not None:
        # Without ranges only this reading lets a usual integration work at all.
        newstore["release"] = "immediate"
        parameters.setdefault("OtherSystemLagSeconds", str(other.lag_seconds))
    return StackPlan(
        locations=locations,
        parameters=parameters,
        settings=scenario.settings,
        erp=scenario.erp.model_dump(),
        newstore=newstore,
    )


class Story:
    """`differences` grows while the story is played."""

    def __init__(
        self, stack: Stack, scenario: Scenario, say: Say, watch: Watch | None = None
    ) -> None:
        self._stack, self._scenario, self._say = stack, scenario, say
        self._watch = watch or (lambda _: None)
        self._events: dict[str, Event] = {}
        self._physical: Counter[Key] = Counter()
        self.differences: list[Difference] = []
        for stock in scenario.stock:
            key = (stock.location, stock.product)
            stack.newstore.set_imported(key, stock.units)
            stack.erp.set_stock(key, stock.units)
            self._physical[key] = stock.units
        other = scenario.other_system
        self.watched = Watched(stack, other, lambda: dict(self._physical)) if other else None

    def figures(self) -> Figures:
        """What each system holds now."""
        key = self._scenario.key
        return read_figures(self._stack, key, self._physical[key])

    def play(self) -> Figures:
        """Every step, then what must hold at the end; ScenarioError for a step that cannot be."""
        figures = self.figures()
        self._say(f"{tell_text(0, 'At first:')}\n{tell_figures(figures)}")
        self._watch("At first.")
        for number, step in enumerate(self._scenario.steps, start=1):
            where = f"step {number} ({step.do})"
            told = self._take(step, where)
            figures = self.figures()
            if not (self._scenario.breaks_delivery_promise or self.watched):
                self._check_promise(where, figures)
            text = f"{step.say} {told}".strip()
            self._say(tell_text(number, text))
            if not isinstance(step, steps.Check):
                self._watch(text)
                self._say(tell_figures(figures))
        self.compare("the end", self._scenario.expect, figures)
        return figures

    def compare(self, where: str, expect: Mapping[Any, int | None], figures: Figures) -> None:
        """Note what differs."""
        actual = figures.named()
        self.differences += [
            Difference(where, name, str(value), actual[name])
            for name, value in expect.items()
            if actual[name] != value
        ]

    def _check_promise(self, where: str, now: Figures) -> None:
        """never_oversell, whatever the scenario expects."""
        most = now.physical - now.newstore_open_allocations
        if now.newstore_atp > most:
            oversold = Difference(where, "newstore_atp", f"at most {most}", now.newstore_atp)
            self.differences.append(oversold)

    def _take(self, step: AnyStep, where: str) -> str:
        stack = self._stack
        match step:
            case steps.Order() | steps.Ship() | steps.Fail():
                return self._publish(step, where)
            case steps.Deliver():
                return self._deliver_all(step, where)
            case steps.Receive():
                return self._receive(step)
            case steps.Wait():
                return self._wait(step.minutes)
            case steps.Tick():
                return self._tick(step)
            case steps.Sweep():
                return "The sweep: " + tell_answer(stack.sweep())
            case steps.ErpDown():
                stack.erp.faults.down_for(step.minutes * 60)
                return f"The ERP is down for {step.minutes:g} minutes."
            case steps.ErpLosesAnswers():
                stack.erp.faults.lose_next_answer(step.calls, "post_movements", step.applied)
                return f"The ERP will lose {step.calls} answers."
            case steps.ErpListsNothing():
                location = step.location or self._scenario.key[0]
                stack.erp.empty_next_snapshot(location)
                return f"The ERP's next stock list of {location} will be empty."
            case steps.JobWillFail():
                self._plan_failure(step)
                return f"NewStore's next job will fail after {counted(step.after_rows, 'row')}."
            case steps.Check():
                self.compare(where, step.expect, self.figures())
                return "Checked: " + ", ".join(f"{k} {v}" for k, v in step.expect.items()) + "."

    def _wait(self, minutes: float) -> str:
        if self.watched:
            self.watched.wait(minutes)
        else:
            self._stack.clock.sleep(minutes * 60)
        return f"{minutes:g} minutes pass."

    def _publish(self, step: Publishing, where: str) -> str:
        try:
            event = self._happen(step)
        except (KeyError, ValueError) as error:
            raise ScenarioError(f"{where} cannot happen: {error}") from error
        name = step.event or f"{step.request} {event['name'].rpartition('.')[2].split('_')[-1]}"
        self._events[name] = event
        told = tell_event(event)
        if not step.delivered:
            return f"{told} the event is under way."
        return f"{told} the webhook answers {self._deliver(name)}."

    def _tick(self, step: steps.Tick) -> str:
        jobs = self.figures().jobs_finished
        told = tell_run(self._stack.tick(full=step.full))
        figures = self.figures()
        return f"{told} {tell_import(figures)}" if figures.jobs_finished > jobs else told

    def _happen(self, step: Publishing) -> Event:
        newstore, at = self._stack.newstore, step.logical_timestamp
        if isinstance(step, steps.Order):
            location, product = self._scenario.key
            items = [
                (f"{step.request}-{number}", name)
                for number, name in enumerate(step.products or [product], start=1)
            ]
            place = step.location or location
            return newstore.assign(
                step.request, step.order, place, items, step.service_level, logical_timestamp=at
            )
        chosen = None if step.items is None else [f"{step.request}-{n}" for n in step.items]
        if isinstance(step, steps.Fail):
            return newstore.fail(step.request, chosen, logical_timestamp=at)
        request = newstore.book.requests[step.request]
        shipped = newstore.book.select_open(step.request, chosen)
        place = request.location_id
        self._physical.subtract([(place, item.product_id) for item in shipped])
        if self.watched:
            left = {item.item_id: item.product_id for item in shipped}
            self.watched.other.ships(step.request, place, left)
        return newstore.complete(step.request, chosen, logical_timestamp=at)

    def _deliver_all(self, step: steps.Deliver, where: str) -> str:
        if unknown := sorted(set(step.events) - self._events.keys()):
            raise ScenarioError(f"{where}: no such event: {', '.join(unknown)}")
        posts = [f"{name} {self._deliver(name)}" for name in step.events]
        return "NewStore delivers: " + ", ".join(posts) + "."

    def _deliver(self, name: str) -> str:
        status = self._stack.delivery.deliver_now(self._events[name])
        before = len(self._stack.stream.discarded)
        self._stack.stream.pump()
        given_up = len(self._stack.stream.discarded) - before
        return f"{status}, but the ERP did not take it: the sweep will" if given_up else str(status)

    def _receive(self, step: steps.Receive) -> str:
        location, product = self._scenario.key
        key = (step.location or location, step.product or product)
        self._stack.erp.receive(key, step.units)
        self._physical[key] += step.units
        return f"The ERP books a receipt of {step.units} units of {key[1]} at {key[0]}."

    def _plan_failure(self, step: steps.JobWillFail) -> None:
        finding = ImportFinding(step.reason, "availabilities", "/".join(self._scenario.key))
        self._stack.newstore.jobs.plan_next_job(
            JobFaults(0, step.after_rows, step.reason, findings=(finding,))
        )
