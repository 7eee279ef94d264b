"""The real Telegraf between a live ingest, a real InfluxDB and the queries of the dashboard Operations."""

import asyncio
import json
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from tests.faults.service import Service, served
from tests.grafana.frames import Frame
from tests.grafana.grafana import Grafana
from tests.grafana.interpolation import TimeRange
from tests.ingest.test_process import event
from tests.telegraf.agent import Agent
from tests.telegraf.broker import Broker
from tools.dashboards import files
from tools.influx_server import Influxd, InfluxServer, call, own_influxd

INTERVAL = "1s"
DATABASES = {"pulso-events": "pulso", "pulso-rollup": "pulso_rollup", "pulso-ops": "ops"}
ROUNDS = 40
EVENTS_A_ROUND = 25
# Two lines of another measurement, one of which InfluxDB refuses, and an event by MQTT.
OTHERS = 3
# Events that are too old; there is a message by MQTT that is no event, too.
REJECTED = 4


@dataclass
class Watched:
    """What was sent, and how to ask about it as Grafana would."""

    dashboard: files.Dashboard
    grafana: Grafana
    time_range: TimeRange
    agents: Sequence[Agent]
    server: InfluxServer

    async def panel(self, title: str) -> list[Frame]:
        return await self.grafana.panel(self.dashboard, self.dashboard.panel(title), self.time_range)

    async def lines(self, title: str) -> dict[str, list[float]]:
        """The numbers of each line of a graph, by the name in the legend; what no line may have is left out."""
        return {
            field.display_name: [float(value) for value in field.values if value is not None]
            for frame in await self.panel(title)
            for field in frame.fields
            if field.name != "Time"
        }

    async def at_first_sight(self) -> float:
        """How many had been rejected when Telegraf first saw the counter of their reason: no rate shows these."""
        query = 'SELECT first("ingest_events_rejected_total") FROM "prometheus" GROUP BY "reason"'
        return sum(float(series["values"][0][1]) for series in await self.grafana.ask("pulso-ops", query))


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    """A service under a known load, whose InfluxDB was away for a while, as Telegraf has seen it."""
    folder = tmp_path_factory.mktemp("operations")
    with own_influxd() as influxd, ExitStack() as stack:
        tokens = declared(influxd.server, folder)
        options = ["--store", "influx", "--influx-url", influxd.server.url]
        for option, name in (("--influx-token-file", "ingest"), ("--influx-read-token-file", "ingest-read")):
            options += [option, str(tokens / f"{name}.token")]
        scraper = folder / "scraper.token"
        scraper.write_text("scraper-0123456789")
        options += ["--tokens", "scraper:read:scraper-0123456789", "--allow-anonymous", "true"]
        ingest = stack.enter_context(served(folder / "ingest", *options))
        broker = Broker(folder)
        stack.callback(broker.stop)
        broker.start()
        token = folder / "telegraf.token"
        token.write_text("one-that-was-replaced")
        variables = {
            "PULSO_TELEGRAF_INTERVAL": INTERVAL,
            "PULSO_TELEGRAF_TOKEN_FILE": str(token),
            "PULSO_INFLUX_URL": influxd.server.url,
            "PULSO_INGEST_URL": ingest.url,
            "PULSO_INGEST_TOKEN_FILE": str(scraper),
            "PULSO_MQTT_URL": broker.url,
        }
        started_ms = now_ms() - 2_000
        agents = [Agent("telegraf.conf", folder, **variables)]
        del variables["PULSO_INGEST_TOKEN_FILE"]
        agents.append(Agent("mqtt.conf", folder, **variables))
        for agent in agents:
            stack.callback(agent.stop)
            agent.start()
        grafana = Grafana(influxd.server.url, (tokens / "grafana.token").read_text(), DATABASES)
        ops = Ops(grafana, agents)
        # As when `influx apply` makes a new token under a running Telegraf.
        shutil.copy(tokens / "telegraf.token", token)
        ops.wait_for("ingest_events_accepted_total", 0, since_ms=started_ms)
        under_load(ingest, influxd, broker)
        ops.wait_for("ingest_spool_points", 0, since_ms=now_ms())
        # InfluxDB counts its series for the first time when it has run for ten seconds.
        ops.wait_for("storage_bucket_series_num", None, since_ms=now_ms())
        with urllib.request.urlopen(f"{ingest.url}/metrics", timeout=20) as answer:
            assert 'ingest_token_last_used_timestamp_seconds{client="scraper"} 1' in answer.read().decode()
        yield Watched(dashboard(folder), grafana, TimeRange(started_ms, now_ms()), agents, influxd.server)


