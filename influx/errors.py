"""Why something could not be applied, in a sentence that names the way out."""

from influx.steps import Step


class NotApplied(Exception):
    """The rest is as it was; `done` holds the steps made before, `failed` the one that was not."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.done: tuple[Step, ...] = ()
        self.failed: Step | None = None


class Unreachable(NotApplied):
    """No InfluxDB answered at the address, or it is not ready yet."""


class Unauthorized(NotApplied):
    """InfluxDB does not know the token, or the token may not do this."""


class Refused(NotApplied):
    """InfluxDB understood and said no, or applying would delete data without leave."""
