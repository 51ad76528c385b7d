"""The retailer's ERP behind the connector that the settings choose."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from inventory_sync.adapters.aws.secrets import Secrets
from inventory_sync.adapters.dynamodb.location_store import DynamoLocationStore
from inventory_sync.adapters.erp.booked_elsewhere import BookedElsewhere
from inventory_sync.adapters.erp.ids import IdMap, Ids, LiveIds
from inventory_sync.adapters.http.authorized import AuthorizedHttp, SecretBearer
from inventory_sync.bootstrap.clients import Clients
from inventory_sync.bootstrap.http import json_http
from inventory_sync.config import CsvConnector, ErpSettings, OdooConnector, RestConnector
from inventory_sync.domain.mode import Mode
from inventory_sync.ports.erp import ErpBooks, ErpStock
from inventory_sync.ports.observe import Clock, Observer

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ErpWiring:
    """What a connector is made over. Ids are mapped by the location and product maps as they stand.

    Nothing is called yet.
    """

    settings: ErpSettings
    secrets: Secrets
    locations: DynamoLocationStore
    clock: Clock
    observer: Observer
    client: Clients

    def stock(self) -> ErpStock:
        """What can only read."""
        match self.settings.connector:
            case CsvConnector() as connector:
                from inventory_sync.adapters.erp.csv.connector import CsvErpStock

                return self._csv(CsvErpStock, connector)
            case OdooConnector() as connector:
                from inventory_sync.adapters.erp.odoo.connector import OdooErpStock

                return self._odoo(OdooErpStock, connector)
            case RestConnector() as connector:
                from inventory_sync.adapters.erp.rest.connector import RestErpStock

                return self._rest(RestErpStock, connector)

    def books(self) -> ErpBooks:
        """What books: nothing at all where another system does."""
        shadow = self.settings.mode is Mode.SHADOW
        return BookedElsewhere() if shadow else self.live_books()

    def live_books(self) -> ErpBooks:
        """What books, whatever the mode: for whoever asks whether it could."""
        match self.settings.connector:
            case CsvConnector() as connector:
                from inventory_sync.adapters.erp.csv.connector import CsvErp

                return self._csv(CsvErp, connector)
            case OdooConnector() as connector:
                from inventory_sync.adapters.erp.odoo.connector import OdooErp

                return self._odoo(OdooErp, connector)
            case RestConnector() as connector:
                from inventory_sync.adapters.erp.rest.connector import RestErp

                return self._rest(RestErp, connector)

    def _csv(self, kind: Callable[..., T], connector: CsvConnector) -> T:
        from inventory_sync.adapters.erp.csv.bucket import CsvBucket

        bucket = CsvBucket(self.client.s3(), connector.bucket, connector.prefix)
        lag = self.settings.apply_lag
        return kind(bucket, self.clock, self.observer, apply_lag=lag, ids=self._ids())

    def _rest(self, kind: Callable[..., T], connector: RestConnector) -> T:
        from inventory_sync.adapters.erp.rest.snapshot import SnapshotLimits

        return kind(
            _http(self.settings, self.clock, bearer_of(connector, self.secrets)),
            self.clock,
            base_url=connector.base_url,
            apply_lag=self.settings.apply_lag,
            ids=self._ids(),
            snapshot_limits=SnapshotLimits(),
        )

    def _odoo(self, kind: Callable[..., T], connector: OdooConnector) -> T:
        secrets, arn = self.secrets, connector.secret_arn
        return kind(
            _http(self.settings, self.clock, bearer_of(connector, secrets)),
            self.clock,
            base_url=connector.base_url,
            database=lambda: secrets.read(arn).get("database", ""),
            not_for_sale=lambda: _names(secrets.read(arn).get("not_for_sale", "")),
            apply_lag=self.settings.apply_lag,
            ids=self._ids(),
        )

    def _ids(self) -> Ids:
        locations = self.locations

        def load() -> IdMap:
            places = locations.locations()
            return IdMap(
                {key: place.erp_location for key, place in places.items()}, locations.skus()
            )

        return LiveIds(load, self.clock)


def bearer_of(connector: RestConnector | OdooConnector, secrets: Secrets) -> SecretBearer:
    """What the connector calls the ERP with."""
    key = "api_key" if isinstance(connector, OdooConnector) else "token"
    return SecretBearer(secrets, connector.secret_arn, key)


def _http(settings: ErpSettings, clock: Clock, bearer: SecretBearer) -> AuthorizedHttp:
    http = json_http(clock, settings.attempts_max, calls_per_second=settings.calls_per_second)
    return AuthorizedHttp(http, bearer)


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]
