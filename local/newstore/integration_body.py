"""What NewStore takes as an integration (its event stream configuration API)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from local.http_server import CallRefusedError

ID_CHARACTERS_MAX = 50
API_KEY_CHARACTERS_MAX = 1024
CHANGEABLE = frozenset({"callback_parameters", "s3_parameters", "filter_conditions"})
_TARGETS = ("callback_parameters", "s3_parameters")
_S3 = ("aws_access_key_id", "aws_secret_access_key", "aws_region", "bucket")
_ID = re.compile(r"[a-z0-9-]+")


def check_new(body: Mapping[str, Any], now: datetime) -> None:
    """CallRefusedError 400 for what NewStore does not register."""
    integration_id = body.get("id")
    if not isinstance(integration_id, str) or not _ID.fullmatch(integration_id):
        raise CallRefusedError(400, "id: lowercase letters, numbers and dashes")
    if len(integration_id) > ID_CHARACTERS_MAX:
        raise CallRefusedError(400, f"id: at most {ID_CHARACTERS_MAX} characters")
    if body.get("integration_type") not in ("temporary", "permanent"):
        raise CallRefusedError(400, "integration_type: temporary or permanent")
    if sum(target in body for target in _TARGETS) != 1:
        raise CallRefusedError(400, f"one of {' and '.join(_TARGETS)}")
    _check_values(body)
    _check_window(body, now)


def check_change(body: Mapping[str, Any]) -> None:
    """CallRefusedError 400 for what NewStore does not change."""
    if not CHANGEABLE.issuperset(body):
        raise CallRefusedError(400, f"cannot change {sorted(set(body) - CHANGEABLE)}")
    if all(target in body for target in _TARGETS):
        raise CallRefusedError(400, f"not both {' and '.join(_TARGETS)}")
    _check_values(body)


def _check_values(body: Mapping[str, Any]) -> None:
    callback = body.get("callback_parameters", {"callback_url": "https://unchanged.example"})
    if not isinstance(callback, dict) or not _is_url(callback.get("callback_url")):
        raise CallRefusedError(400, "callback_parameters.callback_url: a URL")
    api_key = callback.get("api_key", "")
    if not isinstance(api_key, str) or len(api_key) > API_KEY_CHARACTERS_MAX:
        raise CallRefusedError(400, f"api_key: at most {API_KEY_CHARACTERS_MAX} characters")
    s3 = body.get("s3_parameters", dict.fromkeys(_S3, "unchanged"))
    if not isinstance(s3, dict) or not all(s3.get(name) for name in _S3):
        raise CallRefusedError(400, f"s3_parameters: {', '.join(_S3)}")
    filters = body.get("filter_conditions", {"event_filter": []})
    lists = [filters[n] for n in ("event_filter", "entity_filter") if n in filters]
    if not lists or not all(isinstance(one, list) for one in lists):
        raise CallRefusedError(400, "filter_conditions: event_filter, entity_filter")


def _check_window(body: Mapping[str, Any], now: datetime) -> None:
    starts_at, ends_at = _instant(body, "starts_at"), _instant(body, "ends_at")
    if starts_at is not None and starts_at > now:
        raise CallRefusedError(400, "starts_at lies in the future")
    if body["integration_type"] == "permanent" and ends_at is not None:
        raise CallRefusedError(400, "ends_at: for temporary integrations only")
    if body["integration_type"] == "temporary" and (starts_at is None or ends_at is None):
        raise CallRefusedError(400, "a temporary integration needs starts_at and ends_at")


def _instant(body: Mapping[str, Any], name: str) -> datetime | None:
    if name not in body:
        return None
    try:
        instant = datetime.fromisoformat(body[name])
    except (TypeError, ValueError) as error:
        raise CallRefusedError(400, f"{name}: a UTC timestamp") from error
    if instant.tzinfo is None:
        raise CallRefusedError(400, f"{name}: a UTC timestamp")
    return instant


def _is_url(value: object) -> bool:
    return isinstance(value, str) and re.match(r"https?://[^/]+", value) is not None
