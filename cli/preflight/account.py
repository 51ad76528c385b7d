"""The account and the stack: secrets by their form, concurrency, who is told of alarms."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from typing import Any

from cli.mode import CUT_OVER, StackMode
from cli.preflight.check import Check, look, mend, passed, tried
from cli.text import iso, span
from inventory_sync.domain.errors import FatalError
from inventory_sync.domain.wording import counted

CONCURRENCY_MIN = 100
"""A new account has ten for all functions: an import, a sweep and the stream leave few of them."""
FILES = "import files"
WRONG_KEY = frozenset({"InvalidAccessKeyId", "SignatureDoesNotMatch"})
"""S3 looks at the key before it looks for the file."""
SECRETS_PAGE = "docs/deploy.md, Secrets"
TOPICS: Mapping[str, str] = {"PageTopicArn": "page", "TicketTopicArn": "ticket"}


@dataclass(frozen=True, slots=True)
class Subscriptions:
    """Of a topic: those that are confirmed, and those that nobody has confirmed."""

    confirmed: int
    pending: int


def secret_check(name: str, read: Callable[[], object]) -> Check:
    """Whether a secret has the form that its reader wants; its content is never shown."""

    def look_at_it() -> Check:
        read()
        return passed(title, "has the form it needs")

    title = f"secret: {name}"
    return tried(title, look_at_it, SECRETS_PAGE)


def mode_check(mode: StackMode, other_system_lag: timedelta | None) -> Check:
    """Live or a shadow, and what keeps it from working."""
    figures = {"mode": mode.mode.value, "shadow_until": iso(mode.shadow_until)}
    if mode.waits:
        remedy = f"Mode and GoLiveAt: {CUT_OVER}; then deploy"
        return mend("mode", mode.waits, remedy, **figures)
    if not mode.is_shadow:
        return passed("mode", mode.in_words, **figures)
    lag = other_system_lag or timedelta(0)
    told = f"shadow: nothing is posted; a shipped unit counts as booked elsewhere after {span(lag)}"
    return passed("mode", f"{told} (OtherSystemLagSeconds)", **figures)


def signed_files_check(fetch: Callable[[], tuple[int, str]], *, written: bool) -> Check:
    """Whether a signed URL can be fetched; without a file that is `written`, whether S3 knows its
    key. `fetch` answers with the status and S3's code."""
    status, code = fetch()
    told = "by URLs that a key of yours signs"
    if status == HTTPStatus.OK:
        return passed(FILES, f"{told}: the last import's file could be fetched by one")
    if not written and code not in WRONG_KEY:
        return passed(FILES, f"{told}: S3 knows the key; no import has written a file yet")
    return mend(
        FILES,
        f"{told}: S3 answers one with {status} {code}".rstrip(),
        f"the key in the secret that FileSigningSecretArn names: {SECRETS_PAGE}",
    )


def files_check(principal: str, *, shadow: bool = False) -> Check:
    """Whether NewStore may read an import's file by its s3 URI; a shadow writes none."""
    name = FILES
    if principal:
        return passed(name, f"by s3 URIs, which {principal} may read")
    if shadow:
        told = "a shadow writes none; before it is live, NewStore has to be able to read them"
        return look(name, told, "docs/settings.md, NewStore; then deploy")
    return mend(
        name,
        "nobody but the stack may read them: neither NewStorePrincipalArn nor"
        " FileSigningSecretArn is given",
        "docs/settings.md, NewStore; then deploy",
    )


def concurrency_check(settings: Mapping[str, Any]) -> Check:
    """How many functions may run at once, by Lambda's limits of the account."""
    limits = settings["AccountLimit"]
    whole = int(limits["ConcurrentExecutions"])
    free = int(limits.get("UnreservedConcurrentExecutions", whole))
    told = f"{whole} executions at once, {free} of them not reserved"
    figures = {"concurrent_executions": whole, "unreserved": free}
    if free < CONCURRENCY_MIN:
        return look(
            "account limits",
            f"{told}: at a busy hour events are answered 5xx",
            "docs/deploy.md, The account",
            **figures,
        )
    return passed("account limits", told, **figures)


def alarm_check(
    parameter: str, parameters: Mapping[str, str], ask: Callable[[str], Subscriptions]
) -> Check:
    """Whether somebody is told when an alarm of that kind goes off."""
    name, topic = f"alarms: {TOPICS[parameter]}", parameters.get(parameter, "")
    if not topic:
        return look(
            name,
            f"{parameter} is not given: nobody is told",
            "docs/deploy.md, First import: deploy with it once the first import has finished",
        )
    try:
        found = ask(topic)
    except FatalError as error:
        return look(name, f"{topic} could not be looked at: {error}", "docs/deploy.md, The account")
    waiting = f", {counted(found.pending, 'subscription')} not confirmed" if found.pending else ""
    told = f"{counted(found.confirmed, 'subscription')} of {topic}{waiting}"
    figures = {"confirmed": found.confirmed, "pending": found.pending}
    remedy = f"subscribe somebody and confirm it: aws sns subscribe --topic-arn {topic}"
    if not found.confirmed:
        return mend(name, f"{told}: nobody is told", remedy, **figures)
    if found.pending:
        return look(name, told, "the mail that asks for it", **figures)
    return passed(name, told, **figures)
