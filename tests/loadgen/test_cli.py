"""The command as a user starts it: real processes, real signals, exit codes."""

import asyncio
import signal
from asyncio.subprocess import DEVNULL
from pathlib import Path

import psutil
import pytest

from loadgen.__main__ import main
from tests.loadgen.command import finish, loadgen, start
from tests.loadgen.service import Service


async def test_a_run_and_its_verification(service: Service, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    results = str(tmp_path / "run.jsonl")
    code, out, err = await loadgen(
        "run", "--url", service.url, "--rate", "500", "--duration", "500ms", "--batch", "10", "--results", results
    )
    assert (code, err) == (0, ""), out + err
    assert "250 events in 25 requests" in out
    assert "250 (all)" in out
    code, out, err = await loadgen("verify", "--results", results)
    assert (code, out, err) == (0, "verified: 250 of 250 acked events\n", "")
    lost = service.rows.pop()
    code = await asyncio.to_thread(main, ["verify", "--results", results, "--wait", "0"])
    out = capsys.readouterr().out
    assert code == 1, out
    assert "missing: 1" in out
    assert lost["tag"] in out


async def test_what_is_not_acked_shows_in_the_exit_code(service: Service) -> None:
    service.status = 500
    code, out, _ = await loadgen("run", "--url", service.url, "--rate", "0", "--events", "5")
    assert code == 1
    assert "5 × HTTP 500" in out


@pytest.mark.parametrize(
    ("status", "conditions", "expected", "said"),
    [
        (202, ["max>0s"], 3, "fail-if   max>0s: FAILED, max was "),
        (202, ["p99>1m", "errors>0"], 0, "fail-if   errors>0: ok, errors was 0\n"),
        (
            503,
            ["p99<1m", "failed>50%"],
            3,
            "p99<1m: FAILED, p99 was not measured, for nothing was answered\n",
        ),
        (503, ["rejected>0"], 1, "fail-if   rejected>0: ok, rejected was 0\n"),
        (503, ["failed>5"], 0, "fail-if   failed>5: ok, failed was 5\n"),
    ],
)
async def test_a_condition_decides_the_exit_code_and_is_said(
    service: Service, status: int, conditions: list[str], expected: int, said: str
) -> None:
    service.status = status
    options = [part for condition in conditions for part in ("--fail-if", condition)]
    code, out, _ = await loadgen("run", "--url", service.url, "--rate", "0", "--events", "5", *options)
    assert code == expected, out
    assert said in out


async def test_a_ramp_and_steps_follow_one_another(service: Service) -> None:
    code, out, err = await loadgen("run", "--url", service.url, "--ramp", "0:200:500ms", "--steps", "40,0,60:500ms")
    assert (code, err) == (0, ""), out + err
    # 50 of the ramp, 20 and 30 of the steps, nothing in the pause between them.
    assert "sent      100 events in 100 requests, 2.0 s" in out
    assert len(service.rows) == 100


async def test_results_that_can_not_be_written_are_said_before_anything_is_sent(service: Service) -> None:
    code, _, err = await loadgen("run", "--url", service.url, "--results", "/dev/null/run.jsonl")
    assert (code, service.posts) == (2, 0)
    assert err == "loadgen run: /dev/null/run.jsonl can't be written: Not a directory. Name another --results file\n"


async def test_nobody_there_is_said_at_once(nobody_url: str, tmp_path: Path) -> None:
    results = tmp_path / "run.jsonl"
    code, out, err = await loadgen("run", "--url", nobody_url, "--results", str(results))
    assert (code, out) == (2, "")
    assert err == (
        f"loadgen run: nobody answers at {nobody_url}: connection refused. Start the service, or name it with --url\n"
    )
    assert not results.exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_one_signal_ends_an_endless_run_cleanly(service: Service, number: signal.Signals) -> None:
    process = await start("run", "--url", service.url, "--duration", "forever", "--rate", "50")
    await service.heard(5)
    process.send_signal(number)
    code, out, err = await finish(process)
    assert (code, err) == (0, ""), out + err
    assert f"acked     {len(service.rows)} (all)" in out
    assert " s, interrupted\n" in out


async def test_the_heartbeat_beats_only_while_events_are_acked(service: Service, tmp_path: Path) -> None:
    heartbeat = tmp_path / "heartbeat"
    heartbeat.touch()
    service.status = 503
    process = await start(
        "run", "--url", service.url, "--duration", "forever", "--rate", "50", "--heartbeat", str(heartbeat)
    )
    await service.heard(60)
    assert not heartbeat.exists(), "a second of events was sent, none was acked"
    service.status = 202
    await service.heard(170)
    first = heartbeat.stat().st_mtime_ns
    await service.heard(230)
    assert heartbeat.stat().st_mtime_ns > first
    process.send_signal(signal.SIGTERM)
    await finish(process)


async def test_a_heartbeat_that_can_not_be_written_is_said_before_anything_is_sent(
    service: Service, tmp_path: Path
) -> None:
    nowhere = tmp_path / "nowhere" / "heartbeat"
    code, _, err = await loadgen("run", "--url", service.url, "--heartbeat", str(nowhere))
    assert (code, service.posts) == (2, 0)
    assert err == f"loadgen run: {nowhere} can't be written: No such file or directory. Name another --heartbeat file\n"


@pytest.mark.parametrize("processes", ["1", "2"])
async def test_a_results_file_that_can_not_grow_ends_the_run_in_a_sentence(
    service: Service, tmp_path: Path, processes: str
) -> None:
    results = str(tmp_path / "run.jsonl")
    options = ["--duration", "forever", "--results", results, "--processes", processes]
    process = await start("run", "--url", service.url, *options)
    # Room for the plan and a second or two.
    psutil.Process(process.pid).rlimit(psutil.RLIMIT_FSIZE, (1024, 1024))
    code, out, err = await finish(process)
    assert (code, out) == (2, "")
    assert err == f"loadgen run: stopped, for {results} can't be written any more: File too large\n"


@pytest.mark.parametrize("command", [["run"], ["backfill"], ["replay", "-"], ["verify"]])
async def test_ctrl_c_while_connecting_is_quiet(
    service: Service, full_url: str, tmp_path: Path, command: list[str]
) -> None:
    if command == ["verify"]:
        results = str(tmp_path / "run.jsonl")
        await loadgen("run", "--url", service.url, "--events", "1", "--results", results)
        command = ["verify", "--results", results]
    process = await start(*command, "--url", full_url, stdin=DEVNULL)
    asked = psutil.Process(process.pid)
    while not any(connection.status == psutil.CONN_SYN_SENT for connection in asked.net_connections()):
        await asyncio.sleep(0.05)
    process.send_signal(signal.SIGINT)
    code, out, err = await finish(process)
    assert (code, err) == (130, ""), out + err


@pytest.mark.parametrize("command", ["run", "backfill"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_signal_does_not_wait_for_the_sensors_to_be_set_up(
    service: Service, command: str, number: signal.Signals
) -> None:
    process = await start(command, "--url", service.url, "--sensors", "10000000")
    asked = psutil.Process(process.pid)
    while asked.memory_info().rss < 120 << 20:
        await asyncio.sleep(0.05)
    process.send_signal(number)
    try:
        code, out, err = await asyncio.wait_for(finish(process), 10)
    except TimeoutError:
        process.kill()
        raise
    assert (code, out, err) == (130 if number == signal.SIGINT else -signal.SIGTERM, "", "")
    assert service.posts == 0


async def test_a_second_signal_ends_it_at_once(service: Service) -> None:
    service.delay_seconds = 60
    process = await start("run", "--url", service.url, "--duration", "forever", "--connections", "2")
    await service.heard(2)
    process.send_signal(signal.SIGINT)
    await asyncio.sleep(0.3)
    process.send_signal(signal.SIGINT)
    code, out, err = await finish(process)
    assert (code, out, err) == (130, "", "")


async def test_a_killed_run_can_still_be_verified(
    service: Service, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    results = tmp_path / "run.jsonl"
    process = await start(
        "run", "--url", service.url, "--duration", "forever", "--rate", "100", "--results", str(results)
    )
    # At 100 a second these take more than the second after which the first line is written.
    await service.heard(115)
    process.kill()
    await finish(process)
    code = await asyncio.to_thread(main, ["verify", "--results", str(results)])
    out = capsys.readouterr().out
    assert code == 0, out
    assert " 0 of 0 " not in out, out
    assert out.startswith("the run did not end by itself"), out


@pytest.mark.parametrize(
    ("arguments", "way_out"),
    [
        (["run", "--rate", "fast"], "write events a second like 1000"),
        (["run", "--duration", "60"], "write it like 500ms, 60s, 5m or 1h"),
        (["run", "--format", "xml"], "choose from"),
        (["run", "--ramp", "0:100:1s", "--rate", "5"], "leave --rate and --duration away"),
        (["run", "--steps", "5:1s", "--duration", "5s"], "leave --rate and --duration away"),
        (["run", "--ramp", "0:100"], "write it like 0:50000:60s"),
        (["run", "--steps", "0:60s"], "--ramp 0:1000:60s"),
        (["run", "--processes", "5", "--sensors", "4"], "give --sensors 5 or more"),
        (["run", "--processes", "101"], "give --connections 101 or more"),
        (["run", "--fail-if", "p99>50"], "write it like 500ms"),
        (["run", "--fail-if", "p98>50ms"], "there are p50, p90, p99"),
        (["verify"], "See loadgen verify --help"),
        (["verify", "--results", "/dev/null/run.jsonl"], "can't be read"),
        (["backfill", "--days", "0"], "write one like 7 or 0.5"),
        (["run", "--sensors", "100000000"], "up to 10000000 sensors"),
        (["run", "--url", "http://127.0.0.1:5911/é"], "try http://127.0.0.1:5000"),
        (["run", "--url", "http://user:pw@127.0.0.1:5911"], "for none is sent"),
        (["verify", "--results", "x", "--url", "http://a/é"], "try http://127.0.0.1:5000"),
        (["backfill", "--until", "99999999999999999"], "not in the years 1970 to 9999"),
        (["backfill", "--until", "yesterday"], "write Unix ms or a time like"),
        (["backfill", "--batch", "5000"], "names at most 1000"),
        (["backfill", "--results", "/dev/null/run.jsonl"], "Name another --results file"),
        (["replay"], "See loadgen replay --help"),
        (["replay", "nothing.ndjson"], "nothing.ndjson does not exist"),
        (["replay", "-", "--speed", "fast"], "or max"),
        (["serve", "--target", "ftp://ingest"], "try http://127.0.0.1:5000"),
        ([], "See loadgen --help"),
        (["serve", "--host", "nosuch.invalid"], "Try another --host"),
    ],
)
def test_wrong_usage_names_the_way_out(arguments: list[str], way_out: str, capsys: pytest.CaptureFixture[str]) -> None:
    try:
        code: object = main(arguments)
    except SystemExit as exit_:
        code = exit_.code
    out, err = capsys.readouterr()
    assert (code, out) == (2, "")
    assert way_out in err
    assert len(err.splitlines()) == 1, err


@pytest.mark.parametrize("command", ["run", "verify", "backfill", "replay", "serve"])
def test_help_has_an_example_and_the_exit_codes(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        main([command, "--help"])
    out = capsys.readouterr().out
    assert f"  loadgen {command}" in out
    assert "exit codes: 0" in out
