from pathlib import Path

import pytest

from ingest.config import ConfigError, access_settings, influx_tokens, load
from ingest.settings import Declared, Settings, declared

UNITS = (
    "bytes",
    "seconds",
    "ms",
    "points",
    "series",
    "weeks",
    "minute",
    "port",
    "flight",
    "connections",
    "events",
    "second",
    "workers",
)


def test_the_defaults() -> None:
    assert load({}, {}) == Settings()


def test_an_option_wins_over_its_variable_and_a_variable_over_the_default() -> None:
    settings = load(
        {"port": "1"},
        {"INGEST_PORT": "2", "INGEST_SHIP_LINGER_SECONDS": "0.5", "INGEST_INFLUX_GZIP": "yes", "HOME": "/"},
    )
    assert (settings.port, settings.ship_linger_seconds, settings.influx_gzip) == (1, 0.5, True)


def test_every_error_is_reported_at_once_and_names_its_key() -> None:
    environment = {
        "INGEST_PORT": "many",
        "INGEST_STORE": "paper",
        "INGEST_SHIP_BATCH_POINTS": "0",
        "INGEST_GRACE_SECONDS": "nan",
        "INGEST_INFLUX_GZIP": "perhaps",
        "INGEST_PROT": "5000",
    }
    with pytest.raises(ConfigError) as caught:
        load({"max_body_bytes": "1.5"}, environment)
    keys = {error.partition(":")[0] for error in caught.value.errors}
    assert keys == {*environment, "--max-body-bytes"}


def test_values_that_parse_are_checked_even_if_others_do_not() -> None:
    with pytest.raises(ConfigError) as caught:
        load({"port": "99999", "grace_seconds": "x"}, {"INGEST_STORE": "influx", "INGEST_INFLUX_BUCKET": ""})
    assert [error.partition(":")[0] for error in caught.value.errors] == [
        "--grace-seconds",
        "port",
        "influx_bucket",
        "influx_token_file",
    ]


@pytest.mark.parametrize("url", ["http://[::1", "http://h:99999", "http://", "ftp://h", "h:8086"])
def test_a_url_that_is_none(url: str) -> None:
    with pytest.raises(ConfigError, match="influx_url: must be like"):
        load({"store": "influx", "influx_url": url, "influx_token": "t"}, {})


def test_a_token_that_no_header_can_carry() -> None:
    with pytest.raises(ConfigError, match="influx_token: ") as caught:
        load({"store": "influx"}, {"INGEST_INFLUX_TOKEN": "secret\nsecret"})
    assert "secret" not in str(caught.value)


def test_what_kubernetes_sets_is_no_mistake() -> None:
    load({}, {"INGEST_SERVICE_HOST": "10.0.0.1", "INGEST_SERVICE_PORT": "80", "INGEST_PORT_5000_TCP_ADDR": "10.0.0.1"})


def test_influx_needs_a_url_and_a_token(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load({"store": "influx", "influx_url": "localhost:8086", "influx_read_token_file": str(tmp_path / "none")}, {})
    assert {error.partition(":")[0] for error in caught.value.errors} == {
        "influx_url",
        "influx_token_file",
        "influx_read_token_file",
    }


def test_tokens_come_from_files_and_stay_out_of_sight(tmp_path: Path) -> None:
    for name in ("write", "read"):
        (tmp_path / name).write_text(f"secret-{name}\n")
    files = {"influx_token_file": str(tmp_path / "write"), "influx_read_token_file": str(tmp_path / "read")}
    tokens = influx_tokens(load({"store": "influx", **files}, {}))
    assert (tokens.write, tokens.read) == ("secret-write", "secret-read")
    settings = load({"store": "influx"}, {"INGEST_INFLUX_TOKEN": "secret"})
    assert influx_tokens(settings).read == "secret"
    assert "secret" not in repr(settings)


def test_tokens_and_certificates_that_cannot_be_used_are_all_said_and_no_token_is_shown(tmp_path: Path) -> None:
    file = tmp_path / "tokens"
    file.write_text("page:read:secret-0123456789\npage:all:secret-9876543210")
    with pytest.raises(ConfigError) as caught:
        load({"tokens_file": str(file), "tls_key_file": "key.pem"}, {"INGEST_TOKENS": "secret-0123456789"})
    assert caught.value.errors == [
        "tls_key_file: HTTPS needs both tls_certificate_file and tls_key_file",
        "tokens: token 1: is not like NAME:RIGHT:TOKEN",
        f"tokens_file: {file}: two tokens are named page",
    ]
    file.write_text("page:read:secret-0123456789")
    with pytest.raises(ConfigError, match=r"^tokens: two tokens are named page$"):
        load({"tokens_file": str(file)}, {"INGEST_TOKENS": "page:all:secret-9876543210"})
    with pytest.raises(ConfigError, match="tls_client_ca_file: client certificates need HTTPS"):
        load({"tls_client_ca_file": "clients.pem"}, {})
    settings = load({}, {"INGEST_TOKENS": "page:all:secret-9876543210"})
    assert "secret" not in repr((settings, access_settings(settings)))


def test_a_data_folder_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "data").touch()
    with pytest.raises(ConfigError, match="is not a folder"):
        load({"data_dir": str(tmp_path / "data")}, {})


def test_the_archive_is_a_folder_of_its_own_or_none(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match=r"archive_dir: .*file is not a folder"):
        load({"archive_dir": str(tmp_path / "file")}, {})
    with pytest.raises(ConfigError, match="archive_dir: must be another folder than data_dir"):
        load({"archive_dir": str(tmp_path / "a" / ".." / "data"), "data_dir": str(tmp_path / "data")}, {})
    assert load({"archive_dir": str(tmp_path / "data" / "files"), "data_dir": str(tmp_path / "data")}, {}).archive_dir
    assert load({}, {"INGEST_ARCHIVE_DIR": ""}).archive_dir is None


def test_every_setting_has_a_help_text_and_its_unit_in_its_name() -> None:
    for setting in declared():
        assert setting.help, setting.name
        if setting.type in (int, float):
            assert setting.name.rpartition("_")[2] in UNITS, setting.name


def test_the_readme_has_every_setting_with_its_default_and_help() -> None:
    readme = Path(__file__).parents[2].joinpath("README.md").read_text()
    missing = [row for row in map(_row, declared()) if row not in readme]
    assert not missing, "the README lacks these rows:\n" + "\n".join(missing)


def _row(setting: Declared) -> str:
    default = (
        ""
        if setting.default in (None, "")
        else f"`{str(setting.default).lower() if setting.type is bool else setting.default}`"
    )
    return f"| `{setting.option}` | `{setting.variable}` | {default} | {setting.help} |"
