"""JsonHttp against a real server: what each way of failing becomes, and what is sent again."""

import gzip
import json
import socket
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from email.utils import format_datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from inventory_sync.adapters.http.client import JsonHttp
from inventory_sync.adapters.http.errors import (
    CredentialsRefusedError,
    HttpRejectedError,
    ThrottledError,
)
from inventory_sync.adapters.http.request import HttpLimits, HttpRequest, RetrySafety
from inventory_sync.domain.errors import (
    BlockedError,
    FatalError,
    InventorySyncError,
    OutcomeUnknownError,
    RetriableError,
)
from inventory_sync.version import USER_AGENT
from tests.unit.adapters.http_support import (
    BLOCKING,
    IMPATIENT,
    LIMITS,
    NOON,
    STUBBORN,
    Call,
    LocalServer,
    Reply,
    StandingClock,
    json_http,
    replying,
)

GOOD = Reply({"fine": True})
BEARER = "correct-horse-battery-staple"


@pytest.fixture
def clock() -> StandingClock:
    return StandingClock()


@pytest.fixture
def http(clock: StandingClock) -> Iterator[JsonHttp]:
    with json_http(clock) as client:
        yield client


@pytest.fixture
def impatient(clock: StandingClock) -> Iterator[JsonHttp]:
    with json_http(clock, IMPATIENT) as client:
        yield client


@pytest.fixture
def stubborn(clock: StandingClock) -> Iterator[JsonHttp]:
    with json_http(clock, STUBBORN) as client:
        yield client


def get(url: str, **changes: Any) -> HttpRequest:
    return HttpRequest(method="GET", url=url + "/thing", retry=RetrySafety.ALWAYS, **changes)


def post(url: str, retry: RetrySafety = RetrySafety.NOT_TAKEN, **changes: Any) -> HttpRequest:
    given = {"json": {"a": 1}, **changes}
    return HttpRequest(method="POST", url=url + "/thing", retry=retry, **given)


def unused_url() -> str:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}"


