"""Choosing a connector: each needs its own settings, and none those of another."""

from datetime import UTC, datetime, timedelta

import pytest

from inventory_sync.config import (
    Connector,
    CsvConnector,
    Environment,
    ErpSettings,
    OdooConnector,
    RestConnector,
)
from inventory_sync.domain.errors import FatalError
from inventory_sync.domain.mode import Mode

ARN = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:erp"
REST = {"ERP_BASE_URL": "https://erp.example/", "ERP_SECRET_ARN": ARN}
ODOO = {**REST, "ERP_CONNECTOR": "odoo"}
CSV = {"ERP_CONNECTOR": "csv", "ERP_BUCKET": "erp-files"}


def connector(variables: dict[str, str]) -> Connector:
    return ErpSettings.read(Environment(variables)).connector


def test_rest_is_what_nobody_has_to_choose() -> None:
    assert connector(REST) == RestConnector("https://erp.example", ARN)
    assert connector({**REST, "ERP_CONNECTOR": "rest", "ERP_BUCKET": "x"}) == connector(REST)


def test_odoo_has_its_database_in_its_secret() -> None:
    assert connector(ODOO) == OdooConnector("https://erp.example", ARN)


def test_csv_needs_a_bucket_and_neither_address_nor_secret() -> None:
    assert connector(CSV) == CsvConnector("erp-files", "")
    assert connector({**CSV, "ERP_BUCKET_PREFIX": "a/b/"}) == CsvConnector("erp-files", "a/b/")


@pytest.mark.parametrize(
    ("variables", "says"),
    [
        (
            {**REST, "ERP_CONNECTOR": "sap"},
            "ERP_CONNECTOR='sap': allowed is one of rest, odoo, csv",
        ),
        ({"ERP_SECRET_ARN": ARN}, "ERP_BASE_URL is not set"),
        ({"ERP_BASE_URL": "https://erp.example"}, "ERP_SECRET_ARN is not set"),
        ({"ERP_CONNECTOR": "odoo", "ERP_SECRET_ARN": ARN}, "ERP_BASE_URL is not set"),
        ({**ODOO, "ERP_BASE_URL": "http://erp.example"}, "ERP_BASE_URL='http://erp.example'"),
        ({"ERP_CONNECTOR": "csv"}, "ERP_BUCKET is not set"),
        ({**CSV, "ERP_BUCKET_PREFIX": "erp"}, "ERP_BUCKET_PREFIX='erp'"),
        ({**CSV, "ERP_BUCKET_PREFIX": "/erp/"}, "ERP_BUCKET_PREFIX='/erp/'"),
    ],
)
def test_what_is_missing_or_wrong_is_named(variables: dict[str, str], says: str) -> None:
    with pytest.raises(FatalError) as caught:
        connector(variables)
    assert str(caught.value).startswith(says)


def test_go_live_is_an_instant_in_utc_or_none() -> None:
    def go_live_at(text: str) -> datetime | None:
        return ErpSettings.read(Environment({**REST, "GO_LIVE_AT": text})).go_live_at

    assert go_live_at("") is None
    assert go_live_at("2026-03-02T06:00:00Z") == datetime(2026, 3, 2, 6, tzinfo=UTC)
    for wrong in ("2026-03-02", "2026-03-02T06:00:00", "2026-02-30T06:00:00Z", "soon"):
        with pytest.raises(FatalError, match="GO_LIVE_AT"):
            go_live_at(wrong)


def mode(**variables: str) -> tuple[Mode, timedelta | None]:
    settings = ErpSettings.read(Environment({**REST, **variables}))
    return settings.mode, settings.other_system_lag


def test_live_is_what_nobody_has_to_choose_and_there_is_no_other_system() -> None:
    assert mode() == (Mode.LIVE, None)
    assert mode(SYNC_MODE="", OTHER_SYSTEM_LAG_SECONDS="") == (Mode.LIVE, None)


def test_a_shadow_has_to_know_the_other_systems_lag_and_may_know_go_live() -> None:
    lag = {"OTHER_SYSTEM_LAG_SECONDS": "900"}
    until = {"GO_LIVE_AT": "2026-03-02T06:00:00Z"}

    assert mode(SYNC_MODE="shadow", **lag) == (Mode.SHADOW, timedelta(minutes=15))
    assert mode(SYNC_MODE="shadow", **lag, **until) == (Mode.SHADOW, timedelta(minutes=15))
    assert mode(SYNC_MODE="live", **lag, **until) == (Mode.LIVE, timedelta(minutes=15))


@pytest.mark.parametrize(
    ("variables", "says"),
    [
        ({"SYNC_MODE": "off"}, "SYNC_MODE='off': allowed is one of live, shadow"),
        ({"SYNC_MODE": "shadow"}, "SYNC_MODE=shadow needs OTHER_SYSTEM_LAG_SECONDS"),
        ({"OTHER_SYSTEM_LAG_SECONDS": "900"}, "OTHER_SYSTEM_LAG_SECONDS needs GO_LIVE_AT"),
        ({"OTHER_SYSTEM_LAG_SECONDS": "-1"}, "OTHER_SYSTEM_LAG_SECONDS='-1'"),
        ({"OTHER_SYSTEM_LAG_SECONDS": "172801"}, "OTHER_SYSTEM_LAG_SECONDS='172801'"),
    ],
)
def test_a_mode_that_leaves_open_who_books_is_refused(variables: dict[str, str], says: str) -> None:
    with pytest.raises(FatalError) as caught:
        mode(**variables)
    assert str(caught.value).startswith(says)
