"""Shadow times in memory."""

from datetime import datetime

from inventory_sync.domain.shadow_time import ShadowTime


def never_a_shadow() -> None:
    """A ModeCheck of a stack that has always been live."""


class FakeShadowTimes:
    """ports.ShadowTimes of one function; `shared` has those of all, by function."""

    def __init__(
        self, function: str = "import", shared: dict[str, ShadowTime] | None = None
    ) -> None:
        self.shared: dict[str, ShadowTime] = {} if shared is None else shared
        self.function = function

    def until(self) -> datetime | None:
        return max((time.until for time in self.shared.values()), default=None)

    def own(self) -> ShadowTime | None:
        return self.shared.get(self.function)

    def note(self, time: ShadowTime) -> None:
        self.shared[self.function] = time
