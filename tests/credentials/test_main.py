"""The secrets as `docker compose` makes and shows them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from credentials.__main__ import main
from credentials.declared import CREDENTIALS, INGEST_TOKENS
from ingest.access.sources import TokenSources

ROOT = Path(__file__).parents[2]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "secrets"


def texts(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.iterdir()}


def make(folder: Path, *arguments: str) -> int:
    return main(["make", "--dir", str(folder), *arguments])


def test_every_secret_is_made_and_none_is_told(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert make(folder) == 0
    told = "".join(capfd.readouterr())
    made = texts(folder)
    assert sorted(made) == sorted([*(credential.file for credential in CREDENTIALS), INGEST_TOKENS])
    assert len(set(made.values())) == len(made), "each is another"
    assert not [name for name, text in made.items() if text in told], told


def test_a_secret_is_hexadecimal_and_long_enough(folder: Path) -> None:
    assert make(folder) == 0
    made = texts(folder)
    for credential in CREDENTIALS:
        text = made[credential.file]
        assert len(bytes.fromhex(text)) == credential.entropy_bytes >= 16, f"{credential.file}: {text}"
        # InfluxDB takes no longer password.
        assert not credential.file.endswith(".password") or 8 <= len(text) <= 72


def test_another_folder_gets_other_secrets(folder: Path, tmp_path: Path) -> None:
    assert (make(folder), make(tmp_path / "other")) == (0, 0)
    assert not set(texts(folder).values()) & set(texts(tmp_path / "other").values())


def test_what_is_there_stays_and_only_what_is_missing_is_made(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert make(folder) == 0
    before = texts(folder)
    (folder / "admin.token").unlink()
    capfd.readouterr()
    assert make(folder) == 0
    assert capfd.readouterr().out == "made admin.token\n"
    after = texts(folder)
    assert {name for name in before if before[name] != after[name]} == {"admin.token"}
    assert make(folder) == 0
    assert capfd.readouterr().out == "all secrets are there\n"
    assert texts(folder) == after


def test_ingest_takes_the_tokens_and_each_is_its_clients(folder: Path) -> None:
    assert make(folder) == 0
    tokens = TokenSources("", folder / INGEST_TOKENS).read()
    assert {f"{token.client.name}:{token.client.right}" for token in tokens} == {
        "user:all",
        "generator:write",
        "telegraf-read:read",
        "telegraf-write:write",
    }
    assert all((folder / f"{token.client.name}.token").read_text() == token.text for token in tokens)


def test_a_token_made_anew_is_in_the_list_of_ingest_too(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert make(folder) == 0
    (folder / "generator.token").unlink()
    capfd.readouterr()
    assert make(folder) == 0
    assert capfd.readouterr().out == f"made generator.token, {INGEST_TOKENS}\n"
    assert (folder / "generator.token").read_text() in (folder / INGEST_TOKENS).read_text()


def test_an_empty_file_is_no_secret(folder: Path) -> None:
    folder.mkdir()
    (folder / "admin.token").touch()
    assert make(folder) == 0
    assert (folder / "admin.token").read_text()


def test_without_a_group_a_file_is_its_owners_alone(folder: Path) -> None:
    assert make(folder) == 0
    assert {oct(path.stat().st_mode) for path in folder.iterdir()} == {oct(0o100600)}
    assert oct(folder.stat().st_mode) == oct(0o040700)


def test_a_group_reads_the_secrets_of_its_service_and_no_other(folder: Path) -> None:
    assert make(folder, "--group", f"grafana={os.getgid()}") == 0
    for credential in CREDENTIALS:
        status = (folder / credential.file).stat()
        wanted = 0o100640 if credential.service == "grafana" else 0o100600
        assert (oct(status.st_mode), status.st_gid) == (oct(wanted), os.getgid()), credential.file


def test_show_prints_all_of_them_on_request(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert make(folder) == 0
    capfd.readouterr()
    assert main(["show", "--dir", str(folder)]) == 0
    lines = capfd.readouterr().out.splitlines()
    assert [line.split()[-1] for line in lines] == [texts(folder)[credential.file] for credential in CREDENTIALS]
    assert lines[0].startswith("InfluxDB: password of admin"), lines


def test_show_before_make_says_what_to_do(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["show", "--dir", str(folder)]) == 1
    assert capfd.readouterr().err == (
        f"credentials: there is no {folder}/admin.password: say make, or docker compose up, first\n"
    )


def test_a_folder_that_can_not_be_is_one_sentence(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").touch()
    assert make(tmp_path / "file" / "secrets") == 1
    assert "can't write secrets to" in capfd.readouterr().err


@pytest.mark.parametrize("wrong", ["grafana", "grafana=", "grafana=staff", "grafana=-1", "other=1"])
def test_a_wrong_group_is_a_usage_error(folder: Path, wrong: str, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as raised:
        make(folder, "--group", wrong)
    assert raised.value.code == 2
    assert (
        "is not like grafana=472; the services are influxdb, grafana, ingest, generator, telegraf"
        in capfd.readouterr().err
    )


def test_as_a_program(folder: Path) -> None:
    command = [sys.executable, "-m", "credentials", "make", "--dir", str(folder)]
    ended = subprocess.run(command, check=False, cwd=ROOT, capture_output=True, text=True)
    assert (ended.returncode, ended.stderr) == (0, ""), ended
    assert ended.stdout.startswith("made admin.password, admin.token, "), ended
