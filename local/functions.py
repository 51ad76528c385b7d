"""The real functions in this process, called as Lambda calls them."""

from __future__ import annotations

import importlib.util
import json
import os
import threading
from collections.abc import Callable
from contextlib import redirect_stdout
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, TextIO
from uuid import uuid4

from botocore.session import Session

from inventory_sync.bootstrap.runtime import Runtime
from inventory_sync.ports.observe import Clock
from local.aws import new_session
from local.template import ACCOUNT, REGION, ROOT, Template

_ONE_AT_A_TIME = threading.RLock()
"""What a function writes goes to its log by way of the process's one standard output."""


@dataclass(frozen=True)
class LocalContext:
    """What Lambda hands over beside the event."""

    function_name: str
    deadline: datetime
    clock: Clock
    aws_request_id: str
    memory_limit_in_mb: int = 512

    @property
    def invoked_function_arn(self) -> str:
        return f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{self.function_name}"

    def get_remaining_time_in_millis(self) -> int:
        """On the local clock."""
        return max(0, int((self.deadline - self.clock.now()).total_seconds() * 1000))


class LocalFunction:
    """One function of the template; its environment is read, as in Lambda, at the first event."""

    def __init__(
        self,
        template: Template,
        logical_id: str,
        clock: Clock,
        log: TextIO,
        new_session: Callable[[], Session] = new_session,
    ) -> None:
        properties = template.function(logical_id)
        verb = Path(properties["CodeUri"]).name
        self._name = template.physical_id(logical_id)
        self._timeout = timedelta(seconds=properties["Timeout"])
        self._clock, self._log = clock, log
        make = getattr(import_module(f"inventory_sync.bootstrap.{verb}"), verb)
        self._handler = load_app(ROOT / properties["CodeUri"] / "app.py").build_handler(
            lambda: make(Runtime(template.environment(logical_id), clock, new_session))
        )

    def __call__(self, event: Any) -> Any:
        """Event and answer are what JSON makes of them; the handler's exceptions come through."""
        deadline = self._clock.now() + self._timeout
        context = LocalContext(self._name, deadline, self._clock, str(uuid4()))
        with _ONE_AT_A_TIME, redirect_stdout(self._log):
            os.environ["AWS_LAMBDA_FUNCTION_NAME"] = self._name
            answer = self._handler(json.loads(json.dumps(event)), context)
        return json.loads(json.dumps(answer))


def load_app(path: Path) -> ModuleType:
    """The functions' modules are all named app, so they are loaded by path."""
    spec = importlib.util.spec_from_file_location(f"{path.parent.name}_app", path)
    if spec is None or spec.loader is None:
        raise FileNotFoundError(path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
