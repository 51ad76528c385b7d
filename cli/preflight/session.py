"""One preflight: what is read, in the order in which it is to be mended."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, partial

from cli.command import Operator
from cli.findings import Findings, look_at_calls, look_at_settings
from cli.mode import StackMode, stack_mode
from cli.newstore_locations import compare
from cli.preflight.account import (
    FILES,
    SECRETS_PAGE,
    TOPICS,
    Subscriptions,
    alarm_check,
    concurrency_check,
    files_check,
    mode_check,
    secret_check,
    signed_files_check,
)
from cli.preflight.check import Check, State, by_findings, look, mend, not_checked, tried
from cli.preflight.clocks import Reading, erp_clock_check, newstore_clock_check, read_clock
from cli.preflight.erp import (
    StockSample,
    capability_checks,
    credential_check,
    sample_stock,
    stock_check,
)
from cli.preflight.first_import import Plan, interval_of, reading_check, size_check
from cli.preflight.newstore import (
    evidence_check,
    location_checks,
    product_check,
    rights_check,
    token_check,
)
from cli.preflight.stream import REGISTER, stream_checks, webhook_check
from cli.progress import Progress
from cli.smoke import IGNORED, Checks, door_of, sample, tenant_of, try_webhook
from cli.stack import Stack
from cli.status import look_at_release
from cli.stream import look_at_stream
from inventory_sync.adapters.aws.errors import translated
from inventory_sync.adapters.newstore.token import scopes_of
from inventory_sync.adapters.s3.file_store import archive_key
from inventory_sync.bootstrap.preflight import Sides
from inventory_sync.config import CsvConnector
from inventory_sync.domain.atp import AtpKey
from inventory_sync.domain.erp import ChangeFeed, ErpCapabilities
from inventory_sync.domain.errors import InventorySyncError
from inventory_sync.domain.import_head import ImportHead
from inventory_sync.domain.mode import Mode

ONCE_MORE = "`preflight` once more"
ACCOUNT_PAGE = "docs/deploy.md, Operators' rights"
PENDING = "PendingConfirmation"
"""SNS's word in place of a subscription's ARN."""
NEWSTORE_FIRST = "NewStore gives no token"
LIVE = StackMode(mode=Mode.LIVE)
NOTHING_READ = StockSample(locations=0)
ERP_FIRST = "the ERP could not be asked what it can do"


@dataclass
class Session:
    """`url` is the webhook's where it is not the stack's own; `size` locations are read."""

    operator: Operator
    url: str | None
    size: int
    line: Progress
    sample: StockSample = NOTHING_READ
    mode: StackMode = LIVE

    @property
    def _stack(self) -> Stack:
        return self.operator.stack

    def checks(self) -> Iterator[Check]:
        """Each as it is made."""
        self.line.say("settings and secrets")
        look_at = partial(look_at_settings, self.operator)
        yield by_findings("settings", look_at, "docs/settings.md, then deploy")
        try:
            sides = self._stack.sides
        except InventorySyncError as error:
            yield not_checked("both sides", f"the import function cannot run: {error}")
            return
        mode = stack_mode(sides.settings.erp, self._stack.shadow_until(), self.operator.now)
        self.mode = mode
        yield mode_check(mode, sides.settings.erp.other_system_lag)
        yield from self._account(sides)
        self.line.say("NewStore")
        yield (token := token_check(sides.tokens.bearer, scopes_of))
        let_in = token.state is State.PASSED
        yield from self._newstore(sides, let_in)
        self.line.say("webhook")
        yield tried("webhook", self._webhook, "`smoke`")
        self.line.say("ERP")
        credential, capabilities = credential_check(sides.books)
        yield credential
        yield from self._clocks(sides)
        if capabilities is None:
            yield not_checked("ERP: stock", ERP_FIRST)
        else:
            yield from self._stock(sides, capabilities)
        yield from self._rows(sides, let_in)

    def _account(self, sides: Sides) -> Iterator[Check]:
        yield secret_check("inbound keys", self._stack.inbound_key)
        for name, read in sides.secrets.items():
            yield secret_check(name, read)
        connect = self._stack.connect
        yield tried(
            "account limits", lambda: concurrency_check(connect.account()), ACCOUNT_PAGE, State.LOOK
        )
        try:
            parameters = self._stack.parameters
        except InventorySyncError as error:
            yield look("stack parameters", str(error), ACCOUNT_PAGE)
            return
        if sides.settings.file_signing_secret_arn:
            yield tried(FILES, lambda: self._signed_files(sides), SECRETS_PAGE)
        else:
            principal = parameters.get("NewStorePrincipalArn", "")
            yield files_check(principal, shadow=self.mode.is_shadow)
        for parameter in TOPICS:
            yield alarm_check(parameter, parameters, self._subscriptions)

    def _signed_files(self, sides: Sides) -> Check:
        """The newest file there is, as NewStore would fetch it."""
        run_id = self._stack.head.head().finished_run_id or "preflight"
        written = any(self._stack.bucket.keys(archive_key(run_id)))
        url = sides.build.files.archive_uri(run_id)
        return signed_files_check(lambda: self._stack.connect.fetched(url), written=written)

    def _subscriptions(self, topic: str) -> Subscriptions:
        """Whom it tells is not looked at."""
        with translated(f"topic {topic}"):
            pages = self._stack.connect.sns().get_paginator("list_subscriptions_by_topic")
            arns = [
                one["SubscriptionArn"]
                for page in pages.paginate(TopicArn=topic)
                for one in page["Subscriptions"]
            ]
        pending = arns.count(PENDING)
        return Subscriptions(len(arns) - pending, pending)

    def _newstore(self, sides: Sides, let_in: bool) -> Iterator[Check]:
        if not let_in:
            for name in ("NewStore: rights", "locations", "stream"):
                yield not_checked(name, NEWSTORE_FIRST)
            return
        streams = self._stack.stream_admin.streams
        yield rights_check({**sides.reads, "event streams": streams.streams})
        places = self.operator.store.locations()
        try:
            yield from location_checks(len(places), compare(places.values(), sides.newstore))
        except InventorySyncError as error:
            yield mend("locations", str(error), "docs/deploy.md, Secrets")
        try:
            found = look_at_stream(self.operator)
        except InventorySyncError as error:
            yield mend("stream", str(error), "docs/deploy.md, Secrets")
            return
        yield from stream_checks(self._stack.stream_admin.stream_id, found, self.operator.now)
        if found.ours is not None:
            look_at = partial(look_at_calls, self.operator)
            yield by_findings("stream: key", look_at, REGISTER)

    def _webhook(self) -> Check:
        door, answers = door_of(self.operator, self.url), Checks()
        body = sample(self.operator, tenant_of(self.operator), IGNORED, {})
        try_webhook(door, body, answers)
        return webhook_check(door.url, answers)

    def _clocks(self, sides: Sides) -> Iterator[Check]:
        connect, erp = self._stack.connect, sides.settings.erp.connector

        def of_aws() -> str:
            return str(connect.account()["ResponseMetadata"]["HTTPHeaders"].get("date", ""))

        def of(url: str) -> Reading:
            return read_clock(lambda: connect.date_of(url), connect)

        try:
            aws = read_clock(of_aws, connect)
        except InventorySyncError as error:
            yield look("clocks", f"AWS: {error}", ONCE_MORE)
            return
        address = sides.settings.newstore.base_url
        yield tried(
            "clock: NewStore",
            lambda: newstore_clock_check(of(address), aws),
            ONCE_MORE,
            State.LOOK,
        )
        if not isinstance(erp, CsvConnector):
            url = erp.base_url
            yield tried("clock: ERP", lambda: erp_clock_check(of(url), aws), ONCE_MORE, State.LOOK)

    def _stock(self, sides: Sides, found: ErpCapabilities) -> Iterator[Check]:
        """What the ERP can do, a sample of its stock, and what follows from it."""
        yield from capability_checks(found, shadow=self.mode.is_shadow)
        self.line.say("reading the ERP's stock, locations")
        self.sample = sample_stock(
            list(self.operator.store.locations().values()),
            sides.build.erp,
            size=self.size,
            limits=sides.build.settings.guards,
            now=self.operator.now,
            monotonic=self._stack.connect.monotonic,
            progress=self.line.done,
        )
        yield stock_check(self.sample)
        if self.sample.read:
            plan = self._plan(sides)
            feed = found.change_feed is not ChangeFeed.NONE
            yield reading_check(self.sample, plan, feed=feed)
            yield size_check(self.sample, plan, self._head.finished_run_id)

    def _rows(self, sides: Sides, let_in: bool) -> Iterator[Check]:
        """Products and shipped units, as NewStore has them."""
        products, units = "NewStore: products", "NewStore: shipped units"
        if not let_in:
            yield not_checked(products, NEWSTORE_FIRST)
            yield not_checked(units, NEWSTORE_FIRST)
            return
        self.line.say("products and shipped units at NewStore")
        first = self._head.finished_run_id is None and not self.mode.is_shadow
        asked = keys_of(self.sample)
        if self.sample.read:
            yield tried(
                products,
                lambda: product_check(asked, sides.stock.atp(asked), first),
                ONCE_MORE,
                State.LOOK,
            )
        else:
            yield not_checked(products, "no stock of the ERP's could be read")
        yield tried(units, lambda: self._evidence(sides), ONCE_MORE, State.LOOK)

    @cached_property
    def _head(self) -> ImportHead:
        """What was imported before a shadow is over."""
        return self._stack.head.head().after_shadow(self.mode.shadow_until)

    def _plan(self, sides: Sides) -> Plan:
        try:
            schedule = self._stack.parameters.get("ImportSchedule", "")
        except InventorySyncError:
            schedule = ""
        return Plan(
            at_once=sides.settings.erp.reads_at_once,
            fans_out=bool(sides.settings.read_machine_arn),
            every=interval_of(schedule),
            job_spacing=sides.settings.job_spacing,
            shadow=self.mode.is_shadow,
        )

    def _evidence(self, sides: Sides) -> Check:
        """Once imports have finished they gather it themselves, and `status` says what they saw."""
        head = self._head
        if head.finished_run_id is None:
            return evidence_check(sides.settings.release_reading, sides.evidence.before_imports())

        def look_at(found: Findings) -> None:
            look_at_release(head, found)

        page = "docs/runbook.md, Release reading"
        return by_findings("NewStore: shipped units", look_at, page)


def keys_of(stock: StockSample) -> Sequence[AtpKey]:
    """The sampled products at their locations, as NewStore names those."""
    return [
        AtpKey(product, one.fulfillment_node_id) for one in stock.read for product in one.products
    ]
