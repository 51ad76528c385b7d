"""The harness that holds clients and simulators against NewStore's files finds what is wrong."""

from dataclasses import replace
from typing import Any

import pytest
import yaml

from tests.contract.openapi import FOLDER, Exchange, OpenApi, load

DOCUMENT: dict[str, Any] = yaml.safe_load("""
servers: [{url: https://example.test/v0/d}]
paths:
  /things:
    get:
      parameters:
        - {name: filter, in: query, schema: {type: string}}
        - {name: count, in: query, schema: {type: integer, minimum: 1}}
      responses:
        '200': {content: {application/json: {schema: {$ref: '#/components/schemas/List'}}}}
  /things/{id}:
    parameters: [{name: id, in: path, required: true, schema: {type: string}}]
    post:
      requestBody:
        required: true
        content: {application/json: {schema: {$ref: '#/components/schemas/Thing'}}}
      responses:
        '201': {content: {application/json: {schema: {$ref: '#/components/schemas/Thing'}}}}
    delete:
      parameters: [{name: why, in: query, required: true, schema: {type: string}}]
      responses: {'204': {description: gone}}
components:
  schemas:
    Thing:
      type: object
      required: [id]
      properties:
        id: {type: string}
        at: {type: string, format: date-time, nullable: true}
        url: {type: string, format: uri}
        state: {type: string, enum: [on, off], nullable: true}
    Page: {type: object, required: [total], properties: {total: {type: integer}}}
    List:
      required: [items]
      allOf:
        - $ref: '#/components/schemas/Page'
        - type: object
          properties: {items: {type: array, items: {$ref: '#/components/schemas/Thing'}}}
""")
API = OpenApi(DOCUMENT)
LIST = Exchange(
    method="GET",
    path="/v0/d/things",
    query={"filter[state]": "on", "count": "2"},
    body=None,
    status=200,
    answer={"total": 1, "items": [{"id": "a", "at": None, "state": None}]},
)
POST = Exchange(
    method="POST",
    path="/v0/d/things/a",
    query={},
    body={"id": "a", "at": "2026-03-02T09:00:00Z", "url": "s3://b/k"},
    status=201,
    answer={"id": "a"},
)
DELETE = Exchange(
    method="DELETE", path="/v0/d/things/a", query={"why": "x"}, body=None, status=204, answer=None
)


def test_what_the_file_says_has_no_faults() -> None:
    assert API.faults([LIST, POST, DELETE]) == []
    assert API.called([LIST, POST, DELETE]) == API.operations
    assert API.operations == {
        "GET /v0/d/things",
        "POST /v0/d/things/{id}",
        "DELETE /v0/d/things/{id}",
    }


@pytest.mark.parametrize(
    ("exchange", "fault"),
    [
        (replace(LIST, path="/v0/d/others"), "no such operation"),
        (replace(LIST, method="PATCH"), "no such operation"),
        (replace(LIST, path="/v0/things"), "no such operation"),
        (replace(LIST, query={"offset": "0"}), "unknown query parameter offset"),
        (replace(LIST, query={"count": "0"}), "minimum"),
        (replace(LIST, query={"count": "many"}), "not of type 'integer'"),
        (replace(DELETE, query={}), "why is missing"),
        (replace(LIST, body={}), "a body, where none is declared"),
        (replace(LIST, status=404), "status is none of ['200']"),
        (replace(LIST, answer_type="text/html"), "the answer is text/html"),
        (replace(LIST, answer={"items": []}), "'total' is a required property"),
        (replace(LIST, answer={"total": 0}), "'items' is a required property"),
        (replace(LIST, answer={"total": 0, "items": [], "more": 1}), "'more' was unexpected"),
        (replace(LIST, answer={"total": 0, "items": [{"id": 7}]}), "$.items[0].id"),
        (replace(DELETE, answer={}), "an answer with a body"),
        (replace(POST, body=None), "None is not of type 'object'"),
        (replace(POST, body={"id": "a", "revision": 7}), "'revision' was unexpected"),
        (replace(POST, body={"id": "a", "at": "yesterday"}), "not a 'date-time'"),
        (replace(POST, body={"id": "a", "at": "2026-03-02T09:00:00"}), "not a 'date-time'"),
        (replace(POST, body={"id": "a", "url": "no-scheme"}), "not a 'uri'"),
        (replace(POST, answer={"id": "a", "state": "maybe"}), "not one of"),
    ],
)
def test_what_is_not_as_the_file_says_is_named(exchange: Exchange, fault: str) -> None:
    [found] = API.faults([exchange])
    assert fault in found


def test_a_refused_call_does_not_count_as_called() -> None:
    assert API.called([replace(POST, status=400)]) == frozenset()


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_file_that_is_at_hand_can_be_read(path: Any) -> None:
    assert load(path.stem).operations
