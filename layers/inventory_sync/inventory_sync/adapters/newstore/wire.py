"""NewStore's answers, read tolerantly: unknown fields are ignored, ids come under several names."""

from typing import Annotated

from pydantic import AliasChoices, BaseModel, BeforeValidator, ConfigDict, Field

from inventory_sync.adapters.redaction import excerpt
from inventory_sync.domain.import_run import ImportJob, JobChunk, JobError, JobState
from inventory_sync.domain.locations import LocationType, NewStoreLocation


def _text(value: object) -> object:
    return "" if value is None else value


Text = Annotated[str, BeforeValidator(_text)]
"""A field that may be null or left out."""
Id = Annotated[str, Field(min_length=1)]
Count = Annotated[int, Field(gt=-(10**18), lt=10**18)]
JOB_ERROR_REASON_CHARACTERS_MAX = 240
JOB_ERROR_ID_CHARACTERS_MAX = 80
"""A hundred errors stand in the run's record, which has to fit a table item."""


def _reason(text: str) -> str:
    return excerpt(text, characters_max=JOB_ERROR_REASON_CHARACTERS_MAX)


class Answer(BaseModel):
    """Unknown fields are ignored, numbers are taken for the texts they stand for."""

    model_config = ConfigDict(extra="ignore", coerce_numbers_to_str=True)


class JobAnswer(Answer):
    """A job, or what creating one answers; `state` may be left out of a list of one state."""

    job_id: Id = Field(validation_alias=AliasChoices("import_id", "id"))
    state: Text = ""
    name: Text = ""
    reason: Text = ""

    def job(self) -> ImportJob:
        """States NewStore does not name in its documents are OTHER."""
        known = {state.value for state in JobState}
        named = self.state.strip().lower()
        state = JobState(named) if named in known else JobState.OTHER
        reason = _reason(self.reason)
        return ImportJob(job_id=self.job_id, state=state, name=self.name, reason=reason)


class JobErrorAnswer(Answer):
    """One entry of a job's error list."""

    reason: Text = ""
    entity_type: Text = ""
    entity_id: Text = ""

    def error(self) -> JobError:
        """In our terms, each text by its beginning."""
        return JobError(
            _reason(self.reason),
            self.entity_type[:JOB_ERROR_ID_CHARACTERS_MAX],
            self.entity_id[:JOB_ERROR_ID_CHARACTERS_MAX],
        )


class JobChunkAnswer(Answer):
    """One part of a job."""

    size: Count
    failed: bool = False
    failure_message: Text = ""

    def chunk(self) -> JobChunk:
        """In our terms, the text by its beginning."""
        failure = _reason(self.failure_message)
        return JobChunk(self.size, self.failed, failure)


class LocationAnswer(Answer):
    """One location; NewStore's examples leave `store_id` out, its schema does not."""

    id: Id
    type: str
    is_inventory_master: bool
    is_enabled: bool = True
    store_id: Text = ""

    def location(self) -> NewStoreLocation:
        """In our terms."""
        known = {kind.value for kind in LocationType}
        kind = LocationType(self.type) if self.type in known else LocationType.OTHER
        return NewStoreLocation(
            location_id=self.id,
            type=kind,
            store_id=self.store_id,
            inventory_master=self.is_inventory_master,
            enabled=self.is_enabled,
        )


class PageInfoAnswer(Answer):
    """Where a page stands in its list."""

    total: int | None
    next_url: str | None

    def ends_at(self, entries: int) -> bool:
        """Whether so many entries are all; `total` may be unknown to NewStore."""
        return self.next_url is None if self.total is None else entries >= self.total


class PageAnswer(Answer):
    """One page of a list."""

    pagination_info: PageInfoAnswer
