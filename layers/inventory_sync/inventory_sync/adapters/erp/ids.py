"""The ERP's names for our locations and products; the same name where the map says nothing."""

import json
from collections.abc import Callable, Mapping
from functools import cached_property
from hashlib import sha256
from typing import Protocol

from inventory_sync.adapters.erp.kept import Kept
from inventory_sync.domain.errors import FatalError, RejectedError
from inventory_sync.ports.observe import Clock


class Ids(Protocol):
    """The ERP's names for what NewStore names."""

    def erp_location(self, location_id: str) -> str:
        """What the ERP calls the location."""

    def sku(self, product_id: str) -> str:
        """What the ERP calls the product."""

    def product_id(self, sku: str) -> str:
        """The product behind a sku; UnknownProductError where it could be two."""

    def tag_cursor(self, cursor: str) -> str:
        """The ERP's cursor with a mark of the names that what was read before it stands under."""

    def untag_cursor(self, cursor: str) -> str | None:
        """The ERP's cursor; None where products had other names then: all has to be read anew."""

    def pinned(self) -> "Ids":
        """The names as they are now, for as long as they have to stay the same."""


class UnknownProductError(RejectedError):
    """Nobody can say which product a row of the ERP's is of: that row counts for none."""


class IdMap:
    """`erp_locations` by location id, `skus` by product id.

    FatalError where two products share a sku. The mapping of locations is looked at anew each
    time, so that it may be a live view.
    """

    def __init__(
        self, erp_locations: Mapping[str, str] | None = None, skus: Mapping[str, str] | None = None
    ) -> None:
        self._erp_locations = erp_locations or {}
        self._skus = skus or {}
        self._products = {sku: product_id for product_id, sku in self._skus.items()}
        if len(self._products) < len(self._skus):
            shared = sorted(p for p, sku in self._skus.items() if self._products[sku] != p)
            raise FatalError(f"the product map gives a sku to two products: {', '.join(shared)}")

    def erp_location(self, location_id: str) -> str:
        """What the ERP calls the location."""
        return self._erp_locations.get(location_id, location_id)

    def sku(self, product_id: str) -> str:
        """What the ERP calls the product."""
        return self._skus.get(product_id, product_id)

    def product_id(self, sku: str) -> str:
        """The product behind a sku; UnknownProductError where it could be two."""
        mapped = self._products.get(sku)
        if mapped is None and sku in self._skus:
            raise UnknownProductError(
                f"the ERP lists sku {sku}, but the product map gives product {sku} another sku;"
                " add a row for the product this sku stands for"
            )
        return sku if mapped is None else mapped

    def tag_cursor(self, cursor: str) -> str:
        """The ERP's cursor with a mark of this map of products."""
        return f"{self._mark}.{cursor}"

    def untag_cursor(self, cursor: str) -> str | None:
        """The ERP's cursor; None where it was tag_cursor by another map."""
        mark, _, own = cursor.partition(".")
        return own if mark == self._mark else None

    @cached_property
    def _mark(self) -> str:
        text = json.dumps(sorted(self._skus.items()))
        return sha256(text.encode()).hexdigest()[:16]

    def pinned(self) -> "IdMap":
        """It never changes."""
        return self


class LiveIds:
    """An IdMap that is loaded again after a minute, so that a changed map soon counts."""

    def __init__(self, load: Callable[[], IdMap], clock: Clock) -> None:
        self._load = load
        self._loaded: Kept[IdMap] = Kept(clock)

    def erp_location(self, location_id: str) -> str:
        """What the ERP calls the location."""
        return self._ids().erp_location(location_id)

    def sku(self, product_id: str) -> str:
        """What the ERP calls the product."""
        return self._ids().sku(product_id)

    def product_id(self, sku: str) -> str:
        """The product behind a sku; UnknownProductError where it could be two."""
        return self._ids().product_id(sku)

    def tag_cursor(self, cursor: str) -> str:
        """The ERP's cursor with a mark of the map as it is now."""
        return self._ids().tag_cursor(cursor)

    def untag_cursor(self, cursor: str) -> str | None:
        """The ERP's cursor; None where it was tag_cursor by another map."""
        return self._ids().untag_cursor(cursor)

    def pinned(self) -> IdMap:
        """The map as it is now."""
        return self._ids()

    def _ids(self) -> IdMap:
        return self._loaded.get(self._load)
