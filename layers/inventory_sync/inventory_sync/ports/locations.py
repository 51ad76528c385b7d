"""The location map, what is held and approved, and what is to be sent again."""

from collections.abc import Mapping
from typing import Protocol

from inventory_sync.domain.holds import Approval, LocationHold, OperatorHold, Resend
from inventory_sync.domain.locations import Location


class RunLocations(Protocol):
    """What a run reads of the location map, and the holds it keeps up to date."""

    def locations(self) -> Mapping[str, Location]:
        """The whole map by location id, read consistently."""

    def approvals(self) -> Mapping[str, tuple[Approval, ...]]:
        """Those that are not used up, by location id; in order of kind and product."""

    def end_approval(self, approval: Approval) -> None:
        """It counts no more; one that was given since for the same stands."""

    def resends(self) -> Mapping[str, Resend]:
        """Rows to be sent again, by location id."""

    def operator_holds(self) -> Mapping[str, OperatorHold]:
        """What operators hold, by location id; under `ALL_IMPORTS` that imports are paused."""

    def holds(self) -> Mapping[str, LocationHold]:
        """What is held now, by location id."""

    def set_hold(self, hold: LocationHold) -> None:
        """Note that a location is held."""

    def clear_hold(self, location_id: str) -> None:
        """Note that it no longer is."""


class LocationStore(RunLocations, Protocol):
    """What an import does with approvals and requests of operators besides reading them."""

    def use_approval(self, approval: Approval, run_id: str) -> None:
        """It was used by that run and counts no more; kept as a record."""

    def resend_done(self, resend: Resend) -> None:
        """A finished import has sent them; one that was asked for since stands."""
