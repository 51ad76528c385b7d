"""What a process runs on."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from botocore.session import Session, get_session

from inventory_sync.bootstrap.clients import Clients
from inventory_sync.bootstrap.system_clock import SystemClock

if TYPE_CHECKING:
    from inventory_sync.ports.observe import Clock

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Runtime:
    """Settings as variables, the time, and the sessions that AWS clients are made of."""

    variables: Mapping[str, str]
    clock: "Clock"
    new_session: Callable[[], Session]

    def clients(self, read_seconds: float = 10, *, parameter_validation: bool = True) -> Clients:
        """AWS clients of a session of their own."""
        return Clients(self.new_session(), read_seconds, parameter_validation=parameter_validation)


def with_variables(variables: Mapping[str, str]) -> Runtime:
    """This machine's clock, and AWS as its environment has it."""
    return Runtime(variables, SystemClock(), get_session)


def in_lambda(make: Callable[[Runtime], T]) -> Callable[[], T]:
    """`make` on what Lambda gives this process; nothing is read before it is called."""
    return lambda: make(with_variables(os.environ))
