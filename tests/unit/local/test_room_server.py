"""The page's server: read only, this machine only, and moments as server-sent events."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from cli.room.history import History
from cli.room.page import STATIC
from cli.room.picture import picture
from cli.room.server import room_server, stream
from local.room.__main__ import main
from tests.unit.cli.room.readings import reading

SECONDS = 10


@pytest.fixture
def history() -> History:
    history = History()
    history.add(picture(reading(), "one"))
    return history


@pytest.fixture
def url(history: History) -> Iterator[str]:
    with room_server(history, "A <story>") as server:
        yield server.base_url
        history.close()


def events(answer: requests.Response) -> Iterator[dict[str, str]]:
    """The server-sent events of an answer as they come, field by field."""
    fields: dict[str, str] = {}
    for line in answer.iter_lines(chunk_size=1, decode_unicode=True):
        if line and not line.startswith(":"):
            name, _, value = line.partition(": ")
            fields[name] = value
        elif fields:
            yield fields
            fields = {}


@contextmanager
def listening(url: str, last_seen: str = "") -> Iterator[Iterator[dict[str, str]]]:
    headers = {"Last-Event-ID": last_seen} if last_seen else {}
    with requests.get(f"{url}/moments", headers=headers, stream=True, timeout=SECONDS) as answer:
        assert answer.headers["Content-Type"].startswith("text/event-stream")
        yield events(answer)


def test_the_page_is_served_with_its_title_as_text(url: str) -> None:
    answer = requests.get(url, timeout=SECONDS)

    assert answer.status_code == 200
    assert "A &lt;story&gt;" in answer.text


def test_the_page_may_load_nothing_from_elsewhere(url: str) -> None:
    policy = requests.get(url, timeout=SECONDS).headers["Content-Security-Policy"]

    assert policy.startswith("default-src 'none';")
    assert "unsafe" not in policy
    assert "http" not in policy


@pytest.mark.parametrize("path", sorted(p.name for p in STATIC.iterdir() if p.suffix != ".html"))
def test_every_file_of_the_page_is_served_by_its_kind(url: str, path: str) -> None:
    answer = requests.get(f"{url}/static/{path}", timeout=SECONDS)

    kind = "text/css" if path.endswith(".css") else "text/javascript"
    assert answer.headers["Content-Type"].startswith(kind)
    assert answer.content == (STATIC / path).read_bytes()


@pytest.mark.parametrize("path", ["static/../server.py", "static/%2e%2e/server.py", "nothing"])
def test_nothing_else_is_served(url: str, path: str) -> None:
    assert requests.get(f"{url}/{path}", timeout=SECONDS).status_code == 404


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_nothing_can_be_changed(url: str, method: str) -> None:
    assert requests.request(method, url, timeout=SECONDS).status_code == 405


def test_a_page_elsewhere_cannot_read_it_under_a_name_of_its_own(url: str) -> None:
    port = url.rpartition(":")[2]

    answer = requests.get(url, headers={"Host": f"evil.example:{port}"}, timeout=SECONDS)

    assert answer.status_code == 403


def test_a_new_reader_gets_what_there_is_and_then_each_moment_as_it_happens(
    url: str, history: History
) -> None:
    with listening(url) as found:
        assert next(found)["event"] == "begin"
        assert '"told":"one"' in next(found)["data"]
        history.add(picture(reading(), "two"))
        assert '"told":"two"' in next(found)["data"]


def test_a_reader_that_comes_back_gets_only_what_it_missed(url: str, history: History) -> None:
    with listening(url) as found:
        seen = [next(found), next(found)][-1]["id"]
    history.add(picture(reading(), "two"))

    with listening(url, seen) as found:
        assert '"told":"two"' in next(found)["data"]


def test_a_reader_of_an_earlier_server_begins_anew(url: str) -> None:
    with listening(url, "0123abcd:7") as found:
        assert next(found)["event"] == "begin"


def test_the_stream_ends_when_all_is_over(history: History) -> None:
    history.close()

    assert list(stream(history, "run", after=1)) == []


@pytest.mark.parametrize("port", ["65536", "-1", "99999", "http", "8080.5"])
def test_a_port_out_of_range_is_refused(port: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([f"--port={port}"])

    assert ended.value.code == 2
    assert f"{port!r} is no port; name one from 0 to 65535" in capsys.readouterr().err


def test_a_room_without_its_story_names_those_that_there_are(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(tmp_path / "none.json")]) == 2

    assert "there are: local/scenarios/" in capsys.readouterr().err
