"""The state machine of the reads: what its definition says, with the template's values put in."""

import json
import re
from typing import Any

from inventory_sync.domain.stock_reads import ReadPlan
from tests.template.test_template import FUNCTIONS, PARAMETERS, RESOURCES

OF_READS = ("ReadMachine", "ReadStock", "ReadStarter", "Reads", "OldestRead")


def definition(reads_at_once: int = 4) -> dict[str, Any]:
    text = RESOURCES["ReadMachine"]["Properties"]["DefinitionString"]["Fn::Sub"]
    text = text.replace("${ErpReadsAtOnce}", str(reads_at_once))
    found: dict[str, Any] = json.loads(re.sub(r"\$\{([^}]+)\}", r"\1", text))
    return found


READ = definition()["States"]["Read"]
BATCH = READ["ItemProcessor"]["States"]["ReadBatch"]


def test_as_many_batches_are_read_at_once_as_the_erp_bears() -> None:
    most = PARAMETERS["ErpReadsAtOnce"]["MaxValue"]

    assert definition(most)["States"]["Read"]["MaxConcurrency"] == most


def test_a_batch_that_fails_is_called_again_and_given_up_without_the_others() -> None:
    [retry] = BATCH["Retry"]

    assert (retry["ErrorEquals"], retry["JitterStrategy"]) == (["States.ALL"], "FULL")
    assert retry["BackoffRate"] > 1
    assert READ["ToleratedFailurePercentage"] == 100


def test_a_batch_and_an_execution_end_in_any_case() -> None:
    assert BATCH["TimeoutSeconds"] == FUNCTIONS["ReadStockFunction"]["Timeout"]
    assert definition()["TimeoutSeconds"] == 6 * 3600


def test_what_batches_answer_is_dropped_as_a_state_carries_no_more_than_256_kb() -> None:
    assert BATCH["ResultSelector"] == {}
    assert READ["ResultPath"] is None


def test_the_reader_is_given_its_plan_and_which_attempt_it_is() -> None:
    payload = BATCH["Parameters"]["Payload"]

    fields = {name.removesuffix(".$") for name in payload}
    assert fields == {*ReadPlan.__dataclass_fields__, "locations", "attempt"}
    assert payload["attempt.$"] == "$$.State.RetryCount"


def test_when_all_is_read_the_import_is_told_which_plan_has_ended() -> None:
    told = definition()["States"][READ["Next"]]

    assert told["Parameters"]["Payload"] == {"ended_plan.$": "$$.Execution.Name"}
    assert told["Parameters"]["InvocationType"] == "Event"
    assert told["End"] is True


def test_while_imports_read_by_themselves_nothing_of_it_is_deployed() -> None:
    ours = {name for name in RESOURCES if name.startswith(OF_READS)}

    assert {RESOURCES[name].get("Condition") for name in ours} == {"FansOut"}
    assert PARAMETERS["StockReads"]["Default"] == "inline"
