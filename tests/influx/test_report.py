from influx import report
from influx.declared import Bucket, pulso
from influx.found import Found
from influx.plan import plan
from influx.steps import IssueToken, SetRetention, Step

DECLARED = pulso()


def test_every_declared_thing_has_a_line_even_if_nothing_changed() -> None:
    assert list(report.lines(DECLARED, [])) == [
        "server: unchanged",
        "organization pulso: unchanged",
        "bucket pulso: unchanged",
        "bucket pulso_rollup: unchanged",
        "bucket ops: unchanged",
        "dbrp pulso: unchanged",
        "dbrp pulso_rollup: unchanged",
        "dbrp ops: unchanged",
        "token ingest: unchanged",
        "token ingest-read: unchanged",
        "token grafana: unchanged",
        "token telegraf: unchanged",
        "0 changed, 12 unchanged.",
    ]


def test_changes_are_told_as_done_or_as_planned() -> None:
    steps: list[Step] = [
        SetRetention(Bucket("pulso", 2_592_000), 0),
        IssueToken(DECLARED.tokens[2], ("1",), "its file is gone"),
    ]
    done = list(report.lines(DECLARED, steps))
    planned = list(report.lines(DECLARED, steps, dry_run=True))
    assert "bucket pulso: retention 0s → 30d" in done
    assert "token grafana: replaced (its file is gone)" in done
    assert done[-1] == "2 changed, 10 unchanged."
    assert "bucket pulso: would change retention 0s → 30d" in planned
    assert "token grafana: would replace (its file is gone)" in planned
    assert planned[-1] == "2 would change, 10 unchanged; this was a dry run, nothing was touched."


def test_a_fresh_server_changes_everything() -> None:
    steps = plan(DECLARED, Found(fresh=True))
    lines = list(report.lines(DECLARED, steps))
    assert lines[-1] == "12 changed, 0 unchanged.", lines
    assert set(report.made(steps)) == set(lines[:-1])
