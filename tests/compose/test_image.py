"""The Dockerfile, read as its instructions: what can be known of the image without an engine."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

import pytest

from tests.compose.project import ROOT, SECRETS_DIR, Project


@dataclass(frozen=True)
class Instruction:
    stage: int
    word: str
    rest: str


def instructions() -> Iterator[Instruction]:
    text = "\n".join(line for line in (ROOT / "Dockerfile").read_text().splitlines() if not line.startswith("#"))
    stage = -1
    for line in text.replace("\\\n", " ").splitlines():
        if line.strip():
            word, _, rest = line.partition(" ")
            stage += word == "FROM"
            yield Instruction(stage, word, " ".join(rest.split()))


@pytest.fixture(scope="module")
def image() -> list[Instruction]:
    return list(instructions())


def of(image: list[Instruction], word: str, stage: int | None = None) -> list[str]:
    return [one.rest for one in image if one.word == word and stage in (None, one.stage)]


def environment(image: list[Instruction]) -> dict[str, str]:
    return dict(word.split("=", 1) for rest in of(image, "ENV") for word in shlex.split(rest))


def test_both_stages_are_of_the_same_pinned_slim_python(image: list[Instruction]) -> None:
    bases = [base.split()[0] for base in of(image, "FROM")]
    assert len(bases) == 2
    assert set(bases) == {"python:3.13-slim"}


def test_dependencies_are_the_locked_ones_checked_by_hash(image: list[Instruction]) -> None:
    installs = [rest for rest in of(image, "RUN") if "pip" in rest and " install " in rest]
    assert len(installs) == 1
    assert "--require-hashes -r /requirements.lock" in installs[0]
    lock = (ROOT / "requirements.lock").read_text()
    pins = re.findall(r"^(\S+==\S+).*\\\n((?:    --hash=sha256:[0-9a-f]{64}.*\n)+)", lock, re.MULTILINE)
    assert len(pins) == len(re.findall(r"^[a-z]", lock, re.MULTILINE)) > 0, "each package has a hash"


def test_a_changed_source_file_installs_nothing_again(image: list[Instruction]) -> None:
    assert of(image, "COPY", stage=0) == ["requirements.lock /"]
    last = [one.word for one in image if one.stage == 1]
    made_user = last.index("RUN")
    assert made_user < last.index("COPY"), "the user and the folders come before what changes"


def test_the_image_runs_as_the_user_that_compose_counts_on(image: list[Instruction], whole: Project) -> None:
    assert of(image, "USER") == [whole.services["ingest"].user]


def test_it_starts_python_itself_and_not_a_shell(image: list[Instruction]) -> None:
    assert of(image, "CMD") == ['["python", "-m", "ingest", "serve"]']
    assert of(image, "ENTRYPOINT") == []


def test_nothing_is_written_outside_volumes(image: list[Instruction], whole: Project) -> None:
    given = environment(image)
    assert given["PYTHONDONTWRITEBYTECODE"] == "1"
    assert any("compileall" in rest for rest in of(image, "RUN", stage=1)), "so it is compiled beforehand"
    assert given["INGEST_DATA_DIR"] in {mount.target for mount in whole.services["ingest"].volumes}


def test_folders_under_the_volumes_have_the_owners_that_write_there(image: list[Instruction], whole: Project) -> None:
    # Docker gives a new volume the owner and mode of the folder that it is mounted on.
    ingest, secrets = whole.services["ingest"], whole.services["secrets"]
    runs = " ".join(of(image, "RUN", stage=1))
    folders = f"{environment(image)['INGEST_DATA_DIR']} {ingest.environment['INGEST_ARCHIVE_DIR']}"
    assert f"--owner={ingest.uid} --group={ingest.gid} --mode=0700 {folders} " in runs
    assert f"--owner={secrets.uid} --group={secrets.gid} --mode=0711 {SECRETS_DIR}" in runs


def test_every_package_that_a_service_runs_is_copied(image: list[Instruction], whole: Project) -> None:
    copied = {rest.split()[0] for rest in of(image, "COPY", stage=1) if not rest.startswith("--from")}
    lines = [[*(one.entrypoint or []), *(one.command or [])] for one in whole.services.values()]
    run = {line[2] for line in lines if line[:2] == ["python", "-m"]} | {"ingest"}
    assert run <= copied
    assert {name for name in copied if not (ROOT / name / "__init__.py").exists()} == set()


def test_the_build_sees_only_what_it_copies(image: list[Instruction]) -> None:
    lines = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if not line.startswith("#")]
    assert lines[0] == "*"
    seen = {line.removeprefix("!") for line in lines if line.startswith("!")}
    sources = {rest.split()[0] for rest in of(image, "COPY") if not rest.startswith("--from")}
    assert seen == sources
    assert "**/__pycache__" in lines


def test_it_listens_where_the_port_is_published_from(image: list[Instruction], whole: Project) -> None:
    assert environment(image)["INGEST_HOST"] == "0.0.0.0"
    assert of(image, "EXPOSE") == [str(whole.services["ingest"].ports[0].target)]


def test_paths_are_absolute(image: list[Instruction]) -> None:
    given = environment(image)
    assert PurePosixPath(given["PYTHONPATH"]) == PurePosixPath(of(image, "WORKDIR")[0]) == PurePosixPath("/app")
