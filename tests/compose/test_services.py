"""What docker-compose.yml promises of each service, read from what the real Docker Compose makes of it."""

import os
import re
from pathlib import Path

import pytest

from ingest.config import load
from ingest.settings import Settings
from tests.compose.project import ROOT, SECRETS_DIR, Project, project
from tools.influx_server import INFLUXD
from tools.telegraf_program import telegraf

ALONE = {"secrets", "influxdb", "apply", "ingest", "generator", "grafana", "telegraf"}
WITH = {"demo": {"demo"}, "mqtt": {"mosquitto", "telegraf-mqtt"}}
IMAGES = {
    "influxdb": f"influxdb:{INFLUXD.version()}",
    "grafana": "grafana/grafana:12.4.12",
    "telegraf": f"telegraf:{telegraf().version()}",
    "telegraf-mqtt": f"telegraf:{telegraf().version()}",
    "mosquitto": "eclipse-mosquitto:2.0.22",
}
PORTS = {"ingest": 5000, "generator": 3000, "grafana": 3001, "mosquitto": 1883}
STATE = {
    "influxdb": {"/var/lib/influxdb2", "/etc/influxdb2"},
    "ingest": {"/data", "/files"},
    "grafana": {"/var/lib/grafana"},
    "mosquitto": {"/mosquitto/data"},
}
OWN_IMAGE = "pulso:local"


@pytest.mark.parametrize("profiles", [(), ("demo",), ("mqtt",), ("demo", "mqtt")], ids=str)
def test_the_services_of_each_profile(profiles: tuple[str, ...]) -> None:
    wanted = ALONE.union(*(WITH[profile] for profile in profiles))
    assert set(project(profiles).services) == wanted


def test_images_are_the_tested_versions_and_none_floats(whole: Project) -> None:
    foreign = {name: service.image for name, service in whole.services.items() if service.image != OWN_IMAGE}
    assert foreign == IMAGES
    assert all(re.fullmatch(r"[a-z/-]+:\d+\.\d+\.\d+", image) for image in foreign.values())


def test_our_image_is_built_once_and_never_looked_for_elsewhere(whole: Project) -> None:
    ours = {name: service for name, service in whole.services.items() if service.image == OWN_IMAGE}
    assert set(ours) == {"secrets", "apply", "ingest", "generator", "demo"}
    assert [name for name, service in ours.items() if service.build] == ["secrets"]
    assert {name: service.pull_policy for name, service in ours.items()} == dict.fromkeys(ours, "never")
    for name in set(ours) - {"secrets"}:
        assert "secrets" in needed(whole, name), f"{name} may start before its image is built"


def needed(whole: Project, name: str) -> set[str]:
    direct = set(whole.services[name].depends_on)
    return direct.union(*(needed(whole, other) for other in direct))


def test_what_runs_for_long_restarts_and_what_runs_once_does_not(whole: Project) -> None:
    once = {"secrets", "apply"}
    wanted = {name: "no" if name in once else "unless-stopped" for name in whole.services}
    assert {name: service.restart for name, service in whole.services.items()} == wanted


def test_every_lasting_service_has_a_health_check_that_can_fail(whole: Project) -> None:
    for name, service in whole.services.items():
        if not service.one_shot:
            assert service.healthcheck is not None, name
            kind, *words = service.healthcheck.test
            assert kind in {"CMD", "CMD-SHELL"}, f"{name}: {service.healthcheck}"
            assert re.search(r"http://127\.0\.0\.1:\d+|heartbeat|\$SYS", " ".join(words)), f"{name}: {words}"
            assert service.healthcheck.start_period == "1m0s", name


def test_a_service_waits_until_what_it_needs_is_healthy_or_done(whole: Project) -> None:
    for name, service in whole.services.items():
        for other, dependency in service.depends_on.items():
            one_shot = whole.services[other].one_shot
            wanted = "service_completed_successfully" if one_shot else "service_healthy"
            assert dependency.condition == wanted, f"{name} on {other}"


def test_who_needs_whom(whole: Project) -> None:
    assert {name: set(service.depends_on) for name, service in whole.services.items()} == {
        "secrets": set(),
        "influxdb": {"secrets"},
        "apply": {"influxdb"},
        "ingest": {"influxdb", "apply"},
        "generator": {"ingest"},
        "grafana": {"influxdb", "apply"},
        "telegraf": {"influxdb", "apply", "ingest"},
        "demo": {"ingest"},
        "mosquitto": set(),
        "telegraf-mqtt": {"influxdb", "apply", "ingest", "mosquitto"},
    }


