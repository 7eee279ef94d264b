"""The options that choose sensors, for every command that plays them, and the help on profiles."""

from argparse import ArgumentParser
from collections.abc import Iterator
from dataclasses import asdict

from loadgen import arguments
from loadgen.sensors.profile import Troubles
from loadgen.sensors.profiles import PROFILES, STEADY


def add_sensors(command: ArgumentParser, sensors: int, profile: str = STEADY.name) -> None:
    add = command.add_argument
    add("--sensors", type=arguments.sensors, default=sensors, help="how many sensors take turns")
    add("--profile", choices=PROFILES, default=profile, help="what the sensors are like, see below")
    add("--seed", type=int, default=1, help="the same seed gives the same sensors and readings")


def profile_table() -> str:
    """Every profile: what it plays, and what goes wrong with it."""
    return "\n".join(("profiles:", *_lines(), "", *EXPLANATION))


EXPLANATION = (
    "empty, late (they arrive after newer ones) and repeated (sent twice) are shares of the events; stuck and silent",
    "ones are shares of the sensors, in the long run. The rate stays what it is. Hours are Brasília's (UTC-3).",
)


def _lines() -> Iterator[str]:
    for profile in PROFILES.values():
        yield f"  {profile.name:<8}{profile.summary}"
        yield f"          {troubles_text(profile.troubles)}"


def troubles_text(troubles: Troubles) -> str:
    shares: dict[str, float] = asdict(troubles)
    return ", ".join(f"{name} {100 * share:g} %" for name, share in shares.items() if share)
