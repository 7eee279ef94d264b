"""Help in a narrow terminal: nothing is torn in the middle of a word."""

import pytest

from loadgen.__main__ import main
from loadgen.cli import COMMANDS
from loadgen.help_text import fitted


def test_prose_flows_and_examples_stay() -> None:
    text = "One line of\nprose.\n  loadgen run   a comment that is too long\n  loadgen       short"
    assert list(fitted(text, 50, "")) == ["One line of prose.", *text.splitlines()[2:]]
    assert list(fitted(text, 24, "")) == [
        "One line of prose.",
        *("  loadgen run", "      a comment that is", "      too long"),
        *("  loadgen", "      short"),
    ]


@pytest.mark.parametrize("command", [[], *([command.name] for command in COMMANDS)], ids=str)
def test_every_help_fits_eighty_columns(
    command: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    with pytest.raises(SystemExit, match="0"):
        main([*command, "--help"])
    out = capsys.readouterr().out
    assert [line for line in out.splitlines() if len(line) > 80] == []
