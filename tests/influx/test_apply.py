"""Against a real InfluxDB, an organization of its own for each test."""

import asyncio
import shutil
from pathlib import Path

import pytest

from influx.authorizations import allowed
from influx.connection import Access
from influx.declared import Bucket, Grant, pulso
from influx.errors import Refused, Unauthorized
from influx.steps import CreateBucket, CreateOrganization, IssueToken, MapDatabase, SetRetention, Step
from influx.tokens import TokenFolder
from tests.influx.place import Place
from tools.influx_server import InfluxServer

DAY = 86_400
TOKENS = ["ingest", "ingest-read", "grafana", "telegraf"]


@pytest.fixture
def place(influx_server: InfluxServer, tmp_path: Path) -> Place:
    return Place(influx_server, tmp_path / "tokens")


def reasons(steps: list[Step]) -> dict[str, str]:
    """Token to reason; fails if anything but tokens changed."""
    assert all(isinstance(step, IssueToken) for step in steps), steps
    return {step.token.name: step.reason for step in steps if isinstance(step, IssueToken)}


async def test_apply_makes_all_and_again_nothing(place: Place) -> None:
    made = await place.apply()
    assert [type(step) for step in made] == [CreateOrganization, *[CreateBucket] * 3, *[IssueToken] * 4]
    files = place.files()
    assert await place.apply() == []
    assert await place.apply(dry_run=True) == []
    assert place.files() == files
    assert sorted(files) == sorted(f"{name}.token" for name in TOKENS)
    kept = {name: bucket["retentionRules"][0]["everySeconds"] for name, bucket in (await place.buckets()).items()}
    assert kept == {"pulso": 0, "pulso_rollup": 0, "ops": 30 * DAY}


async def test_a_dry_run_plans_the_same_and_touches_nothing(place: Place) -> None:
    planned = await place.apply(dry_run=True)
    assert not place.tokens_dir.exists()
    assert planned == await place.apply()


async def test_tokens_may_do_what_is_declared_and_no_more(place: Place) -> None:
    await place.apply()
    names = [bucket.name for bucket in place.declared().buckets]
    for token in place.declared().tokens:
        access = Access(place.server.url, place.text(token.name))
        assert await allowed(access, place.organization, names) == token.grants, token.name
        assert (await place.write(access.token, "pulso", "events value=1")).status == (
            204 if Grant("write", "pulso") in token.grants else 403
        ), token.name


async def test_influxql_finds_each_bucket_by_its_name(place: Place) -> None:
    await place.apply()
    assert (await place.write(place.text("ingest"), "pulso", "events value=1")).status == 204
    assert (await place.write(place.text("telegraf"), "ops", "cpu value=2")).status == 204
    for token, database, measurement in [("ingest-read", "pulso", "events"), ("grafana", "ops", "cpu")]:
        answer = await place.influxql(place.text(token), database, f"SELECT count(value) FROM {measurement}")
        assert answer.body["results"][0]["series"][0]["values"][0][1] == 1, f"{token} read {database}: {answer}"


async def test_no_token_text_is_ever_listed_and_none_holds_what_grafana_breaks(place: Place) -> None:
    await place.apply()
    for name in TOKENS:
        (authorization,) = await place.authorizations(name)
        assert authorization["token"] == "", f"InfluxDB lists the text of {name}"
        assert "$" not in place.text(name)


async def test_a_token_without_its_text_is_replaced(place: Place) -> None:
    await place.apply()
    before = {name: (await place.authorizations(name))[0]["id"] for name in TOKENS}
    lost = place.files()
    place.file("grafana").unlink()
    place.file("ingest").write_text("")
    place.file("ingest-read").write_text("two\nlines")
    place.file("telegraf").write_text("não é")
    dead = "its file's token no longer works"
    expected = {"grafana": "its file is gone", "ingest": dead, "ingest-read": dead, "telegraf": dead}
    assert reasons(await place.apply()) == expected
    for token in place.declared().tokens:
        (after,) = await place.authorizations(token.name)
        assert after["id"] != before[token.name], token.name
        assert await place_allows(place, lost[f"{token.name}.token"]) is None, f"the lost {token.name} still works"
        assert await place_allows(place, place.text(token.name)) == token.grants, token.name
    assert await place.apply() == []