def self_signed(folder: Path) -> Path:
    """A key and a certificate for it that nobody vouches for."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    lasting = builder.not_valid_before(NOON - timedelta(days=900)).not_valid_after(
        NOON + timedelta(days=9_000)
    )
    plain = (Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file = folder / "certificate.pem"
    certificate = lasting.sign(key, SHA256()).public_bytes(Encoding.PEM)
    file.write_bytes(key.private_bytes(*plain) + certificate)
    return file


def raw(body: bytes, content_type: str = "application/json", **headers: str) -> Reply:
    return Reply(body, headers={"Content-Type": content_type, **headers})


NO_ANSWER = {
    "time-out": Reply(silent=True),
    "connection reset": Reply(cut=True),
    "408": Reply(status=408),
    "500": Reply(status=500),
    "502": Reply(status=502),
    "503": Reply(status=503),
    "504": Reply(status=504),
}
UNREADABLE = {
    "html": raw(b"<html>sign in</html>", "text/html"),
    "truncated JSON": raw(b'{"items": [{"product'),
    "content length too long": raw(b"{}", **{"Content-Length": "90"}),
    "empty": raw(b""),
    "not an object": raw(b"[1, 2]"),
    "text": raw(b'"x"'),
    "nested without end": raw(b"[" * 100_000),
    "not UTF-8": raw(b'{"a": "\xff"}'),
    "not gzip": raw(b"{}", **{"Content-Encoding": "gzip"}),
    "too large": raw(b'{"a": "' + b"x" * 200_000 + b'"}'),
    "too large once unpacked": raw(gzip.compress(b" " * 9_000_000), **{"Content-Encoding": "gzip"}),
}


def test_answer_is_a_json_object_with_exact_fractions(http: JsonHttp) -> None:
    with replying(raw(b'{"on_hand": 0.10}')) as server:
        assert http.call(get(server.url)) == {"on_hand": Decimal("0.10")}


@pytest.mark.parametrize(
    "number", [b"NaN", b"-Infinity", b"1e9999999999999999999", b"-" + b"9" * 5000]
)
def test_number_beyond_all_measure_is_a_fault_of_its_field_alone(
    http: JsonHttp, number: bytes
) -> None:
    with replying(raw(b'{"rows": [1, 2.5, ' + number + b"]}")) as server:
        one, fraction, fault = http.call(get(server.url))["rows"]
    assert (one, fraction, fault.is_finite()) == (1, Decimal("2.5"), False)


@pytest.mark.parametrize(
    "body",
    [
        b'{"rows": [{"on_hand": 4}, {"on_hand":4,"on_hand":40}]}',
        b'{"rows": [{"on_hand" : 4, "on_hand" : 40}]}',
        b'{"on_hand": 4, "rows": [], "on_hand": 4}',
        b'{"a": {"b": {"on_hand": 4, "on_h\\u0061nd": 40}}}',
        b'{"a": "{\\"x\\":1}", "on_hand": 4, "on_hand": 40, "n": ' + b"9" * 5000 + b"}",
    ],
)
def test_answer_with_a_key_twice_in_one_object_is_none(http: JsonHttp, body: bytes) -> None:
    """Which of the two is meant nobody knows."""
    with replying(raw(body)) as server, pytest.raises(RetriableError, match="'on_hand' twice"):
        http.call(get(server.url))


def test_answer_whose_objects_lie_deeper_is_read(http: JsonHttp) -> None:
    deep = {"rows": [{"a": {"on_hand": 4}}, {"a": {"on_hand": 5}}, 'a "quoted": text'], "a": 1}
    with replying(Reply(deep)) as server:
        assert http.call(get(server.url)) == deep


def test_compressed_answer_is_read(http: JsonHttp) -> None:
    body = gzip.compress(json.dumps({"rows": list(range(9_000))}).encode())
    with replying(raw(body, **{"Content-Encoding": "gzip"})) as server:
        assert len(http.call(get(server.url))["rows"]) == 9_000


def test_bare_list_is_taken_only_where_it_is_expected(http: JsonHttp) -> None:
    with replying(Reply([1, 2])) as server:
        assert http.call(get(server.url, bare_list="items")) == {"items": [1, 2]}


def test_bearer_goes_into_the_header(http: JsonHttp) -> None:
    with replying(GOOD) as server:
        http.call(get(server.url, bearer=BEARER))
        assert server.calls[0].bearer == BEARER


@pytest.mark.parametrize("failure", NO_ANSWER.values(), ids=NO_ANSWER)
def test_repeatable_call_without_an_answer_is_sent_again(
    stubborn: JsonHttp, failure: Reply
) -> None:
    with replying(failure, failure, GOOD) as server:
        assert stubborn.call(get(server.url)) == {"fine": True}


@pytest.mark.parametrize("failure", NO_ANSWER.values(), ids=NO_ANSWER)
def test_repeats_are_bounded(impatient: JsonHttp, failure: Reply) -> None:
    with replying(failure) as server, pytest.raises(RetriableError):
        impatient.call(get(server.url))
    assert len(server.calls) == LIMITS.attempts_max


@pytest.mark.parametrize("failure", NO_ANSWER.values(), ids=NO_ANSWER)
def test_unrepeatable_call_without_an_answer_is_unknown_and_sent_once(
    impatient: JsonHttp, failure: Reply
) -> None:
    with replying(failure, GOOD) as server, pytest.raises(OutcomeUnknownError):
        impatient.call(post(server.url))
    assert len(server.calls) == 1


@pytest.mark.parametrize("answer", UNREADABLE.values(), ids=UNREADABLE)
def test_unreadable_answer_to_a_repeatable_call_is_retriable(http: JsonHttp, answer: Reply) -> None:
    with replying(answer) as server, pytest.raises(RetriableError):
        http.call(get(server.url))


@pytest.mark.parametrize("answer", UNREADABLE.values(), ids=UNREADABLE)
def test_unreadable_answer_to_an_unrepeatable_call_is_unknown(
    http: JsonHttp, answer: Reply
) -> None:
    with replying(answer, GOOD) as server, pytest.raises(OutcomeUnknownError):
        http.call(post(server.url))
    assert len(server.calls) == 1


def test_answer_nobody_wants_is_not_read(http: JsonHttp) -> None:
    with replying(Reply(b"", status=204)) as server:
        assert http.call(post(server.url, answer=False)) == {}


def test_refused_connection_is_retriable_for_any_call(http: JsonHttp, clock: StandingClock) -> None:
    with pytest.raises(RetriableError):
        http.call(post(unused_url(), RetrySafety.NOT_SENT))
    assert len(clock.slept) == LIMITS.attempts_max - 1


def test_no_connection_names_the_address_without_credentials_and_query(
    http: JsonHttp,
) -> None:
    url = unused_url()
    address = url.replace("//", "//user:hunter22@") + "/v1/stock"
    with pytest.raises(RetriableError) as raised:
        http.call(
            HttpRequest(method="GET", url=address, retry=RetrySafety.ALWAYS, query={"q": "7"})
        )
    assert str(raised.value) == f"GET /v1/stock: no connection to {url}: NewConnectionError"


def test_unknown_host_is_retriable_for_any_call(http: JsonHttp) -> None:
    with pytest.raises(RetriableError):
        http.call(post("http://no-such-host.invalid"))


def test_certificate_of_another_is_retriable_for_any_call_since_nothing_was_sent(
    http: JsonHttp, tmp_path: Path
) -> None:
    with replying(GOOD) as server:
        server.secure(self_signed(tmp_path))
        with pytest.raises(RetriableError) as raised:
            http.call(post(server.url.replace("http://", "https://")))
    assert "certificate" in str(raised.value)
    assert server.calls == []


def test_throttled_call_is_sent_again_since_it_was_not_taken(http: JsonHttp) -> None:
    with replying(Reply(status=429), GOOD) as server:
        assert http.call(post(server.url)) == {"fine": True}


def test_throttled_call_that_may_have_been_kept_is_not_sent_again(http: JsonHttp) -> None:
    with replying(Reply(status=429), GOOD) as server, pytest.raises(ThrottledError):
        http.call(post(server.url, RetrySafety.NOT_SENT))
    assert len(server.calls) == 1


def test_pauses_grow_with_full_jitter(http: JsonHttp, clock: StandingClock) -> None:
    with replying(Reply(status=503)) as server, pytest.raises(RetriableError):
        http.call(get(server.url))
    assert clock.slept == [0.25, 0.5]


@pytest.mark.parametrize(
    "header",
    ["10", format_datetime(NOON + timedelta(seconds=10), usegmt=True)],
    ids=["seconds", "HTTP date"],
)
@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_is_waited_for(
    http: JsonHttp, clock: StandingClock, header: str, status: int
) -> None:
    with replying(Reply(status=status, headers={"Retry-After": header}), GOOD) as server:
        http.call(get(server.url))
    assert clock.slept == [10.25]


@pytest.mark.parametrize(
    "header", ["soon", "-5", "", "²", "Sat, 28 Nov 2026 09:00:00 +99999999999999999999"]
)
def test_unreadable_retry_after_counts_as_none(
    http: JsonHttp, clock: StandingClock, header: str
) -> None:
    reply = Reply(status=429, headers={"Retry-After": header})
    with replying(reply, GOOD) as server:
        http.call(get(server.url))
    assert clock.slept == [0.25]


def test_retry_after_in_the_past_is_no_wait(http: JsonHttp, clock: StandingClock) -> None:
    past = format_datetime(NOON - timedelta(hours=1), usegmt=True)
    with replying(Reply(status=429, headers={"Retry-After": past}), GOOD) as server:
        http.call(get(server.url))
    assert clock.slept == [0.25]


def test_longer_retry_after_than_we_wait_is_left_to_the_next_tick(
    http: JsonHttp, clock: StandingClock
) -> None:
    reply = Reply(status=429, headers={"Retry-After": "3600"})
    with replying(reply, GOOD) as server, pytest.raises(ThrottledError) as raised:
        http.call(get(server.url))
    assert clock.slept == []
    assert raised.value.retry_after_seconds == 3600


@pytest.mark.parametrize("header", ["9" * 400, "1772443600", "Fri, 31 Dec 9999 23:59:59 GMT"])
def test_retry_after_beyond_an_hour_counts_as_an_hour(http: JsonHttp, header: str) -> None:
    """Else it would stop for ever what waits for it."""
    reply = Reply(status=429, headers={"Retry-After": header})
    with replying(reply) as server, pytest.raises(ThrottledError) as raised:
        http.call(get(server.url))
    assert raised.value.retry_after_seconds == 3_600


def test_call_ends_before_its_time_is_up(clock: StandingClock) -> None:
    limits = HttpLimits(attempts_max=100, backoff_seconds_max=8, call_seconds_max=20)
    with (
        json_http(clock, limits) as http,
        replying(Reply(status=503)) as server,
        pytest.raises(RetriableError),
    ):
        http.call(get(server.url))
    assert sum(clock.slept) < 20


def test_body_that_drips_ends_with_the_call(clock: StandingClock) -> None:
    class ImpatientClock(StandingClock):
        """Each look at it takes a minute."""

        def now(self) -> datetime:
            self.advance(60)
            return super().now()

    with (
        json_http(ImpatientClock()) as http,
        replying(Reply({"a": "x" * 150_000})) as server,
        pytest.raises(OutcomeUnknownError),
    ):
        http.call(post(server.url))


@pytest.mark.parametrize("status", [400, 404, 409, 422])
def test_other_4xx_is_rejected_with_its_status_and_reason(http: JsonHttp, status: int) -> None:
    reply = Reply({"error": "no such location"}, status=status)
    with replying(reply) as server, pytest.raises(HttpRejectedError) as raised:
        http.call(get(server.url))
    assert (raised.value.status, raised.value.body) == (status, {"error": "no such location"})
    assert len(server.calls) == 1


@pytest.mark.parametrize("status", [401, 403])
def test_refused_credentials_are_an_error_of_their_own(http: JsonHttp, status: int) -> None:
    with replying(Reply(status=status)) as server, pytest.raises(CredentialsRefusedError):
        http.call(post(server.url))


def test_rejection_stands_whatever_its_body_is_like(http: JsonHttp) -> None:
    reply = Reply(b"x" * 300_000, status=400, headers={"Content-Encoding": "gzip"})
    with replying(reply) as server, pytest.raises(HttpRejectedError) as raised:
        http.call(get(server.url))
    assert raised.value.body is None


def test_redirect_is_not_followed(http: JsonHttp) -> None:
    with replying(GOOD) as elsewhere:
        reply = Reply(status=307, headers={"Location": f"{elsewhere.url}/thing"})
        with replying(reply) as server, pytest.raises(HttpRejectedError):
            http.call(get(server.url, bearer=BEARER))
    assert elsewhere.calls == []


def test_cookies_are_not_kept(http: JsonHttp) -> None:
    with replying(Reply(headers={"Set-Cookie": "session=1; Path=/"})) as server:
        http.call(get(server.url))
        http.call(get(server.url))
        assert "Cookie" not in server.calls[1].headers


@pytest.mark.parametrize(
    "reply",
    [
        Reply({"error": f"token {BEARER} is wrong"}, status=400),
        Reply({"error": f"Bearer {BEARER}"}, status=429),
        raw(f"<p>You sent {BEARER}</p>".encode(), "text/html"),
        Reply(status=302, headers={"Location": f"https://{BEARER}@host/?token={BEARER}"}),
        Reply(cut=True),
    ],
    ids=["4xx", "429", "unreadable", "redirect", "reset"],
)
def test_no_secret_stands_in_any_message(http: JsonHttp, reply: Reply) -> None:
    with replying(reply) as server, pytest.raises(InventorySyncError) as raised:
        http.call(get(server.url, bearer=BEARER, form={"password": BEARER}))
    assert BEARER not in str(raised.value)


def test_foreign_secrets_do_not_stand_in_messages_either(http: JsonHttp) -> None:
    body = {"access_token": "their-own-secret", "note": "//user:their-own-secret@host"}
    with replying(Reply(body, status=400)) as server, pytest.raises(HttpRejectedError) as raised:
        http.call(get(server.url))
    assert "their-own-secret" not in str(raised.value)


def test_header_that_cannot_be_sent_is_fatal_and_not_quoted(http: JsonHttp) -> None:
    with pytest.raises(FatalError) as raised:
        http.call(get(unused_url(), bearer=f"{BEARER}\n"))
    assert BEARER not in str(raised.value)
    assert raised.value.__cause__ is None


def test_wrong_address_is_fatal(http: JsonHttp) -> None:
    with pytest.raises(FatalError):
        http.call(get("htp:/nowhere"))


# Blocked addresses

FORBIDDEN = raw(b"<html>403 Forbidden</html>", "text/html")


@pytest.fixture
def blockable(clock: StandingClock) -> Iterator[JsonHttp]:
    with json_http(clock, BLOCKING) as client:
        yield client


@pytest.mark.parametrize("retry", RetrySafety)
def test_403_without_json_is_a_block_and_nothing_was_taken(
    blockable: JsonHttp, clock: StandingClock, retry: RetrySafety
) -> None:
    with replying(replace(FORBIDDEN, status=403)) as server:
        with pytest.raises(BlockedError) as raised:
            blockable.call(post(server.url, retry))

        assert (raised.value.seconds, len(server.calls), clock.slept) == (300, 1, [])


def test_during_a_block_nothing_is_sent_and_afterwards_everything_is(
    blockable: JsonHttp, clock: StandingClock
) -> None:
    with replying(replace(FORBIDDEN, status=403), GOOD) as server:
        for _ in range(3):
            with pytest.raises(BlockedError) as raised:
                blockable.call(get(server.url))
            clock.sleep(99)
        assert (raised.value.seconds, len(server.calls)) == (102, 1)

        clock.sleep(3)
        assert blockable.call(get(server.url)) == {"fine": True}


@pytest.mark.parametrize("body", [b"", b"no JSON", b"[]"])
def test_whatever_is_no_json_object_is_a_block(blockable: JsonHttp, body: bytes) -> None:
    with replying(Reply(body, status=403)) as server, pytest.raises(BlockedError):
        blockable.call(get(server.url))


def test_403_with_json_is_about_the_token(blockable: JsonHttp) -> None:
    with (
        replying(Reply({"message": "no right"}, status=403)) as server,
        pytest.raises(CredentialsRefusedError),
    ):
        blockable.call(get(server.url))


def test_401_is_about_the_token_whatever_its_body_is(blockable: JsonHttp) -> None:
    with (
        replying(Reply(b"<html>", status=401)) as server,
        pytest.raises(CredentialsRefusedError),
    ):
        blockable.call(get(server.url))


def test_where_no_address_is_blocked_403_is_about_the_token(http: JsonHttp) -> None:
    with (
        replying(replace(FORBIDDEN, status=403)) as server,
        pytest.raises(CredentialsRefusedError),
    ):
        http.call(get(server.url))


# Downloads


def test_a_download_is_taken_as_it_is(http: JsonHttp) -> None:
    content = bytes(range(256)) * 2_000
    file = BytesIO()
    with replying(raw(content, "application/zip")) as server:
        http.download(get(server.url), file)

    assert file.getvalue() == content


def test_a_download_that_breaks_off_is_begun_anew(http: JsonHttp) -> None:
    broken = raw(b"half", "application/zip", **{"Content-Length": "90"})
    file = BytesIO()
    with replying(broken, raw(b"whole", "application/zip")) as server:
        http.download(get(server.url), file)

    assert file.getvalue() == b"whole"


def test_a_download_that_is_refused_leaves_nothing(http: JsonHttp) -> None:
    file = BytesIO()
    with (
        replying(Reply(b"<Error/>", status=404)) as server,
        pytest.raises(HttpRejectedError),
    ):
        http.download(get(server.url), file)

    assert file.getvalue() == b""


def test_a_download_has_a_size_beyond_which_it_is_not_taken(clock: StandingClock) -> None:
    small = replace(LIMITS, download_bytes_max=3)
    with (
        replying(raw(b"four", "application/zip")) as server,
        json_http(clock, small) as http,
        pytest.raises(RetriableError, match="too large"),
    ):
        http.download(get(server.url), BytesIO())


def test_a_clock_that_is_set_back_prolongs_no_block(
    blockable: JsonHttp, clock: StandingClock
) -> None:
    with replying(replace(FORBIDDEN, status=403), GOOD) as server:
        with pytest.raises(BlockedError):
            blockable.call(get(server.url))
        clock.step(timedelta(hours=-1))

        assert blockable.call(get(server.url)) == {"fine": True}


def test_a_clock_that_is_set_back_prolongs_no_call(clock: StandingClock) -> None:
    limits = HttpLimits(attempts_max=100, backoff_seconds_max=8, call_seconds_max=20)

    def set_back(_: Call) -> Reply:
        clock.step(timedelta(hours=-1))
        return Reply(status=503)

    with (
        json_http(clock, limits) as http,
        LocalServer(set_back) as server,
        pytest.raises(RetriableError),
    ):
        http.call(get(server.url))
    assert sum(clock.slept) < 20


def test_every_call_says_who_calls(http: JsonHttp) -> None:
    with replying(GOOD) as server:
        http.call(get(server.url))
    assert server.calls[0].headers["User-Agent"] == USER_AGENT


@pytest.mark.parametrize("sampled", ["0", "1"])
def test_lambda_s_trace_is_told_to_nobody_outside_of_aws(
    http: JsonHttp, monkeypatch: pytest.MonkeyPatch, sampled: str
) -> None:
    """Lambda sets it whether tracing is on or not."""
    trace = f"Root=1-5759e988-bd862e3fe1be46a994272793;Sampled={sampled}"
    monkeypatch.setenv("_X_AMZN_TRACE_ID", trace)
    with replying(GOOD) as server:
        http.call(get(server.url))

    headers = {name.lower() for name in server.calls[0].headers}
    assert not headers & {"x-amzn-trace-id", "traceparent", "tracestate"}


def test_what_is_secret_in_a_request_is_not_in_its_representation() -> None:
    request = HttpRequest(
        method="POST",
        url="http://n",
        retry=RetrySafety.ALWAYS,
        bearer="bearer-secret",
        form={"client_secret": "form-secret"},
        json={"api_key": "body-secret"},
        hidden=("body-secret",),
    )

    assert "secret" not in repr(request)
    assert set(request.secrets) == {"bearer-secret", "form-secret", "body-secret"}
