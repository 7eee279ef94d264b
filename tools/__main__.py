"""`make tools`: every real program that tests and benchmarks need, found or built."""

import sys

from tools import influx_server
from tools.chromium import CHROMIUM
from tools.docker_compose import COMPOSE
from tools.mosquitto import MOSQUITTO
from tools.telegraf_program import telegraf


def main() -> int:
    """Exit code: 0 all are there, else that of a build that failed; the others are built all the same."""
    return max(influx_server.ensure(), COMPOSE.ensure(), telegraf().ensure(), MOSQUITTO.ensure(), CHROMIUM.ensure())


if __name__ == "__main__":
    sys.exit(main())
