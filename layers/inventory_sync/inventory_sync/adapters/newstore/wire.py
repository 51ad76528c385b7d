"""NewStore's answers, read tolerantly: unknown fields are ignored, ids come under several names."""

from typing import Annotated, Any

from pydantic import AliasChoices, BaseModel, BeforeValidator, ConfigDict, Field

from inventory_sync.adapters.redaction import excerpt
from inventory_sync.domain.import_run import ImportJob, JobError, JobState


def _text(value: object) -> object:
    return "" if value is None else value


Text = Annotated[str, BeforeValidator(_text)]
"""A field that may be null or left out."""
Id = Annotated[str, Field(min_length=1)]
JOB_ERROR_REASON_CHARACTERS_MAX = 240
JOB_ERROR_ID_CHARACTERS_MAX = 80
"""A hundred errors stand in the run's record, which has to fit a table item."""


class Answer(BaseModel):
    """Unknown fields are ignored, numbers are taken for the texts they stand for."""

    model_config = ConfigDict(extra="ignore", coerce_numbers_to_str=True)


class JobAnswer(Answer):
    """A job, or what creating one answers; `state` may be left out of a list of one state."""

    job_id: Id = Field(validation_alias=AliasChoices("import_id", "id"))
    state: Text = ""
    name: Text = ""
    source_uri: Text = ""

    def job(self) -> ImportJob:
        """States NewStore does not name in its documents are OTHER."""
        known = {state.value for state in JobState}
        state = JobState(self.state) if self.state in known else JobState.OTHER
        return ImportJob(
            job_id=self.job_id, state=state, name=self.name, source_uri=self.source_uri
        )


class JobErrorAnswer(Answer):
    """One entry of a job's error list."""

    error_id: Text = ""
    reason: Text = ""
    entity_type: Text = ""
    entity_id: Text = ""

    def error(self) -> JobError:
        """In our terms, each text by its beginning."""
        return JobError(
            self.error_id[:JOB_ERROR_ID_CHARACTERS_MAX],
            excerpt(self.reason)[:JOB_ERROR_REASON_CHARACTERS_MAX],
            self.entity_type[:JOB_ERROR_ID_CHARACTERS_MAX],
            self.entity_id[:JOB_ERROR_ID_CHARACTERS_MAX],
        )


class StoreAnswer(Answer):
    """One location; its node's id is that of the store unless it says otherwise."""

    fulfillment_node_id: Text = ""
    store_id: Text = ""
    id: Text = ""

    @property
    def node_id(self) -> str:
        """Empty where the entry has no id at all."""
        return self.fulfillment_node_id or self.store_id or self.id


def next_page(answer: dict[str, Any]) -> str:
    """The address of the next page, empty where there is none.

    NewStore's documents show no pages for these lists; this reads the usual ways to link one.
    """
    links = answer.get("links") or answer.get("_links") or {}
    found = answer.get("next") or (links.get("next") if isinstance(links, dict) else None)
    if isinstance(found, dict):
        found = found.get("href")
    return found if isinstance(found, str) else ""
