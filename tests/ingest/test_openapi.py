"""``openapi.yaml`` says what the service does: router, parameters, codes and structs hold it to that."""

import ast
import gc
import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml
from aiohttp import ClientSession, web

from ingest import app
from ingest.errors import IngestError
from ingest.line_parser import LINE_PROTOCOL
from ingest.reject import RejectedItem
from ingest.routes import answers, read, receipts, rows, series, service, write
from ingest.settings import Settings
from tests.ingest.service import serving

INGEST = Path(app.__file__).parent
DOCUMENT = yaml.safe_load((INGEST / "routes" / "openapi.yaml").read_text())
SCHEMAS = DOCUMENT["components"]["schemas"]
READING = ("/get_data", "/counts", "/series", "/events/stream")
# What aiohttp itself answers to a path or a method that there is not.
ROUTER_CODES = {"not found", "method not allowed"}


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[ClientSession]:
    async with serving(Settings(port=0, data_dir=tmp_path)) as client:
        yield client


def resolved(node: Any) -> Any:
    """``node``, or what its ``$ref`` names."""
    while "$ref" in node:
        reference, node = node["$ref"], DOCUMENT
        for part in reference.removeprefix("#/").split("/"):
            node = node[part.replace("~1", "/")]
    return node


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in DOCUMENT["paths"].items():
        for method, operation in resolved(item).items():
            yield path, method.upper(), operation


def query_names(path: str, method: str = "get") -> set[str]:
    parameters = map(resolved, resolved(DOCUMENT["paths"][path])[method].get("parameters", []))
    return {parameter["name"] for parameter in parameters if parameter["in"] == "query"}


async def test_it_has_every_route_and_no_other(client: ClientSession) -> None:
    # Found where it lies, for nothing else tells what a running service routes; a test's own proxy has one route.
    applications = (found for found in gc.get_objects() if isinstance(found, web.Application))
    application = next(found for found in applications if len(found.router.routes()) > 1)
    routed = {
        (route.resource.canonical, route.method)
        for route in application.router.routes()
        if route.resource is not None and route.method != "HEAD"
    }
    assert routed == {(path, method) for path, method, _ in operations()}


async def test_it_is_served_as_it_is(client: ClientSession) -> None:
    async with client.get("/openapi.yaml") as answer:
        assert (answer.status, answer.content_type) == (200, "application/yaml")
        assert yaml.safe_load(await answer.text()) == DOCUMENT


@pytest.mark.parametrize("path", READING)
async def test_it_has_every_parameter_of_the_reading_routes(client: ClientSession, path: str) -> None:
    async with client.get(path, params={"no-such": ""}) as answer:
        message = (await answer.json())["message"]
    assert set(message.partition("which has ")[2].split(", ")) == query_names(path)


@pytest.mark.parametrize("path", ["/write", "/api/v2/write"])
async def test_it_has_every_precision(client: ClientSession, path: str) -> None:
    (parameter,) = [
        parameter
        for parameter in map(resolved, DOCUMENT["paths"][path]["post"]["parameters"])
        if parameter["name"] == "precision"
    ]
    for precision in parameter["schema"]["enum"]:
        async with client.post(path, params={"precision": precision}) as answer:
            assert answer.status == 204, precision
    async with client.post(path, params={"precision": "x"}) as answer:
        known = set(re.findall(r"\b[a-z]+\b", (await answer.json())["message"].partition(" are ")[2])) - {"and"}
    aliases = set(write._V1_OTHER_NAMES) if path == "/write" else set()
    assert set(parameter["schema"]["enum"]) - aliases == known


def test_it_has_every_code_of_an_error() -> None:
    # The codes of what no route raises: aiohttp refuses it, or it was not foreseen.
    others = {
        code
        for path in (INGEST / "routes" / "answers.py", INGEST / "server" / "connection.py")
        for code in constants(path, "error_answer", at=1)
    }
    assert others >= {"internal", "bad_request"}
    errors = {error.code for error in answers.STATUS} | {IngestError.code} | others | ROUTER_CODES
    assert set(SCHEMAS["ErrorCode"]["enum"]) == errors
    influx = {answers._INFLUX_CODES.get(status, error.code) for error, status in answers.STATUS.items()}
    assert set(SCHEMAS["InfluxCode"]["enum"]) == influx | others


def test_it_has_every_code_of_a_reject() -> None:
    found = {
        code for path in INGEST.rglob("*.py") for name in ("Reject", "_Refusal") for code in constants(path, name, at=0)
    }
    assert set(SCHEMAS["RejectCode"]["enum"]) == found | {LINE_PROTOCOL}


def constants(path: Path, function: str, at: int) -> Iterator[str]:
    """The texts that stand as the argument number ``at`` in calls of ``function``."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == function:
            argument = node.args[at] if len(node.args) > at else None
            if isinstance(argument, ast.Constant):
                yield str(argument.value)


@pytest.mark.parametrize(
    "struct",
    [
        read.Counts,
        read.RegionCount,
        read.SensorCount,
        rows.Row,
        series.Graph,
        series.Line,
        service.Readiness,
        receipts.Receipt,
        RejectedItem,
    ],
)
def test_its_schemas_are_the_structs(struct: type[msgspec.Struct]) -> None:
    schema = SCHEMAS[struct.__name__]
    assert list(schema["properties"]) == list(struct.__struct_encode_fields__)
    assert schema["additionalProperties"] is False
    always = [field.name for field in msgspec.structs.fields(struct) if field.default is msgspec.NODEFAULT]
    assert schema["required"] == always


def test_every_reading_and_writing_route_says_who_is_refused() -> None:
    for path, _, operation in operations():
        guarded = path not in ("/health", "/ready", "/openapi.yaml")
        assert ("401" in operation["responses"]) is ("403" in operation["responses"]) is guarded, path


def test_every_status_of_an_error_is_somewhere() -> None:
    documented = {int(status) for _, _, operation in operations() for status in operation["responses"]}
    assert documented >= {int(status) for status in answers.STATUS.values()}
    assert web.HTTPNotFound.status_code in documented