def test_up_wait_can_succeed_for_a_lasting_service_waits_for_each_one_shot() -> None:
    # `up --wait` takes a container that ended for a failure, unless something that goes on waited for just that.
    alone = project(())
    awaited = {other for service in alone.services.values() if not service.one_shot for other in service.depends_on}
    assert {name for name, service in alone.services.items() if service.one_shot} <= awaited


def test_ports_are_published_on_loopback_only(whole: Project) -> None:
    published = {name: service.ports for name, service in whole.services.items() if service.ports}
    assert {name: [int(port.published) for port in ports] for name, ports in published.items()} == {
        name: [port] for name, port in PORTS.items()
    }
    assert {port.host_ip for ports in published.values() for port in ports} == {"127.0.0.1"}


def test_a_taken_port_can_be_changed_without_editing_the_file() -> None:
    variables = {
        f"PULSO_{name}_PORT": str(7000 + i) for i, name in enumerate(("INGEST", "GENERATOR", "GRAFANA", "MQTT"))
    }
    services = project(variables=variables).services
    changed = {name: service.ports[0] for name, service in services.items() if service.ports}
    assert {name: port.published for name, port in changed.items()} == {
        "ingest": "7000",
        "generator": "7001",
        "grafana": "7002",
        "mosquitto": "7003",
    }
    assert {port.host_ip for port in changed.values()} == {"127.0.0.1"}
    assert services["grafana"].environment["GF_SERVER_ROOT_URL"] == "http://127.0.0.1:7002/"


def test_nothing_runs_as_root_or_can_become_it(whole: Project) -> None:
    for name, service in whole.services.items():
        assert re.fullmatch(r"\d+:\d+", service.user), f"{name}: {service.user!r}"
        assert 0 not in {service.uid, service.gid, *service.groups}, name
        assert service.cap_drop == ["ALL"], name
        assert service.cap_add == [], name
        assert service.security_opt == ["no-new-privileges:true"], name
        assert not service.privileged, name


def test_root_file_systems_are_read_only(whole: Project) -> None:
    assert [name for name, service in whole.services.items() if not service.read_only] == []


def test_no_service_shares_the_hosts_namespaces_or_its_engine(whole: Project) -> None:
    for name, service in whole.services.items():
        assert service.network_mode in {"", "none"}, name
        assert (service.pid, service.ipc) == ("", ""), name
        assert "docker.sock" not in " ".join(mount.source for mount in service.volumes), name


def test_logs_are_rotated_and_memory_is_limited(whole: Project) -> None:
    for name, service in whole.services.items():
        assert service.logging is not None, name
        assert service.logging.driver == "json-file", name
        assert service.logging.options == {"max-size": "10m", "max-file": "3"}, name
        assert 128 * 2**20 <= int(service.mem_limit) <= 4 * 2**30, f"{name}: {service.mem_limit!r}"


def test_influxdb_collects_garbage_before_its_limit_ends_it(whole: Project) -> None:
    influxdb = whole.services["influxdb"]
    target = int(influxdb.environment["GOMEMLIMIT"].removesuffix("MiB")) * 2**20
    assert 0.7 < target / int(influxdb.mem_limit) < 0.95


def test_all_state_is_in_named_volumes(whole: Project) -> None:
    named = {
        name: {mount.target for mount in service.volumes if mount.type == "volume" and mount.target != SECRETS_DIR}
        for name, service in whole.services.items()
    }
    assert {name: targets for name, targets in named.items() if targets} == STATE
    used = {mount.source for service in whole.services.values() for mount in service.volumes if mount.type == "volume"}
    assert used == set(whole.volumes)
    assert [volume for volume in whole.volumes.values() if volume.external] == [], "`down -v` would keep them"


def test_only_who_makes_secrets_may_write_where_they_are(whole: Project) -> None:
    mounts = {
        name: mount.read_only
        for name, service in whole.services.items()
        for mount in service.volumes
        if mount.target == SECRETS_DIR
    }
    readers = {"influxdb", "ingest", "generator", "demo", "grafana", "telegraf", "telegraf-mqtt"}
    assert mounts == dict.fromkeys(readers, True) | dict.fromkeys(("secrets", "apply"), False)


