"""Results files outlive the code that wrote them, so changed events must be known to have changed."""

import hashlib
from itertools import islice
from typing import Final

import msgspec
import pytest

from loadgen.plan import Plan
from loadgen.sensors import EVENTS_VERSION, PROFILES, events

VERSION: Final = 2
DIGESTS: Final = {
    "steady": "d9303e1414001c6d",
    "city": "16e453154d89b035",
    "plant": "90d8f1c9660a4dc5",
    "farm": "b52d3a0130f7ad2e",
}


@pytest.mark.parametrize("profile", PROFILES)
def test_other_events_have_another_version(profile: str) -> None:
    plan = Plan(url="", profile=profile, rate=1000, sensors=200, seed=7, start_ms=1_800_000_000_000)
    first = b"".join(msgspec.json.encode(event) for event in islice(events(plan), 20_000))
    made = (EVENTS_VERSION, hashlib.sha256(first).hexdigest()[:16])
    assert made == (VERSION, DIGESTS.get(profile)), "a plan's events are others now: raise EVENTS_VERSION"
