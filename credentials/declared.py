"""Which secrets there are, and which service reads each."""

from dataclasses import dataclass

INFLUXDB = "influxdb"
GRAFANA = "grafana"
INGEST = "ingest"
GENERATOR = "generator"
TELEGRAF = "telegraf"
# Reads none of the files itself: whoever asks for it with `show`.
USER = "user"
SERVICES = (INFLUXDB, GRAFANA, INGEST, GENERATOR, TELEGRAF)


@dataclass(frozen=True, slots=True)
class Credential:
    """A secret of ``entropy_bytes`` random bytes in hexadecimal, in a file of its own, for one service.

    With a ``right``, it is a token of that right for ingest.
    """

    file: str
    service: str
    what: str
    entropy_bytes: int
    right: str = ""


# Hexadecimal alone: Grafana expands a $, a shell or an option parser stumbles over other signs.
CREDENTIALS = (
    Credential("admin.password", INFLUXDB, "InfluxDB: password of admin", 16),
    Credential("admin.token", INFLUXDB, "InfluxDB: operator token", 32),
    Credential("grafana-admin.password", GRAFANA, "Grafana: password of admin", 16),
    Credential("grafana-secret.key", GRAFANA, "Grafana: key to its stored secrets", 32),
    Credential("user.token", USER, "ingest: token of yours, for all", 32, "all"),
    Credential("generator.token", GENERATOR, "ingest: token of the generator, to write", 32, "write"),
    Credential("telegraf-read.token", TELEGRAF, "ingest: token of telegraf, to read", 32, "read"),
    Credential("telegraf-write.token", TELEGRAF, "ingest: token of telegraf-mqtt, to write", 32, "write"),
)
# All tokens for ingest once more, as it takes them.
INGEST_TOKENS = "ingest.tokens"