def declared(server: InfluxServer, folder: Path) -> Path:
    """The folder of the tokens that `influx apply` made."""
    tokens = folder / "tokens"
    command = [sys.executable, "-m", "influx", "apply", "--url", server.url, "--tokens-dir", str(tokens)]
    subprocess.run(command, check=True, capture_output=True)
    return tokens


def dashboard(folder: Path) -> files.Dashboard:
    """The dashboard as it is in the repository, but for its shortest interval: here Telegraf asks once a second."""
    text = (files.DASHBOARDS / "operations.json").read_text()
    copy = folder / "operations.json"
    copy.write_text(text.replace('"interval": "10s"', f'"interval": "{INTERVAL}"'))
    return files.dashboard(copy)


def under_load(ingest: Service, influxd: Influxd, broker: Broker) -> None:
    """1000 events in some five seconds, a few more of other kinds; InfluxDB goes and returns."""
    post_lines(ingest, 'odd value=1 1539112021301000005\nodd value="a" 1539112021301000005', status=204)
    post_lines(ingest, "odd value=1 5", status=403, headers={"Sec-Fetch-Site": "cross-site"})
    broker.publish("sensors/a/b/c", ["rubbish", json.dumps(event(-1) | {"tag": "a.b.c"})])
    for number in range(ROUNDS):
        ingest.post(*(event(number * EVENTS_A_ROUND + one) for one in range(EVENTS_A_ROUND)))
        if number % (ROUNDS // REJECTED) == 5:
            post_lines(ingest, "events,country=a,region=b,sensor=c value=1 1", status=400)
        if number == ROUNDS // 2:
            influxd.stop()
            time.sleep(1.5)
        time.sleep(0.1)
    influxd.start()


def post_lines(ingest: Service, lines: str, status: int, headers: Mapping[str, str] | None = None) -> None:
    request = urllib.request.Request(ingest.url + "/api/v2/write", lines.encode(), dict(headers or {}))
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            answered = answer.status
    except urllib.error.HTTPError as error:
        answered = error.code
    assert answered == status, lines


@dataclass(frozen=True)
class Ops:
    """What Telegraf has written."""

    grafana: Grafana
    agents: Sequence[Agent]

    def wait_for(self, field: str, value: float | None, since_ms: int) -> None:
        """Until a field had this value, any for None, after ``since_ms``."""
        query = f'SELECT last("{field}") FROM "prometheus" WHERE time > {since_ms}ms'
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            series = asyncio.run(self.grafana.ask("pulso-ops", query))
            if series and value in (None, series[0]["values"][0][1]):
                return
            time.sleep(0.1)
        raise AssertionError(f"{field} did not become {value}: {logs(self.agents)}")


def logs(agents: Sequence[Agent]) -> str:
    return "\n".join(agent.log() for agent in agents)


def now_ms() -> int:
    return time.time_ns() // 1_000_000


async def test_every_query_of_every_panel_returns_something(watched: Watched) -> None:
    empty: list[str] = []
    for panel in watched.dashboard.panels:
        for frame_of in panel.targets:
            selection = await watched.grafana.selection(watched.dashboard, watched.time_range, {})
            frames = await watched.grafana.target(frame_of, selection, watched.time_range, 1000)
            values = [value for frame in frames for field in frame.fields[1:] for value in field.values]
            if all(value is None for value in values):
                empty.append(f"{panel.title}, {frame_of.ref}: {frame_of.query}")
    assert not empty, "\n".join([*empty, logs(watched.agents)])


async def test_the_rates_add_up_to_what_was_sent(watched: Watched) -> None:
    sums = {name: round(sum(values), 3) for name, values in (await watched.lines("Events")).items()}
    sent = ROUNDS * EVENTS_A_ROUND
    assert sums["accepted"] == sent + OTHERS, sums
    assert sums["received"] == sent + OTHERS + REJECTED + 1, sums
    assert sums["rejected"] == REJECTED + 1 - await watched.at_first_sight(), sums
    # What was under way when InfluxDB went is sent twice.
    assert sent + OTHERS <= sums["stored"] <= 2 * sent, sums


async def test_the_reasons_are_told_apart(watched: Watched) -> None:
    lines = await watched.lines("Rejected, by reason")
    assert set(lines) == {"timestamp_too_old", "invalid_json"}, lines
    assert sum(map(sum, lines.values())) == pytest.approx(REJECTED + 1 - await watched.at_first_sight())


@pytest.mark.parametrize("title", ["From arrival to disk", "Writes to InfluxDB"])
async def test_percentiles_are_in_order_and_plausible(watched: Watched, title: str) -> None:
    lines = await watched.lines(title)
    assert set(lines) == {"50 %", "90 %", "99 %"}
    for median, ninety, highest in zip(*lines.values(), strict=True):
        assert 0.0001 < median <= ninety <= highest < 20, lines


async def test_the_outage_of_influxdb_is_seen(watched: Watched) -> None:
    (points,) = (await watched.lines("Points in the spool")).values()
    assert max(points) >= 100, points
    assert points[-1] == 0, points
    (oldest,) = (await watched.lines("Oldest in the spool, over time")).values()
    assert 1 < max(oldest) < 60, oldest
    retries = await watched.lines("Writes sent again")
    assert sum(map(sum, retries.values())) > 0, retries


async def test_a_dead_letter_and_a_refused_message_are_there_to_be_read(watched: Watched) -> None:
    dead = (await watched.lines("Waiting for a person, or to be counted"))["dead letters"]
    assert (dead[0], dead[-1]) == (0, 1), dead
    (table,) = await watched.panel("Refused messages")
    assert list(zip(*(field.values[:] for field in table.fields[1:]), strict=True)) == [
        ("invalid_json", "a.b.c", "not JSON: expecting value at character 0", "rubbish")
    ]


async def test_who_is_turned_away_and_what_is_at_work_is_seen(watched: Watched) -> None:
    turned_away = await watched.lines("Turned away")
    assert set(turned_away) >= {"cross_site", "over capacity: requests", "over capacity: connections"}, turned_away
    work = await watched.lines("Connections, and writes at work")
    assert max(work["connections"]) >= 1, work
    (series,) = (await watched.lines("Known series")).values()
    assert series[-1] >= 2, series
    damaged = await watched.lines("Damaged by the disk")
    assert [values[-1] for values in damaged.values()] == [0, 0], damaged


async def test_the_broker_is_watched(watched: Watched) -> None:
    (held,) = (await watched.lines("Messages the broker holds")).values()
    assert held[-1] > 0, held


async def test_the_host_is_this_host(watched: Watched) -> None:
    disks = await watched.lines("Host: disks")
    assert disks["/"][-1] == pytest.approx(psutil.disk_usage("/").percent, abs=2), disks
    (memory,) = (await watched.lines("Host: memory")).values()
    assert memory[-1] == pytest.approx(psutil.virtual_memory().percent, abs=10), memory
    cpu = await watched.lines("Host: CPU")
    assert all(0 <= value <= 100 for value in cpu["busy"] + cpu["waiting for disks"]), cpu
    assert max(cpu["busy"]) > 0


async def test_influxdb_is_this_influxdb(watched: Watched) -> None:
    (series,) = (await watched.lines("InfluxDB: series")).values()
    assert series[-1] >= 5, series
    query = f"SELECT last(memory_rss) FROM procstat WHERE pid = '{watched.server.pid}'"
    ((_, resident),) = (await watched.grafana.ask("pulso-ops", query))[0]["values"]
    assert resident == pytest.approx(psutil.Process(watched.server.pid).memory_info().rss, rel=0.5)
    # Others may run on this host, too.
    (memory,) = (await watched.lines("InfluxDB: memory")).values()
    assert memory[-1] >= resident * 0.5, memory
    (busy,) = (await watched.lines("InfluxDB: CPU")).values()
    assert all(0 <= value <= 100 * (psutil.cpu_count() or 1) for value in busy), busy


def test_ops_stays_small(watched: Watched) -> None:
    """What is written each time is what some panel or alert reads, and little more."""
    everything = call(
        InfluxServer(watched.server.url, watched.grafana.token),
        "GET",
        "/query",
        parameters={"db": "ops", "q": "SHOW FIELD KEYS"},
    )
    fields = {f"{series['name']}.{row[0]}" for series in everything["results"][0]["series"] for row in series["values"]}
    queries = " ".join(target.query for panel in watched.dashboard.panels for target in panel.targets)
    unread = {field for field in fields if f'"{field.partition(".")[2]}"' not in queries}
    assert unread <= SPARE, f"written and never read: {sorted(unread - SPARE)}"


# For whoever asks by hand.
SPARE = {
    "prometheus.ingest_spool_bytes",
    "prometheus.ingest_dead_letter_bytes",
    "prometheus.ingest_refused_messages_not_kept_total",
    "prometheus.ingest_body_bytes_at_work",
    "prometheus.ingest_body_bytes_at_work_limit",
    "prometheus.ingest_events_dead_total",
    "prometheus.ingest_ack_seconds_count",
    "prometheus.ingest_ack_seconds_sum",
    "prometheus.ingest_store_write_seconds_count",
    "prometheus.ingest_store_write_seconds_sum",
    "mem.total",
    "mem.available",
    "disk.total",
    "disk.free",
}
