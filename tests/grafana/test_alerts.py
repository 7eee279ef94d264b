"""Each alert rule on a real InfluxDB: it fires when it must, for what it must, and not otherwise."""

import time
from collections.abc import Iterator, Sequence

import pytest

from influx.declared import EVENTS, OPS
from tests.grafana.alert_rules import EXPRESSION, Labels, Rule, firing, rules
from tests.grafana.place import Place
from tests.grafana.sent import Event
from tools.dashboards.files import dashboards, databases

RULES = {rule.uid: rule for rule in rules()}
NO_LABELS: Labels = frozenset()


def test_every_rule_is_checked() -> None:
    checked = {
        "pulso-no-events",
        "pulso-silent-sensor",
        "pulso-error-share",
        "pulso-spool-age",
        "pulso-dead-letters",
        "pulso-damaged",
        "pulso-archive",
        "pulso-disk",
    }
    assert RULES.keys() == checked, "a rule has no test of when it fires"
    assert len(rules()) == len(RULES), "two rules have one uid"


async def test_no_events_at_all_fires(empty_place: Place) -> None:
    assert await firing(empty_place.grafana, RULES["pulso-no-events"], _now_ms()) == {NO_LABELS}


@pytest.mark.parametrize(("seconds_ago", "valor", "fires"), [(1, 1.5, False), (28, "a", False), (32, 1.5, True)])
async def test_no_events_for_30_seconds_fires(
    empty_place: Place, seconds_ago: int, valor: float | str, fires: bool
) -> None:
    now_ms = _now_ms()
    await empty_place.write(EVENTS, [_event(now_ms, seconds_ago, "sensor01", valor).line()])

    assert await firing(empty_place.grafana, RULES["pulso-no-events"], now_ms) == ({NO_LABELS} if fires else set())


async def test_a_sensor_is_silent_after_60_seconds_whatever_it_sent(empty_place: Place) -> None:
    now_ms = _now_ms()
    # The query looks at InfluxDB's clock: a second or two pass until then.
    ago: dict[str, tuple[int, float | str]] = {
        "recent_number": (50, 1.5),
        "recent_text": (1, "a"),
        "recent_erro": (30, ""),
        "late_number": (61, 1.5),
        "late_text": (3000, "a"),
        "late_erro": (80_000, ""),
        "forgotten": (86_500, 1.5),
    }
    sent = [_event(now_ms, seconds, sensor, valor) for sensor, (seconds, valor) in ago.items()]
    # Older events of a kind that a sensor sends no more do not make it silent.
    sent += [_event(now_ms, 600, sensor, valor) for sensor in ("recent_number", "recent_text") for valor in ("b", 2.5)]
    await empty_place.write(EVENTS, [each.line() for each in sent])

    silent = await firing(empty_place.grafana, RULES["pulso-silent-sensor"], now_ms)

    assert {dict(labels)["sensor"] for labels in silent} == {"late_number", "late_text", "late_erro"}
    assert {tuple(sorted(dict(labels))) for labels in silent} == {("country", "region", "sensor")}


@pytest.mark.parametrize(
    ("errors", "others", "fires"), [(0, 100, False), (20, 80, False), (21, 79, True), (7, 0, True), (0, 0, False)]
)
async def test_more_than_20_percent_of_errors_fires(empty_place: Place, errors: int, others: int, fires: bool) -> None:
    now_ms = _now_ms()
    sent = [_event(now_ms - at, 20, "sensor01", "" if at < errors else 1.5) for at in range(errors + others)]
    # What came before the last two minutes is not looked at any more.
    sent += [_event(now_ms, 300 + at, "sensor02", 1.5 if errors else "") for at in range(50)]
    await empty_place.write(EVENTS, [each.line() for each in sent])
    await empty_place.count()

    assert await firing(empty_place.grafana, RULES["pulso-error-share"], now_ms) == ({NO_LABELS} if fires else set())


@pytest.mark.parametrize(
    ("uid", "field", "values", "fires"),
    [
        ("pulso-spool-age", "ingest_spool_oldest_age_seconds", [90, 59.5], False),
        ("pulso-spool-age", "ingest_spool_oldest_age_seconds", [0, 60.5], True),
        ("pulso-dead-letters", "ingest_dead_letters", [2, 0], False),
        ("pulso-dead-letters", "ingest_dead_letters", [0, 1], True),
        ("pulso-archive", "ingest_archive_failing", [1, 0], False),
        ("pulso-archive", "ingest_archive_failing", [0, 1], True),
    ],
)
async def test_what_telegraf_last_saw_of_ingest(
    empty_place: Place, uid: str, field: str, values: Sequence[float], fires: bool
) -> None:
    now_ms = _now_ms()
    lines = [
        f"prometheus,service=ingest,url=http://ingest {field}={value} {(now_ms - age_ms) * 1_000_000}"
        for value, age_ms in zip(values, (20_000, 10_000), strict=True)
    ]
    lines.append(f"prometheus,service=influxdb,url=http://influxdb {field}=999 {now_ms * 1_000_000}")
    await empty_place.write(OPS, lines)

    assert await firing(empty_place.grafana, RULES[uid], now_ms) == ({NO_LABELS} if fires else set())


