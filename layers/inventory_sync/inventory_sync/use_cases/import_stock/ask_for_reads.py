"""Ask for the reads of stock that are due, where others read it beside the imports."""

from dataclasses import replace

from inventory_sync.domain.errors import FatalError, RetriableError
from inventory_sync.use_cases.import_stock.fan_out import FanOut
from inventory_sync.use_cases.import_stock.leased_head import LeasedHead


def ask_for_reads(fan_out: FanOut, leased: LeasedHead, *, whole: bool, ended: str) -> bool:
    """Whether the reads that were asked for last began a moment ago, so that a run should wait.

    An import that cannot have stock read goes on with what there is.
    """
    now, token = leased.clock.now(), leased.lease.fencing_token
    try:
        reads = fan_out.plan(leased.head, now=now, fencing_token=token, whole=whole, ended=ended)
        if reads is not None:
            leased.write(replace(leased.head, reads=reads.plan))
            fan_out.start(reads)
        return fan_out.just_begun(leased.head, now, ended=ended)
    except (RetriableError, FatalError) as error:
        leased.observer.log("stock not read", error=error)
        return False
