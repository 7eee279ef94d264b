"""Which secrets there are, and which service reads each."""

from dataclasses import dataclass

INFLUXDB = "influxdb"
GRAFANA = "grafana"
SERVICES = (INFLUXDB, GRAFANA)


@dataclass(frozen=True, slots=True)
class Credential:
    """A secret of ``entropy_bytes`` random bytes in hexadecimal, in a file of its own, for one service."""

    file: str
    service: str
    what: str
    entropy_bytes: int


# Hexadecimal alone: Grafana expands a $, a shell or an option parser stumbles over other signs.
CREDENTIALS = (
    Credential("admin.password", INFLUXDB, "InfluxDB: password of admin", 16),
    Credential("admin.token", INFLUXDB, "InfluxDB: operator token", 32),
    Credential("grafana-admin.password", GRAFANA, "Grafana: password of admin", 16),
    Credential("grafana-secret.key", GRAFANA, "Grafana: key to its stored secrets", 32),
)