@pytest.mark.parametrize(("rows", "files", "fires"), [(0, 0, False), (1, 0, True), (0, 1, True)])
async def test_what_the_disk_has_damaged(empty_place: Place, rows: int, files: int, fires: bool) -> None:
    now_ms = _now_ms()
    fields = f"ingest_spool_damaged_rows={rows},ingest_spool_files_set_aside={files}"
    await empty_place.write(OPS, [f"prometheus,service=ingest,url=http://ingest {fields} {now_ms * 1_000_000}"])

    assert await firing(empty_place.grafana, RULES["pulso-damaged"], now_ms) == ({NO_LABELS} if fires else set())


async def test_each_disk_with_less_than_10_percent_left(empty_place: Place) -> None:
    now_ms = _now_ms()
    used = {"/": 89.9, "/data": 90.1, "/backup": 99.0}
    await empty_place.write(
        OPS, [f"disk,host=one,path={path} used_percent={value} {now_ms * 1_000_000}" for path, value in used.items()]
    )

    full = await firing(empty_place.grafana, RULES["pulso-disk"], now_ms)

    assert {dict(labels)["path"] for labels in full} == {"/data", "/backup"}


async def test_no_data_fires_where_it_is_the_fault_and_only_there(empty_place: Place) -> None:
    fired = [uid for uid, rule in RULES.items() if await firing(empty_place.grafana, rule, _now_ms())]

    assert fired == ["pulso-no-events"]
    # Telegraf that brings nothing is told once, as missing data of this rule.
    assert [uid for uid, rule in RULES.items() if rule.no_data_state == "NoData"] == ["pulso-spool-age"]


@pytest.mark.parametrize(
    ("uid", "least", "most"),
    [
        # From the fault until Grafana evaluates it: the window, how long it must last, and one round of its group.
        ("pulso-no-events", 30, 40),
        ("pulso-error-share", 300, 310),
        ("pulso-spool-age", 0, 10),
        ("pulso-dead-letters", 0, 10),
        ("pulso-damaged", 0, 10),
        ("pulso-archive", 60, 70),
        ("pulso-disk", 60, 70),
    ],
)
def test_rules_are_evaluated_often_enough(uid: str, least: int, most: int) -> None:
    rule = RULES[uid]
    lasts = rule.pending + (rule.window if uid == "pulso-no-events" else 0)

    assert lasts == least
    assert lasts + rule.group_interval <= most


@pytest.mark.parametrize("rule", RULES.values(), ids=lambda rule: rule.uid)
def test_a_rule_says_what_to_do_and_where_to_look(rule: Rule) -> None:
    annotations = rule.raw["annotations"]
    assert annotations["summary"]
    assert len(annotations["description"]) > 80, "say what to do"
    assert rule.raw["labels"]["severity"] in ("warning", "critical")
    uid, panel = annotations["__dashboardUid__"], annotations["__panelId__"]
    assert isinstance(panel, str), "annotations are strings"
    assert uid in ("pulso-events", "pulso-sensor", "pulso-operations")
    assert all(int(panel) in {one.id for one in each.panels} for each in dashboards() if each.uid == uid)


@pytest.mark.parametrize("rule", RULES.values(), ids=lambda rule: rule.uid)
def test_a_rule_is_of_the_keys_that_grafana_reads(rule: Rule) -> None:
    known = {"uid", "title", "condition", "for", "noDataState", "execErrState", "labels", "annotations", "data"}
    assert rule.raw.keys() == known
    assert rule.raw["noDataState"] in ("Alerting", "NoData", "OK", "KeepLast")
    assert rule.raw["execErrState"] in ("Alerting", "Error", "OK", "KeepLast")
    assert rule.raw["condition"] in {each["refId"] for each in rule.raw["data"]}
    for each in rule.raw["data"]:
        assert each.keys() == {"refId", "datasourceUid", "relativeTimeRange", "model"}
        assert each["datasourceUid"] in {EXPRESSION, *databases()}
        assert each["model"]["refId"] == each["refId"]
        assert each["model"]["datasource"]["uid"] == each["datasourceUid"]


def test_nothing_in_a_rule_is_taken_for_a_variable_of_the_environment() -> None:
    # Grafana expands `$` in these as it reads the file; in queries and annotations it does not.
    for rule in RULES.values():
        assert not [text for text in _expanded(rule) if "$" in text], rule.uid


def _expanded(rule: Rule) -> Iterator[str]:
    yield from (rule.uid, rule.title, str(rule.raw["condition"]))
    yield from (str(value) for value in rule.raw["labels"].values())


def _event(now_ms: int, seconds_ago: int, sensor: str, valor: float | str) -> Event:
    return Event(now_ms - seconds_ago * 1000, "brasil", "sul", sensor, valor)


def _now_ms() -> int:
    return int(time.time() * 1000)