async def place_allows(place: Place, text: str) -> frozenset[Grant] | None:
    return await allowed(Access(place.server.url, text), place.organization, list(await place.buckets()))


async def test_a_file_with_a_stronger_token_is_replaced(place: Place) -> None:
    await place.apply()
    place.file("ingest").write_text(place.server.token)
    shutil.copy(place.file("grafana"), place.file("telegraf"))
    scope = "its file's token has another scope"
    assert reasons(await place.apply()) == {"ingest": scope, "telegraf": scope}
    assert place.text("ingest") != place.server.token


async def test_an_inactive_token_is_replaced(place: Place) -> None:
    await place.apply()
    (one,) = await place.authorizations("ingest")
    await place.admin("PATCH", f"/api/v2/authorizations/{one['id']}", json={"status": "inactive"})
    assert reasons(await place.apply()) == {"ingest": "it was inactive"}


async def test_a_token_deleted_on_the_server_is_made_again(place: Place) -> None:
    await place.apply()
    (one,) = await place.authorizations("ingest")
    await place.admin("DELETE", f"/api/v2/authorizations/{one['id']}")
    assert reasons(await place.apply()) == {"ingest": "it does not exist"}


async def test_an_unfinished_replacement_is_cleaned_up(place: Place) -> None:
    await place.apply()
    (one,) = await place.authorizations("ingest")
    twin = {key: one[key] for key in ("orgID", "description", "permissions")}
    await place.admin("POST", "/api/v2/authorizations", json=twin)
    assert reasons(await place.apply()) == {"ingest": "there were 2 of this name"}
    assert len(await place.authorizations("ingest")) == 1


async def test_a_bucket_made_again_gets_new_tokens(place: Place) -> None:
    await place.apply()
    bucket = (await place.buckets())["ops"]
    await place.admin("DELETE", f"/api/v2/buckets/{bucket['id']}")
    steps = await place.apply()
    assert isinstance(steps[0], CreateBucket), steps
    assert set(reasons(steps[1:])) == {"grafana", "telegraf"}
    assert (await place.write(place.text("telegraf"), "ops", "cpu value=1")).status == 204


