"""Ready line protocol straight into InfluxDB: the ceiling that every collector stays under."""

import http.client
import threading
import time
from urllib.parse import urlencode, urlsplit

from tools.influx_server import InfluxServer

_BATCH = 5_000
_CONNECTIONS = 2
_SENSORS = 1000
_START_NS = 1_539_112_021_301_000_000


def events_per_second(server: InfluxServer, bucket: str, events: int) -> float:
    """Write ``events`` events, encoded beforehand, and return the rate at which InfluxDB took them."""
    batches = [_lines(first) for first in range(0, events, _BATCH)]
    shares = [batches[number::_CONNECTIONS] for number in range(_CONNECTIONS)]
    threads = [threading.Thread(target=_send, args=(server, bucket, share)) for share in shares]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return events / (time.perf_counter() - started)


def _lines(first: int) -> bytes:
    return "".join(map(_line, range(first, first + _BATCH))).encode()


def _line(number: int) -> str:
    series = f"events,country=brasil,region=sudeste,sensor=sensor{number % _SENSORS:04},status=processado"
    return f"{series} value={number % 997 / 10} {_START_NS + number // _SENSORS * 10**9}\n"


def _send(server: InfluxServer, bucket: str, batches: list[bytes]) -> None:
    connection = http.client.HTTPConnection(urlsplit(server.url).netloc)
    path = "/api/v2/write?" + urlencode({"org": server.org, "bucket": bucket})
    for batch in batches:
        connection.request("POST", path, batch, {"Authorization": f"Token {server.token}"})
        answer = connection.getresponse()
        if answer.status != http.client.NO_CONTENT:
            raise RuntimeError(f"InfluxDB answered {answer.status}: {answer.read().decode()}")
        answer.read()
    connection.close()
