"""Odoo 19's JSON-2 API: one call, its refusals, and Odoo's clock.

An answer of Odoo                        what it is here
422 or 409 with a message (UserError)    OdooRefusedError: Odoo's application said no
200 and `ids: false` (a `load`)          OdooRefusedError as well, with the messages
404: no such model, method or database   HttpRejectedError: Stock is not installed, wrong address
401, 403                                 FatalError: the key is wrong, or its user may not do this
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, PlainValidator

from inventory_sync.adapters.http.answer import read_model
from inventory_sync.adapters.http.authorized import AuthorizedHttp
from inventory_sync.adapters.http.errors import HttpRejectedError
from inventory_sync.adapters.http.request import HttpRequest, RetrySafety
from inventory_sync.adapters.instants import read_instant
from inventory_sync.domain.errors import RejectedError, RetriableError

TICK = timedelta(seconds=1)
"""Odoo gives its time in whole seconds, the fraction cut off."""

_REFUSED = frozenset({409, 422})
_REASON_CHARACTERS_MAX = 300


def _instant(value: object) -> datetime:
    return read_instant(value, UTC)


OdooInstant = Annotated[datetime, PlainValidator(_instant)]
"""Odoo writes UTC without saying so."""


class OdooRefusedError(RejectedError):
    """What Odoo would tell a person who tried the same."""


class _Answer(BaseModel):
    model_config = ConfigDict(extra="ignore")


class _Now(_Answer):
    date: OdooInstant


class _Loaded(_Answer):
    ids: list[int] | bool
    messages: list[dict[str, Any]]


R = TypeVar("R", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class OdooApi:
    """`database` answers nothing where the address serves one only."""

    http: AuthorizedHttp
    base_url: str
    database: Callable[[], str]

    def rows(self, kind: type[R], model: str, method: str, **arguments: object) -> list[R]:
        """What a reading call lists, checked; RetriableError where it is not of the form."""
        request = self._request(model, method, arguments, RetrySafety.ALWAYS, bare_list="rows")
        answer = self._call(request)
        if not isinstance(answer.get("rows"), list):
            answer = {"rows": [answer]}
        return [read_model(kind, row, request.where) for row in answer["rows"]]

    def do(self, model: str, method: str, **arguments: object) -> None:
        """A writing call; its answer tells nothing that can be relied on."""
        self._call(self._request(model, method, arguments, RetrySafety.NOT_TAKEN, answer=False))

    def load(self, model: str, fields: list[str], data: list[list[str]]) -> int:
        """Write one record and its lines by their external ids; its id.

        OdooRefusedError for a failure, which Odoo answers with 200.
        """
        arguments = {"fields": fields, "data": data}
        request = self._request(model, "load", arguments, RetrySafety.NOT_TAKEN)
        loaded = read_model(_Loaded, self._call(request), request.where)
        if isinstance(loaded.ids, bool) or len(loaded.ids) != 1:
            texts = [str(message.get("message", "")) for message in loaded.messages]
            raise OdooRefusedError(_plain("; ".join(texts) or "load gave no id and no reason"))
        return loaded.ids[0]

    def now(self) -> datetime:
        """Odoo's clock, not later than the call ended: the default date of a stock move."""
        return self.row(_Now, "stock.move", "default_get", fields=["date"]).date

    def row(self, kind: type[R], model: str, method: str, **arguments: object) -> R:
        """What a reading call answers with; RetriableError where that is not one."""
        rows = self.rows(kind, model, method, **arguments)
        if len(rows) != 1:
            raise RetriableError(f"{model}/{method}: asked for one, Odoo answers with {len(rows)}")
        return rows[0]

    def _request(
        self,
        model: str,
        method: str,
        arguments: Mapping[str, object],
        retry: RetrySafety,
        *,
        answer: bool = True,
        bare_list: str | None = None,
    ) -> HttpRequest:
        database = self.database()
        return HttpRequest(
            method="POST",
            url=f"{self.base_url}/json/2/{model}/{method}",
            retry=retry,
            json=arguments,
            headers={"X-Odoo-Database": database} if database else {},
            answer=answer,
            bare_list=bare_list,
        )

    def _call(self, request: HttpRequest) -> dict[str, Any]:
        try:
            return self.http.call(request)
        except HttpRejectedError as error:
            message = (error.body or {}).get("message")
            if error.status in _REFUSED and isinstance(message, str):
                raise OdooRefusedError(_plain(message)) from error
            raise


def odoo_time(moment: datetime) -> str:
    """As Odoo wants it: UTC, whole seconds."""
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


def _plain(message: str) -> str:
    return " ".join(message.split())[:_REASON_CHARACTERS_MAX]