async def test_a_token_whose_file_can_not_be_written_does_not_stay(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    await place.apply()
    (one,) = await place.authorizations("ingest")
    # A folder in the file's place stands for a disk that fails between the trial write and the real one.
    monkeypatch.setattr(TokenFolder, "read", lambda self, name: None)
    place.file("ingest").unlink()
    place.file("ingest").mkdir()
    with pytest.raises(Refused, match=r"Can't write .*ingest\.token") as raised:
        await place.apply()
    assert raised.value.done == ()
    assert raised.value.failed is not None
    assert [left["id"] for left in await place.authorizations("ingest")] == [one["id"]]


async def test_two_at_once_agree_in_the_end(place: Place) -> None:
    await place.apply()
    place.file("grafana").unlink()
    await asyncio.gather(place.apply(), place.apply(), return_exceptions=True)
    await place.apply()
    assert await place.apply() == []
    assert len(await place.authorizations("grafana")) == 1


async def test_a_longer_retention_is_set(place: Place) -> None:
    await place.apply()
    longer = pulso(place.organization, ops=Bucket("ops", 60 * DAY))
    assert await place.apply(longer) == [SetRetention(Bucket("ops", 60 * DAY), 30 * DAY)]
    for_ever = pulso(place.organization, ops=Bucket("ops", 0))
    assert await place.apply(for_ever) == [SetRetention(Bucket("ops", 0), 60 * DAY)]
    assert await place.apply(for_ever) == []


async def test_a_shorter_retention_needs_leave(place: Place) -> None:
    await place.apply()
    place.file("grafana").unlink()
    was_seconds = 0
    for seconds in (365 * DAY, 3 * DAY, 3_600):
        shorter = pulso(place.organization, events=Bucket("pulso", seconds))
        with pytest.raises(Refused, match="--allow-shrink"):
            await place.apply(shorter, dry_run=True)
        with pytest.raises(Refused, match="--allow-shrink"):
            await place.apply(shorter)
        assert was_seconds or not place.file("grafana").exists(), "something was changed in spite of the refusal"
        assert SetRetention(Bucket("pulso", seconds), was_seconds) in await place.apply(shorter, allow_shrink=True)
        (rule,) = (await place.buckets())["pulso"]["retentionRules"]
        assert rule["everySeconds"] == seconds
        assert 0 < rule["shardGroupDurationSeconds"] <= seconds, rule
        was_seconds = seconds


async def test_a_bucket_brings_its_mapping(place: Place) -> None:
    await place.apply()
    (mapping,) = await place.mappings("pulso")
    assert mapping["virtual"], mapping
    assert mapping["default"], mapping
    assert mapping["retention_policy"] == "autogen"


@pytest.mark.parametrize(("policy", "default"), [("autogen", True), ("autogen", False), ("other", True)])
async def test_a_database_name_that_leads_elsewhere_is_led_back(place: Place, policy: str, default: bool) -> None:
    await place.apply()
    strayed = {
        "orgID": await place.org_id(),
        "bucketID": (await place.buckets())["ops"]["id"],
        "database": "pulso",
        "retention_policy": policy,
        "default": default,
    }
    await place.admin("POST", "/api/v2/dbrps", json=strayed)
    (step,) = await place.apply()
    assert isinstance(step, MapDatabase), step
    await place.write(place.text("ingest"), "pulso", "events value=1")
    answer = await place.influxql(place.text("grafana"), "pulso", "SELECT count(value) FROM events")
    assert "series" in answer.body["results"][0], f"pulso still leads elsewhere: {answer}"
    assert await place.apply() == []


async def test_a_mapping_like_the_declared_one_is_kept(place: Place) -> None:
    await place.apply()
    ours = {
        "orgID": await place.org_id(),
        "bucketID": (await place.buckets())["pulso"]["id"],
        "database": "pulso",
        "retention_policy": "autogen",
        "default": True,
    }
    await place.admin("POST", "/api/v2/dbrps", json=ours)
    assert await place.apply() == []


async def test_more_buckets_than_a_page(place: Place) -> None:
    await place.apply()
    org_id = await place.org_id()
    for number in range(105):
        await place.admin("POST", "/api/v2/buckets", json={"orgID": org_id, "name": f"a{number}", "retentionRules": []})
    assert await place.apply() == []


@pytest.mark.parametrize("text", ["wrong", "não"])
async def test_a_wrong_admin_token_is_named(place: Place, text: str) -> None:
    place.server = InfluxServer(place.server.url, text, place.server.org)
    with pytest.raises((Unauthorized, Refused), match="the token given") as raised:
        await place.apply()
    assert text not in str(raised.value).replace("the token given", "")


async def test_a_scoped_token_is_no_admin_token(place: Place) -> None:
    await place.apply()
    place.server = InfluxServer(place.server.url, place.text("grafana"), place.server.org)
    with pytest.raises(Unauthorized, match="may not administer"):
        await place.apply(dry_run=True)


async def test_a_folder_that_can_not_be_written_stops_before_any_change(place: Place) -> None:
    place.tokens_dir.touch()
    place.tokens_dir = place.tokens_dir / "below-a-file"
    with pytest.raises(Refused):
        await place.apply()
    found = await place.admin("GET", "/api/v2/orgs")
    assert place.organization not in [one["name"] for one in found["orgs"]]
