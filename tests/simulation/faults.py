"""Every fault by name, with its chance each time it could strike."""

from collections import Counter
from random import Random

RATES = {
    # deliveries
    "duplicate": 0.15,
    "reordered": 0.2,
    "delayed_within_settle": 0.1,
    "late_beyond_settle": 0.03,
    "told_otherwise": 0.05,
    "stream_record_lost": 0.1,
    "equal_logical_timestamp": 0.1,
    # the ERP
    "erp_down": 0.02,
    "erp_down_longer_than_stream": 0.004,
    "erp_answer_lost": 0.06,
    "erp_busy": 0.05,
    "erp_rejects": 0.01,
    "erp_applies_with_lag": 0.5,
    "erp_lookup_lost": 0.2,
    "erp_lag_changes": 0.02,
    "snapshot_truncated": 0.03,
    "snapshot_empty": 0.05,
    "snapshot_cursor_repeats": 0.04,
    "snapshot_unreadable": 0.05,
    "snapshot_slow": 0.2,
    # the store
    "store_throttled": 0.004,
    "conditional_write_failed": 0.02,
    # the runs
    "two_runs_at_once": 0.01,
    "two_forwarders_at_once": 0.01,
    "tick_skipped": 0.1,
    "lease_expired_mid_run": 0.004,
    "crash_before_call": 0.003,
    "crash_after_call": 0.003,
    "clock_skew": 0.5,
    "no_time_for_location": 0.03,
    "held_by_guard": 0.02,
    "location_disabled": 0.01,
    # NewStore
    "job_stuck_in_received": 0.05,
    "create_answer_lost": 0.12,
    "start_answer_lost": 0.08,
    "too_many_jobs": 0.08,
    "too_many_jobs_but_kept": 0.08,
    "job_failed_after_part": 0.08,
    "job_never_ends": 0.04,
    "job_finished_without_rows": 0.05,
    "token_expired": 0.01,
    "newstore_down": 0.03,
    "several_files_with_delays": 0.5,
    "files_in_any_order": 0.5,
    # the ERP's change feed
    "feed_loses_change": 0.3,
    "feed_forgets": 0.05,
    # later additions
    "logical_timestamp_leaps": 0.02,
    "record_expired_and_replayed": 0.02,
    "row_altered_at_newstore": 0.02,
    "job_unknown_for_now": 0.04,
    "archive_full": 0.25,
    "erp_lists_zeros": 0.25,
    "erp_reference_short": 0.25,
    "job_failed_in_part": 0.06,
    "node_mistyped": 0.03,
    # the newest
    "row_refused_again": 0.3,
    "mispick": 0.03,
    "stock_counted": 0.05,
    "erp_slow": 0.02,
    "completed_body_malformed": 0.08,
    # reads that fan out
    "reads_fan_out": 0.5,
    "batch_lost": 0.1,
    "batch_read_again": 0.1,
    "batch_late": 0.15,
    "execution_stopped": 0.05,
    "execution_hangs": 0.03,
    "executions_out_of_reach": 0.02,
    "batch_meanwhile": 0.03,
    "read_kept_late": 0.2,
}
AT_FORWARD = (
    "erp_down",
    "erp_down_longer_than_stream",
    "erp_answer_lost",
    "erp_busy",
    "erp_lookup_lost",
    "store_throttled",
    "two_runs_at_once",
    "two_forwarders_at_once",
    "lease_expired_mid_run",
    "crash_before_call",
    "crash_after_call",
    "batch_meanwhile",
)
"""What may keep a sweep from its work."""
OF_SLOWNESS = frozenset({"erp_slow"})
OF_BODIES = frozenset({"completed_body_malformed"})
OF_THE_FEED = frozenset({"feed_loses_change", "feed_forgets"})
NEWEST = frozenset({"row_refused_again", "mispick", "stock_counted"})
OF_READS = frozenset(list(RATES)[list(RATES).index("reads_fan_out") :])
LATER = frozenset(list(RATES)[list(RATES).index("logical_timestamp_leaps") :]) - (
    NEWEST | OF_SLOWNESS | OF_BODIES | OF_READS
)
"""All are drawn from generators of their own, so that stories without them stay as they were."""


class Faults:
    """Each seed draws which faults it suffers from, and how badly; what struck is counted."""

    def __init__(
        self,
        rng: Random,
        feed: Random,
        later: Random,
        newest: Random,
        slow: Random,
        bodies: Random,
        reads: Random,
        *,
        only: frozenset[str] | None = None,
    ) -> None:
        self._rng, self._feed, self._later, self._newest = rng, feed, later, newest
        self._slow, self._bodies, self._reads = slow, bodies, reads
        self.injected: Counter[str] = Counter()
        self.quiet = False
        self.rates = {}
        for name, rate in RATES.items():
            strength = self._generator(name).choice((0.0, 0.0, 0.5, 1.0, 1.0, 2.0))
            if only is None or name in only:
                self.rates[name] = min(0.9, rate * strength)

    def strike(self, name: str, generator: Random | None = None) -> bool:
        """Whether the fault happens now; draws the same from the generator either way."""
        generator = generator or self._generator(name)
        rate = self.rates.get(name, 0.0)
        assert name in RATES, name
        drawn = generator.random()
        if self.quiet or drawn >= rate:
            return False
        self.injected[name] += 1
        return True

    def _generator(self, name: str) -> Random:
        if name in LATER:
            return self._later
        if name in OF_READS:
            return self._reads
        if name in NEWEST:
            return self._newest
        if name in OF_SLOWNESS:
            return self._slow
        if name in OF_BODIES:
            return self._bodies
        return self._feed if name in OF_THE_FEED else self._rng

    def retry_after_seconds(self) -> float | None:
        """What NewStore asks for with a 429."""
        return self._later.choice((None, 60.0, 600.0))

    def note(self, name: str) -> None:
        """Count a fault that came about by itself."""
        assert name in RATES, name
        self.injected[name] += 1
