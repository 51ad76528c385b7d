"""When each alarm goes off: what is meant, written down a second time.

`2/3 x 300 s`: two of three periods of 300 seconds have to be beyond the threshold.
"""

from typing import Any

import pytest

from tests.template.test_template import ALARMS

COMPARISONS = {"GreaterThanThreshold": ">", "LessThanThreshold": "<"}
MEANT = {
    "AllocationsLeaked": "Sum AllocationsLeaked > 0, 1/1 x 300 s",
    "CallsRefused": "Sum 4XXError > 50, 3/3 x 300 s",
    "CallsUnauthorized": "Sum CallsUnauthorized > 0, 3/3 x 300 s",
    "CheckStreamErrors": "Sum Errors > 0, 1/1 x 300 s",
    "CheckStreamSlow": "Maximum Duration > 228000, 1/1 x 300 s",
    "CheckStreamThrottled": "Sum Throttles > 0, 2/3 x 300 s",
    "CompletionsUnstored": "Maximum CompletionsUnstored > 0, 1/1 x 300 s",
    "EventsQuarantined": "Sum EventsQuarantined > 0, 1/1 x 300 s",
    "EventsReadThrottled": "Sum ReadThrottleEvents > 0, 2/3 x 300 s",
    "EventsUnapplied": "Maximum OldestUnappliedSeconds > 3600, 3/3 x 300 s",
    "EventsWriteThrottled": "Sum WriteThrottleEvents > 0, 2/3 x 300 s",
    "ExportDelayed": "Maximum ApproximateAgeOfOldestMessage > 3600, 1/1 x 300 s",
    "ExportFailedInvocations": "Sum FailedInvocations > 0, 1/1 x 300 s",
    "ExportFailures": "Sum NumberOfMessagesSent > 0, 1/1 x 300 s",
    "ExportInvocationsFailedToBeSentToDlq": "Sum InvocationsFailedToBeSentToDlq > 0, 1/1 x 300 s",
    "FirewallBlocks": "Sum BlockedRequests > 0, 1/1 x 300 s",
    "ForwardDelayed": "Maximum IteratorAge > 600000, 3/3 x 300 s",
    "ForwardEventsErrors": "Sum Errors > 0, 2/3 x 300 s",
    "ForwardEventsSlow": "Maximum Duration > 114000, 2/3 x 300 s",
    "ForwardEventsThrottled": "Sum Throttles > 0, 2/3 x 300 s",
    "ForwardFailures": "Sum NumberOfMessagesSent > 0, 1/1 x 300 s",
    "ImportStockErrors": "Sum Errors > 0, 1/1 x 300 s",
    "ImportStockSlow": "Maximum Duration > 855000, 2/3 x 900 s",
    "ImportStockThrottled": "Sum Throttles > 0, 2/3 x 300 s",
    "InboundKeysNotRefreshed": "Sum InboundKeysNotRefreshed > 0, 3/3 x 300 s",
    "IngestEventThrottled": "Sum Throttles > 0, 2/3 x 300 s",
    "IngestExportErrors": "Sum Errors > 0, 1/1 x 300 s",
    "IngestExportSlow": "Maximum Duration > 285000, 1/1 x 300 s",
    "IngestExportThrottled": "Sum Throttles > 0, 2/3 x 300 s",
    "IngestFailures": "Sum 5XXError > 0, 1/1 x 300 s",
    "IngestSlow": "p99 Latency > 3000, 3/3 x 300 s",
    "JobAge": "Maximum JobAgeSeconds > 7200, 1/1 x 300 s",
    "JobErrors": "Sum JobErrors > 0, 1/1 x 300 s",
    "LateEvents": "Sum LateEvents > 0, 1/1 x 300 s",
    "LocationFull": "Maximum LocationGigabytes > 7, 1/1 x 300 s",
    "LocationsHeld": "Maximum LocationsHeld > 0, 1/1 x 300 s",
    "LocationsLeftOut": "Minimum LocationsLeftOut > 0, 2/2 x 900 s",
    "LogicalTimestampLeaps": "Maximum OutlierTimestamps > 0, 1/1 x 300 s",
    "OldestRead": "Minimum OldestReadSeconds > 7200, 2/2 x 900 s",
    "OpenEvents": "Minimum OpenEvents > 50000, 2/2 x 1800 s",
    "OperatorHold": "Maximum OperatorHoldSeconds > 86400, 1/1 x 3600 s",
    "QuarantineDepth": "Maximum QuarantineDepth > 20, 3/3 x 300 s",
    "ReadStockSlow": "Maximum Duration > 855000, 2/3 x 300 s",
    "ReadStockThrottled": "Sum Throttles > 0, 2/3 x 300 s",
    "ReadsFailed": "Sum ExecutionsFailed > 0, 2/3 x 300 s",
    "ReadsThrottled": "Sum ExecutionThrottled > 0, 2/3 x 300 s",
    "ReadsTimedOut": "Sum ExecutionsTimedOut > 0, 2/3 x 300 s",
    "ReconcileStockErrors": "Sum Errors > 0, 1/1 x 300 s",
    "ReconcileStockSlow": "Maximum Duration > 855000, 1/1 x 300 s",
    "ReconcileStockThrottled": "Sum Throttles > 0, 2/3 x 300 s",
    "RecordsUnreadable": "Maximum RecordsUnreadable > 0, 1/1 x 300 s",
    "RejectedEvents": "Minimum RejectedEvents > 0, 2/2 x 600 s",
    "ReleaseReading": "Maximum ReleaseReadingContradicted > 0, 1/1 x 300 s",
    "RowsUnexplained": "Sum RowsUnexplained > 0, 1/1 x 300 s",
    "RunStuck": "Maximum RunAgeSeconds > 9000, 1/1 x 300 s",
    "RunsFailed": "Sum RunsFailed > 0, 1/1 x 300 s",
    "ScheduleFailures": "Sum NumberOfMessagesSent > 0, 1/1 x 300 s",
    "StockAge": "Maximum StockAgePercent > 100, 1/1 x 900 s",
    "StreamDaysLeft": "Minimum StreamDaysLeft < 25, 1/1 x 600 s",
    "StreamGivenUp": "Maximum StreamGivenUp > 0, 1/1 x 300 s",
    "StreamSilent": "Minimum EventsMissing > 20, 2/2 x 600 s",
    "StreamStopped": "Maximum StreamStatus < 1, 3/3 x 600 s",
    "WatermarkLag": "Minimum WatermarkLagSeconds > 3600, 2/2 x 1800 s",
}

NAMES = {name.removesuffix("Alarm") for name in ALARMS}


def figures(alarm: dict[str, Any]) -> str:
    statistic = alarm.get("Statistic") or alarm["ExtendedStatistic"]
    comparison = COMPARISONS[alarm["ComparisonOperator"]]
    periods = alarm["EvaluationPeriods"]
    return (
        f"{statistic} {alarm['MetricName']} {comparison} {alarm['Threshold']},"
        f" {alarm.get('DatapointsToAlarm', periods)}/{periods} x {alarm['Period']} s"
    )


@pytest.mark.parametrize("name", sorted({*NAMES, *MEANT}))
def test_an_alarm_goes_off_when_it_is_meant_to(name: str) -> None:
    assert figures(ALARMS[f"{name}Alarm"]) == MEANT[name]
