from pathlib import Path

import pytest

from influx.__main__ import build_parser
from influx.declared import Bucket
from influx.errors import Refused
from influx.options import Options, read

VARIABLES = {
    "INFLUXDB_URL": "https://influx.example:8086/",
    "INFLUX_ORG": "casa",
    "INFLUX_BUCKET": "eventos",
    "INFLUX_RETENTION": "365d",
    "INFLUX_ROLLUP_BUCKET": "contagens",
    "INFLUX_ROLLUP_RETENTION": "730d",
    "INFLUX_OPS_BUCKET": "maquinas",
    "INFLUX_OPS_RETENTION": "7d",
    "INFLUX_TOKENS_DIR": "/run/tokens",
    "INFLUXDB_USERNAME": "chefe",
}
SECRETS = ["INFLUXDB_TOKEN", "INFLUXDB_TOKEN_FILE", "INFLUXDB_PASSWORD_FILE"]


@pytest.fixture(autouse=True)
def no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in [*VARIABLES, *SECRETS]:
        monkeypatch.delenv(variable, raising=False)


def parse(arguments: list[str]) -> Options:
    return read(build_parser().parse_args(arguments))


def test_defaults() -> None:
    options = parse(["apply"])
    assert options.url == "http://127.0.0.1:8086"
    assert options.declared.organization == "pulso"
    assert options.declared.buckets == (Bucket("pulso", 0), Bucket("pulso_rollup", 0), Bucket("ops", 2_592_000))
    assert options.tokens_dir == Path("data/tokens")
    assert (options.dry_run, options.allow_shrink, options.wait_seconds) == (False, False, 0)


def test_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable, value in VARIABLES.items():
        monkeypatch.setenv(variable, value)
    options = parse(["apply"])
    day = 86_400
    assert options.url == "https://influx.example:8086"
    assert options.declared.organization == "casa"
    assert options.declared.buckets == (
        Bucket("eventos", 365 * day),
        Bucket("contagens", 730 * day),
        Bucket("maquinas", 7 * day),
    )
    assert {grant.bucket for grant in options.declared.tokens[2].grants} == {"eventos", "contagens", "maquinas"}
    assert options.tokens_dir == Path("/run/tokens")
    assert options.access().username == "chefe"


def test_a_group_is_of_the_token_it_is_given_for() -> None:
    tokens = parse(["apply", "--group", "grafana=472", "--group", "ingest=10001"]).declared.tokens
    assert {token.name: token.group for token in tokens if token.group} == {"grafana": 472, "ingest": 10001}


def test_an_option_wins_over_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INFLUX_ORG", "casa")
    assert parse(["apply", "--org", "fazenda"]).declared.organization == "fazenda"


def test_a_variable_set_to_nothing_counts_as_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INFLUX_RETENTION", "")
    assert parse(["apply"]).declared.buckets[0].retention_seconds == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "required: COMMAND"),
        (["unknown"], "unknown"),
        (["apply", "--retention", "5m"], "InfluxDB takes 1h or more"),
        (["apply", "--ops-retention", "soon"], "'soon' is not a duration like 30d"),
        (["apply", "--url", "influx:8086"], "not an address like http://"),
        (["apply", "--org", " "], "not a name"),
        (["apply", "--bucket", "_monitoring"], "not a name"),
        (["apply", "--bucket", "ops"], "three different names"),
        (["apply", "--wait", "long"], "invalid float"),
        (["apply", "--token", "secret"], "unrecognized arguments"),
        (["apply", "--group", "grafana=staff"], "'grafana=staff' is not like grafana=472"),
        (["apply", "--group", "nobody=472"], "--group nobody: there is no such token, only ingest, "),
    ],
)
def test_a_usage_error_is_2_and_says_what_was_wrong(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as raised:
        parse(arguments)
    assert raised.value.code == 2, f"{arguments} left with {raised.value.code}"
    assert said in capsys.readouterr().err


def test_a_wrong_variable_is_a_usage_error_too(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("INFLUX_OPS_RETENTION", "soon")
    with pytest.raises(SystemExit):
        parse(["apply"])
    assert "'soon' is not a duration" in capsys.readouterr().err


def test_help_tells_every_variable_and_default(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as raised:
        build_parser().parse_args(["apply", "--help"])
    assert raised.value.code == 0
    told = capsys.readouterr().out
    missing = [variable for variable in [*VARIABLES, *SECRETS] if variable not in told]
    assert not missing, f"--help does not mention {missing}"
    assert "examples:" in told
    assert "default pulso_rollup" in told.replace("\n", " ").replace("  ", "")


def test_where_the_admin_token_comes_from(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    by_option, by_variable = tmp_path / "option", tmp_path / "variable"
    by_option.write_text("from-option\n")
    by_variable.write_text("from-file\n")
    monkeypatch.setenv("INFLUXDB_TOKEN", "from-variable")
    assert parse(["apply"]).access().token == "from-variable"
    monkeypatch.setenv("INFLUXDB_TOKEN_FILE", str(by_variable))
    assert parse(["apply"]).access().token == "from-file"
    access = parse(["apply", "--token-file", str(by_option)]).access()
    assert (access.token, access.token_source) == ("from-option", str(by_option))
    assert "from-option" not in repr(access)


@pytest.mark.parametrize(("held", "said"), [(None, "is missing"), (" \n", "is empty")])
@pytest.mark.parametrize("option", ["--token-file", "--password-file"])
def test_a_secret_asked_for_must_be_there(tmp_path: Path, option: str, held: str | None, said: str) -> None:
    file = tmp_path / "secret"
    if held is not None:
        file.write_text(held)
    with pytest.raises(Refused, match=said):
        parse(["apply", option, str(file)]).access()
