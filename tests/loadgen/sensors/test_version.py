"""Results files outlive the code that wrote them, so changed events must be known to have changed."""

import hashlib
from itertools import islice
from typing import Final

import msgspec
import pytest

from loadgen.plan import Plan
from loadgen.sensors import EVENTS_VERSION, PROFILES, events

VERSION: Final = 1
DIGESTS: Final = {
    "steady": "c7c1c22fea5952d0",
    "city": "5d945bbebfe896d3",
    "plant": "b4981d07cb382c95",
    "farm": "9eb635d3621b3cfb",
}


@pytest.mark.parametrize("profile", PROFILES)
def test_other_events_have_another_version(profile: str) -> None:
    plan = Plan(url="", profile=profile, rate=1000, sensors=200, seed=7, start_ms=1_800_000_000_000)
    first = b"".join(msgspec.json.encode(event) for event in islice(events(plan), 20_000))
    made = (EVENTS_VERSION, hashlib.sha256(first).hexdigest()[:16])
    assert made == (VERSION, DIGESTS.get(profile)), "a plan's events are others now: raise EVENTS_VERSION"
