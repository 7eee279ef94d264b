"""Every setting of ``ingest serve``, declared once: name, type, default, help."""

from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any


def _setting(
    default: Any, help_text: str, *, choices: tuple[str, ...] = (), least: float | None = None, secret: bool = False
) -> Any:
    metadata = {"help": help_text, "choices": choices, "least": least, "secret": secret}
    return field(default=default, metadata=metadata, repr=not secret)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How the service runs. A field's name gives its option (``--data-dir``) and its variable (``INGEST_DATA_DIR``)."""

    host: str = _setting("127.0.0.1", "address to listen on")
    port: int = _setting(5000, "port to listen on; 0 picks a free one", least=0)

    workers: int = _setting(
        1, "processes that take events; more than 1 need InfluxDB and Linux, and pay where cores are free", least=1
    )

    tokens: str = _setting(
        "",
        "tokens as NAME:RIGHT:TOKEN, separated by commas; RIGHT is write, read or all; better in a file, for an option"
        " shows in ps",
        secret=True,
    )
    tokens_file: Path | None = _setting(None, "file of such tokens, one a line; read again when it changes")
    allow_anonymous: bool = _setting(False, "let in who sends no token, though tokens are set or others reach the port")
    host_names: str = _setting(
        "", "names with a dot, separated by commas, by which it may be called without a token, like pulso.example.org"
    )
    tls_certificate_file: Path | None = _setting(
        None, "PEM file of the certificate and its chain, for HTTPS; read again when it changes"
    )
    tls_key_file: Path | None = _setting(None, "PEM file of the certificate's key, not encrypted")
    tls_client_ca_file: Path | None = _setting(
        None, "PEM file of authorities; then only clients with a certificate of theirs are let in"
    )

    store: str = _setting(
        "embedded", "where events are kept: in one SQLite file, or in InfluxDB", choices=("embedded", "influx")
    )
    data_dir: Path = _setting(Path("data"), "folder of the embedded store and of the spool; made if missing")

    archive_dir: Path | None = _setting(None, "folder of the raw archive: every event as it was received; none: off")
    archive_max_age_seconds: int = _setting(0, "the archive's hours older than this are removed; 0 keeps all", least=0)
    archive_max_bytes: int = _setting(0, "beyond this the archive's oldest hours are removed; 0 keeps all", least=0)

    influx_url: str = _setting("http://127.0.0.1:8086", "InfluxDB 2 to ship to and to read from")
    influx_org: str = _setting("pulso", "InfluxDB organization")
    influx_bucket: str = _setting("pulso", "InfluxDB bucket of the events")
    influx_rollup_bucket: str = _setting("pulso_rollup", "InfluxDB bucket of the counts by minute and hour")
    influx_token: str = _setting("", "InfluxDB token; better given as a file, for an option shows in ps", secret=True)
    influx_token_file: Path | None = _setting(None, "file that holds the InfluxDB token")
    influx_read_token_file: Path | None = _setting(None, "file of a token for reading, if the other one may only write")
    influx_timeout_seconds: float = _setting(
        10.0, "longest wait for an answer to a write; reads may take three times as long", least=0.1
    )
    influx_gzip: bool = _setting(False, "compress writes: worth it where the network is slower than a core")

    max_connections: int = _setting(4096, "most connections at the same time", least=1)
    max_lag_seconds: float = _setting(0.1, "how late the service may be before it refuses writes", least=0.01)
    max_pending_bytes: int = _setting(
        4 * 2**20, "once bodies of so many bytes are at work no more are let in", least=1024
    )
    head_timeout_seconds: float = _setting(10.0, "longest wait for a whole request head", least=0.1)
    idle_timeout_seconds: float = _setting(75.0, "how long a connection may rest between requests", least=1.0)
    answer_timeout_seconds: float = _setting(30.0, "how long a client may take nothing of its answer", least=0.1)
    max_body_bytes: int = _setting(16 * 2**20, "largest request body, as it is sent", least=1024)
    max_inflated_bytes: int = _setting(16 * 2**20, "largest request body when it is inflated", least=1024)
    max_events: int = _setting(100_000, "most events, or lines, in a request", least=1)
    max_line_bytes: int = _setting(2**20, "longest event or line in a request", least=1024)
    max_requests_a_second: float = _setting(
        0.0, "requests a second of each token, and of all without one together; 0 is no limit", least=0.0
    )
    max_refused_messages_a_minute: int = _setting(
        600, "refused messages of a broker that are kept as points; the others are counted only", least=1
    )
    body_timeout_seconds: float = _setting(30.0, "longest wait for a whole request body", least=0.1)
    max_valor_bytes: int = _setting(65_536, "longest valor, in bytes of UTF-8", least=64)
    min_timestamp_ms: int = _setting(631_152_000_000, "oldest timestamp taken; the default is 1990", least=0)
    max_future_seconds: int = _setting(86_400, "how far a timestamp may lie in the future", least=0)
    retention_seconds: int = _setting(
        0, "retention of the bucket: older events are refused at the door; 0 keeps for ever", least=0
    )

    max_series: int = _setting(
        200_000,
        "sensors, and series of other measurements, known in all; beyond it no new one is taken; 0: no limit",
        least=0,
    )
    max_new_series_a_minute: int = _setting(
        10_000, "sensors and other series that may be new within a minute; 0: no limit", least=0
    )

    max_weeks: int = _setting(
        600, "weeks of which points are taken in front of InfluxDB, those around now beside; 0: no limit", least=0
    )

    spool_max_bytes: int = _setting(4 * 2**30, "line protocol the spool may hold before 503 is answered", least=2**20)
    dead_letters_max_bytes: int = _setting(
        2**30, "lines refused by InfluxDB that are kept before 503 is answered to all but events", least=2**20
    )
    ship_batch_points: int = _setting(10_000, "most points in one write to InfluxDB", least=1)
    ship_batch_bytes: int = _setting(1_000_000, "most bytes in one write to InfluxDB", least=1024)
    ship_linger_seconds: float = _setting(0.1, "how long points wait for a batch to fill", least=0.0)
    ship_writes_in_flight: int = _setting(2, "writes to InfluxDB at the same time", least=1)

    rollup_interval_seconds: float = _setting(
        5.0, "from one count of what is new in InfluxDB to the next, start to start", least=0.1
    )

    grace_seconds: float = _setting(8.0, "time to finish requests and ship the spool when stopping", least=0.0)
    log_format: str = _setting(
        "auto", "log lines; auto is text on a terminal and JSON elsewhere", choices=("auto", "json", "text")
    )


@dataclass(frozen=True, slots=True)
class Declared:
    """One setting, as the command line, the environment and the documentation name it."""

    name: str
    type: Any
    default: Any
    help: str
    choices: tuple[str, ...]
    least: float | None
    secret: bool

    @property
    def option(self) -> str:
        return "--" + self.name.replace("_", "-")

    @property
    def variable(self) -> str:
        return "INGEST_" + self.name.upper()


def declared() -> list[Declared]:
    """All settings, in the order they are documented."""
    return [Declared(item.name, item.type, item.default, **item.metadata) for item in fields(Settings)]
