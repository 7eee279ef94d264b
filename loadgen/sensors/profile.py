"""What a profile declares: which kinds of sensors there are, and what goes wrong with them."""

from dataclasses import dataclass

from loadgen.sensors.kind import Kind


@dataclass(frozen=True)
class Troubles:
    """How often things go wrong.

    ``empty`` readings have no value, ``late`` ones arrive after others that were read later, ``repeated`` ones are
    sent twice: shares of all readings. ``stuck`` sensors repeat one value, ``silent`` ones send nothing: shares
    of the sensors that do so at a time, in the long run.
    """

    empty: float = 0.0
    late: float = 0.0
    repeated: float = 0.0
    stuck: float = 0.0
    silent: float = 0.0


@dataclass(frozen=True)
class Group:
    """Kinds of sensors, each as frequent as the others; ``weight`` is that of them all."""

    weight: float
    kinds: tuple[Kind, ...]


@dataclass(frozen=True)
class Profile:
    """A named set of sensors. Groups come in proportion to their weights."""

    name: str
    summary: str
    groups: tuple[Group, ...]
    troubles: Troubles
