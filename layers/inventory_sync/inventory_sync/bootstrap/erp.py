"""The retailer's ERP behind its connector."""

from inventory_sync.adapters.authorized_http import AuthorizedHttp, SecretBearer
from inventory_sync.adapters.erp.ids import IdMap, LiveIds
from inventory_sync.adapters.erp.rest import RestErp
from inventory_sync.adapters.erp.rest_snapshot import SnapshotLimits
from inventory_sync.adapters.location_store import DynamoLocationStore
from inventory_sync.adapters.secrets import Secrets
from inventory_sync.bootstrap.http import json_http
from inventory_sync.config import ErpSettings
from inventory_sync.ports import Clock, Erp


def make_erp(
    settings: ErpSettings, secrets: Secrets, locations: DynamoLocationStore, clock: Clock
) -> Erp:
    """The connector; ids are mapped by the location and product maps as they stand."""

    def load() -> IdMap:
        places = locations.locations()
        return IdMap({key: place.erp_location for key, place in places.items()}, locations.skus())

    bearer = SecretBearer(secrets, settings.secret_arn)
    http = json_http(
        clock, settings.timeout_seconds, settings.attempts_max, settings.calls_per_second
    )
    return RestErp(
        AuthorizedHttp(http, bearer),
        clock,
        base_url=settings.base_url,
        apply_lag=settings.apply_lag,
        ids=LiveIds(load, clock),
        snapshot_limits=SnapshotLimits(),
    )