def test_what_is_mounted_from_the_repository_is_there_and_read_only(whole: Project) -> None:
    binds = [mount for service in whole.services.values() for mount in service.volumes if mount.type == "bind"]
    assert [mount for mount in binds if not mount.read_only] == []
    inside = [Path(mount.source) for mount in binds if mount.source != "/"]
    assert all(path.is_relative_to(ROOT) for path in inside), inside
    missing = [str(path.relative_to(ROOT)) for path in inside if not path.exists()]
    assert not missing, f"docker would make an empty folder of {missing}"


def test_a_program_that_is_mounted_is_there_and_can_be_run(whole: Project) -> None:
    mounted = {
        name: Path(mount.source) / Path(word).relative_to(mount.target)
        for name, service in whole.services.items()
        for mount in service.volumes
        for word in (service.command or [])[:1]
        if mount.type == "bind" and Path(word).is_relative_to(mount.target)
    }
    assert set(mounted) == {"telegraf", "telegraf-mqtt"}
    assert not [path for path in mounted.values() if not os.access(path, os.X_OK)]


def test_only_telegraf_sees_the_host_and_told_to_look_there(whole: Project) -> None:
    seeing = {
        name: mount.target
        for name, service in whole.services.items()
        for mount in service.volumes
        if mount.source == "/"
    }
    assert seeing == {"telegraf": "/hostfs"}
    environment = whole.services["telegraf"].environment
    assert environment["HOST_MOUNT_PREFIX"] == "/hostfs"
    assert {environment[f"HOST_{name}"] for name in ("PROC", "SYS")} == {"/hostfs/proc", "/hostfs/sys"}


def test_grafana_can_be_looked_at_without_a_login_but_not_changed(whole: Project) -> None:
    environment = whole.services["grafana"].environment
    assert environment["GF_AUTH_ANONYMOUS_ENABLED"] == "true"
    assert environment["GF_AUTH_ANONYMOUS_ORG_ROLE"] == "Viewer"
    home = Path(environment["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"])
    mount = next(mount for mount in whole.services["grafana"].volumes if mount.target == str(home.parent))
    assert (Path(mount.source) / home.name).exists(), f"the home dashboard {home.name} is not in {mount.source}"


def test_ingest_is_given_longer_to_stop_than_it_takes(whole: Project) -> None:
    assert float(whole.services["ingest"].stop_grace_period.removesuffix("s")) > Settings().grace_seconds + 5


def test_one_variable_sets_the_retention_of_the_bucket_and_at_the_door() -> None:
    for variables, seconds in (({}, "0"), ({"PULSO_RETENTION_SECONDS": "2592000"}, "2592000")):
        services = project(variables=variables).services
        assert services["influxdb"].environment["DOCKER_INFLUXDB_INIT_RETENTION"] == f"{seconds}s"
        assert services["apply"].environment["INFLUX_RETENTION"] == seconds
        assert services["ingest"].environment["INGEST_RETENTION_SECONDS"] == seconds


def test_the_archive_is_on_in_a_volume_of_its_own_and_bounded(whole: Project) -> None:
    ingest = whole.services["ingest"]
    assert {mount.source: mount.target for mount in ingest.volumes}["ingest-files"] == "/files"
    assert ingest.environment["INGEST_ARCHIVE_DIR"] == "/files"
    assert int(ingest.environment["INGEST_ARCHIVE_MAX_BYTES"]) == 20 * 2**30
    off = project(variables={"PULSO_ARCHIVE_DIR": ""}).services["ingest"].environment
    assert load({}, {"INGEST_ARCHIVE_DIR": off["INGEST_ARCHIVE_DIR"]}).archive_dir is None
    variables = {"PULSO_ARCHIVE_MAX_BYTES": "0", "PULSO_ARCHIVE_MAX_AGE_SECONDS": "86400"}
    changed = project(variables=variables).services["ingest"].environment
    assert changed["INGEST_ARCHIVE_MAX_BYTES"] == "0"
    assert changed["INGEST_ARCHIVE_MAX_AGE_SECONDS"] == "86400"


def test_one_variable_has_ingest_take_events_in_several_processes(whole: Project) -> None:
    assert whole.services["ingest"].environment["INGEST_WORKERS"] == "1"
    changed = project(variables={"PULSO_WORKERS": "3"}).services["ingest"].environment
    assert (
        load(
            {}, {"INGEST_STORE": "influx", "INGEST_WORKERS": changed["INGEST_WORKERS"], "INGEST_INFLUX_TOKEN": "t"}
        ).workers
        == 3
    )
