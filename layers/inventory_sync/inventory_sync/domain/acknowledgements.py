"""Which acknowledgements can be true."""

from datetime import datetime, timedelta

from inventory_sync.domain.events import OpenEvent
from inventory_sync.domain.instants import bounded
from inventory_sync.domain.stock import Acknowledgement, MovementOutcome, Unknown

ERP_CLOCK_SKEW = timedelta(minutes=5)
"""How far the ERP's clock may be from NewStore's and ours. Placeholders, dates without a time and
local times that are taken for UTC are further off."""


def believed(outcome: MovementOutcome, open_event: OpenEvent, now: datetime) -> MovementOutcome:
    """The outcome; Unknown in place of an acknowledgement that cannot be true.

    The ERP has booked nothing before NewStore published the event, nor will have after `now`. An
    `applied_at` that is too early would count the units as shown in snapshots that lack them. By
    when the event came in it had been published, whatever it says.
    """
    if not isinstance(outcome, Acknowledgement):
        return outcome
    try:
        applied_at = bounded(outcome.applied_at)
    except ValueError as error:
        return Unknown(f"the ERP says that it is booked, but its applied_at is {error}")
    published_at = min(open_event.event.published_at, open_event.received_at)
    if applied_at < published_at - ERP_CLOCK_SKEW:
        fault = f"before NewStore published the event ({published_at.isoformat()})"
    elif applied_at > now + ERP_CLOCK_SKEW:
        fault = "which is still to come"
    else:
        return outcome
    return Unknown(f"the ERP says that it was booked at {applied_at.isoformat()}, {fault}")
