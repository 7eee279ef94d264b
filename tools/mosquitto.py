"""Mosquitto, the MQTT broker of the tests, and its client."""

from tools.debian_package import DebianPackage

MOSQUITTO = DebianPackage(
    name="mosquitto",
    packages=("mosquitto", "mosquitto-clients"),
    programs=(("mosquitto",), ("mosquitto_pub",)),
    remark=", version 2",
)
