"""The retailer's ERP behind the connector that the settings choose."""

from inventory_sync.adapters.aws.secrets import Secrets
from inventory_sync.adapters.dynamodb.location_store import DynamoLocationStore
from inventory_sync.adapters.erp.ids import IdMap, Ids, LiveIds
from inventory_sync.adapters.http.authorized import AuthorizedHttp, SecretBearer
from inventory_sync.bootstrap.clients import Clients
from inventory_sync.bootstrap.http import json_http
from inventory_sync.config import CsvConnector, ErpSettings, OdooConnector, RestConnector
from inventory_sync.ports.erp import Erp
from inventory_sync.ports.observe import Clock, Observer


def make_erp(
    settings: ErpSettings,
    secrets: Secrets,
    locations: DynamoLocationStore,
    clock: Clock,
    observer: Observer,
    client: Clients,
) -> Erp:
    """Ids are mapped by the location and product maps as they stand; nothing is called yet."""

    def load() -> IdMap:
        places = locations.locations()
        return IdMap({key: place.erp_location for key, place in places.items()}, locations.skus())

    ids = LiveIds(load, clock)
    match settings.connector:
        case CsvConnector() as connector:
            from inventory_sync.adapters.erp.csv.bucket import CsvBucket
            from inventory_sync.adapters.erp.csv.connector import CsvErp

            bucket = CsvBucket(client.s3(), connector.bucket, connector.prefix)
            return CsvErp(bucket, clock, observer, apply_lag=settings.apply_lag, ids=ids)
        case OdooConnector() as connector:
            return _odoo(connector, settings, clock, ids, secrets)
        case RestConnector() as connector:
            return _rest(connector, settings, clock, ids, bearer_of(connector, secrets))


def bearer_of(connector: RestConnector | OdooConnector, secrets: Secrets) -> SecretBearer:
    """What the connector calls the ERP with."""
    key = "api_key" if isinstance(connector, OdooConnector) else "token"
    return SecretBearer(secrets, connector.secret_arn, key)


def _rest(
    connector: RestConnector, settings: ErpSettings, clock: Clock, ids: Ids, bearer: SecretBearer
) -> Erp:
    from inventory_sync.adapters.erp.rest.connector import RestErp
    from inventory_sync.adapters.erp.rest.snapshot import SnapshotLimits

    return RestErp(
        _http(settings, clock, bearer),
        clock,
        base_url=connector.base_url,
        apply_lag=settings.apply_lag,
        ids=ids,
        snapshot_limits=SnapshotLimits(),
    )


def _odoo(
    connector: OdooConnector, settings: ErpSettings, clock: Clock, ids: Ids, secrets: Secrets
) -> Erp:
    from inventory_sync.adapters.erp.odoo.connector import OdooErp

    return OdooErp(
        _http(settings, clock, bearer_of(connector, secrets)),
        clock,
        base_url=connector.base_url,
        database=lambda: secrets.read(connector.secret_arn).get("database", ""),
        not_for_sale=lambda: _names(secrets.read(connector.secret_arn).get("not_for_sale", "")),
        apply_lag=settings.apply_lag,
        ids=ids,
    )


def _http(settings: ErpSettings, clock: Clock, bearer: SecretBearer) -> AuthorizedHttp:
    http = json_http(clock, settings.attempts_max, calls_per_second=settings.calls_per_second)
    return AuthorizedHttp(http, bearer)


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]
