from dataclasses import replace
from pathlib import Path

import pytest

from tools.chromium import CHROMIUM
from tools.debian_package import DebianPackage
from tools.mosquitto import MOSQUITTO


@pytest.mark.parametrize("package", [MOSQUITTO, CHROMIUM], ids=lambda package: str(package.name))
def test_make_tools_has_installed_every_program(package: DebianPackage) -> None:
    for names in package.programs:
        assert package.find(names[0]) is not None, f"no {names[0]}: run `make tools`"


def test_a_program_is_found_by_any_of_its_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    installed = tmp_path / "google-chrome"
    installed.touch(mode=0o755)
    assert CHROMIUM.find("chromium") == str(installed)


@pytest.mark.parametrize(
    ("package", "sentence"),
    [
        (
            MOSQUITTO,
            "not found: mosquitto mosquitto_pub."
            " Install your system's packages mosquitto and mosquitto-clients, version 2.\n",
        ),
        (
            CHROMIUM,
            "not found: chromium. Install your system's package chromium (or chromium-browser, or Google Chrome).\n",
        ),
    ],
)
def test_where_nothing_may_be_installed_one_sentence_says_what_to_install(
    package: DebianPackage,
    sentence: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert replace(package, also_in=()).ensure() == 1
    assert capsys.readouterr().err == sentence
