"""`make room`: a story on the page step by step, or a stack that runs elsewhere on this machine."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from cli.room.history import History
from cli.room.server import room_server
from local.demo import GUIDE_EXAMPLE
from local.room.recording import (
    TROUBLES,
    deployed_reader,
    keep_watching,
    local_reader,
    recorder,
)
from local.scenario import ScenarioError, read_scenario
from local.stack import local_stack
from local.story import Story, plan_of
from local.template import TemplateError

PORT = 8080
PORT_MAX = 65_535


def main(arguments: Sequence[str]) -> int:
    """Serve until Ctrl-C; 2 where there is nothing to show, or the port is taken."""
    options = _options(arguments)
    try:
        watch = watch_stack if options.stack else watch_story
        watch(options)
    except KeyboardInterrupt:
        print()
    except (ScenarioError, TemplateError, OSError, *TROUBLES) as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def watch_story(options: argparse.Namespace) -> None:
    """A moment after each step, so many seconds apart; the end stays to be looked at."""
    scenario = read_scenario(options.scenario)
    history = History()
    with local_stack(plan_of(scenario)) as stack, _serving(history, scenario.title, options.port):
        record = recorder(local_reader(stack), history)

        def watch(told: str) -> None:
            record(told)
            time.sleep(options.pace)

        Story(stack, scenario, lambda _: None, watch).play()
        print("The story has ended; the page stays until Ctrl-C.", flush=True)
        threading.Event().wait()


def watch_stack(options: argparse.Namespace) -> None:
    """A moment whenever something has changed."""
    reader = deployed_reader(options.stack, options.newstore_url, options.erp_url)
    history = History()
    with _serving(history, f"Stack {options.stack}", options.port):
        keep_watching(reader, history, options.every, lambda text: print(text, file=sys.stderr))


@contextmanager
def _serving(history: History, title: str, port: int) -> Iterator[None]:
    server = room_server(history, title).start(port)
    try:
        print(f"Control room: {server.base_url} (Ctrl-C ends it)", flush=True)
        yield
    finally:
        history.close()
        server.stop()


def _port(text: str) -> int:
    if not (text.isdecimal() and int(text) <= PORT_MAX):
        raise argparse.ArgumentTypeError(f"{text!r} is no port; name one from 0 to {PORT_MAX}")
    return int(text)


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m local.room", description=__doc__)
    parser.add_argument("scenario", nargs="?", type=Path, default=GUIDE_EXAMPLE)
    parser.add_argument(
        "--port", type=_port, default=PORT, help="0 takes a free one  [%(default)s]"
    )
    parser.add_argument("--pace", type=float, default=2, help="seconds for a step  [%(default)s]")
    parser.add_argument("--stack", help="show this CloudFormation stack instead of a story")
    parser.add_argument("--newstore-url", help="of NewStore's simulator, with --stack")
    parser.add_argument("--erp-url", help="of the ERP's simulator, with --stack")
    parser.add_argument("--every", type=float, default=1, help="seconds between two looks")
    options = parser.parse_args(arguments)
    if options.stack and not (options.newstore_url and options.erp_url):
        parser.error("--stack needs --newstore-url and --erp-url: the simulators' addresses")
    return options


if __name__ == "__main__":
    # A shell without job control starts what runs in the background deaf to Ctrl-C.
    for end in (signal.SIGINT, signal.SIGTERM):
        signal.signal(end, signal.default_int_handler)
    sys.exit(main(sys.argv[1:]))
