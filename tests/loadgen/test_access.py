"""loadgen and a service that wants a token, over HTTPS: every command, as a process."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest
import trustme

from ingest.app import running
from ingest.settings import Settings
from loadgen.access import Access, BadAccessError, access_of
from loadgen.cli import parser
from tests.loadgen.command import loadgen, start
from tools.influx_server import free_port

WRITER, READER = "writer-0123456789", "reader-0123456789"
EVENT = '{"timestamp": 1539112021301, "tag": "brasil.sul.s1", "valor": "1"}\n'


@dataclass
class Place:
    """A service, and the files to come in with."""

    url: str
    write: list[str]
    read: list[str]
    stranger: list[str]
    folder: Path


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    ca = trustme.CA()
    issued = ca.issue_cert("127.0.0.1")
    issued.private_key_pem.write_to_path(tmp_path / "key")
    issued.cert_chain_pems[0].write_to_path(tmp_path / "cert")
    ca.cert_pem.write_to_path(tmp_path / "ca")
    for name, token in (("writer", WRITER), ("reader", READER), ("stranger", "stranger-0123456789")):
        (tmp_path / name).write_text(f"{token}\n")
    settings = Settings(
        port=0,
        data_dir=tmp_path / "data",
        tokens=f"sensors:write:{WRITER},check:read:{READER}",
        tls_certificate_file=tmp_path / "cert",
        tls_key_file=tmp_path / "key",
    )
    options = {
        name: ["--token-file", str(tmp_path / name), "--ca-file", str(tmp_path / "ca")]
        for name in ("writer", "reader", "stranger")
    }
    async with running(settings) as url:
        yield Place(url, options["writer"], options["reader"], options["stranger"], tmp_path)


@pytest.mark.parametrize("processes", [1, 2])
async def test_run_and_verify(place: Place, processes: int) -> None:
    results = str(place.folder / "run.jsonl")
    how = ["--rate", "0", "--events", "200", "--quiet", "--results", results, "--processes", str(processes)]
    code, out, err = await loadgen("run", "--url", place.url, *how, *place.write)
    assert (code, err) == (0, ""), out
    assert WRITER not in Path(results).read_text()  # noqa: ASYNC240 - a small file
    code, out, err = await loadgen("verify", "--results", results, *place.read)
    assert (code, out.splitlines()[0]) == (0, "verified: 200 of 200 acked events"), err
    code, _, err = await loadgen("verify", "--results", results, *place.write)
    assert code == 2
    assert "the token of sensors may not read" in err


async def test_backfill_and_replay(place: Place) -> None:
    code, out, err = await loadgen("backfill", "--days", "0.01", "--url", place.url, "--quiet", *place.write)
    assert (code, err) == (0, ""), out
    code, out, _ = await loadgen("backfill", "--days", "0.01", "--url", place.url, "--quiet", *place.stranger)
    assert code == 1
    assert "given up: HTTP 401" in out
    assert f"--url {place.url} {' '.join(place.stranger)}" in out
    lines = place.folder / "lines.ndjson"
    lines.write_text(EVENT)
    code, out, err = await loadgen("replay", str(lines), "--url", place.url, "--quiet", *place.write)
    assert (code, err) == (0, ""), out


async def test_the_generator_sends_its_token(place: Place) -> None:
    port = free_port()
    process = await start("serve", "--port", str(port), "--target", place.url, *place.write)
    assert process.stdout is not None
    await process.stdout.readline()
    try:
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"http://127.0.0.1:{port}/generate/20") as answer,
        ):
            assert (answer.status, (await answer.json())["acked"]) == (200, 20)
    finally:
        process.terminate()
        await process.wait()


async def test_a_service_that_nobody_vouches_for_is_told_of(place: Place) -> None:
    token = place.write[:2]
    for command in (["run", "--events", "1"], ["backfill", "--days", "0.01"]):
        code, _, err = await loadgen(*command, "--url", place.url, *token)
        assert code == 2
        assert "its certificate is not to be trusted: unable to get local issuer certificate" in err


def test_a_token_comes_from_a_file_or_from_a_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "token").write_text(f"{READER}\n")
    monkeypatch.setenv("LOADGEN_TOKEN", WRITER)
    options = parser().parse_args(["run", "--token-file", str(tmp_path / "token")])
    assert access_of(options) == Access(READER)
    assert access_of(parser().parse_args(["run"])).headers == {"Authorization": f"Bearer {WRITER}"}
    assert READER not in repr(access_of(options))


@pytest.mark.parametrize("text", ["", "two words", "line\nbreak", "é", "x\r\nHost: y"])
def test_a_file_that_holds_no_token_is_said_without_showing_it(tmp_path: Path, text: str) -> None:
    (tmp_path / "token").write_text(text)
    with pytest.raises(BadAccessError) as caught:
        access_of(parser().parse_args(["run", "--token-file", str(tmp_path / "token")]))
    assert not text or text not in str(caught.value)


def test_files_that_cannot_be_read_are_said(tmp_path: Path) -> None:
    (tmp_path / "ca").write_text("no certificate")
    for options in (
        ["--token-file", str(tmp_path / "none")],
        ["--ca-file", str(tmp_path / "ca")],
        ["--ca-file", "none"],
    ):
        with pytest.raises(BadAccessError, match=options[1]):
            access_of(parser().parse_args(["run", *options]))
