"""What lets a client in again who asks the very same thing."""

from typing import Protocol


class Pass(Protocol):
    """Given to who was let in, for as long as nothing has changed."""

    def holds(self) -> bool:
        """Whether its holder would be let in now; no use of it yet."""
        ...

    def use(self) -> None:
        """Its holder comes in, as it holds."""
        ...
