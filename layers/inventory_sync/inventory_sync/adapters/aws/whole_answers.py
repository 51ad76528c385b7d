"""Answers of AWS's that end before their end are none (docs/decisions/0076).

botocore reads what it has got of one as if it were the whole: a table's answer that is cut off says
that the item is not there.
"""

from typing import Any

from botocore.exceptions import IncompleteReadError
from botocore.session import Session


def only_whole_answers(session: Session) -> None:
    """Clients that are made of the session from now on raise IncompleteReadError instead."""
    session.register("before-parse", _refuse_a_part, unique_id="only-whole-answers")


def _refuse_a_part(**answer: Any) -> None:
    """What is handed out as a stream is not read yet; botocore counts that itself."""
    response, operation = answer["response_dict"], answer["operation_model"]
    body, length = response["body"], response["headers"].get("Content-Length", "")
    if not isinstance(body, bytes) or operation.http.get("method") == "HEAD":
        return
    if length.isdigit() and len(body) < int(length):
        raise IncompleteReadError(actual_bytes=len(body), expected_bytes=int(length))
