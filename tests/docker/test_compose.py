"""The compose file against the keys that we use of Compose's format, and against the files and scripts beside it."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import socket
import stat
import subprocess
import sys
import time
from datetime import date
from pathlib import Path

import pytest
import yaml

from edge.bootstrap.debian import command_line
from edge.site import load_site

#: Keys of the Compose specification that are used here, with the type of their values.
SERVICE = {
    "network_mode": str, "restart": str, "read_only": bool, "init": bool, "user": str, "cap_drop": list,
    "security_opt": list, "logging": dict, "image": str, "build": dict, "command": list, "environment": dict,
    "volumes": list, "tmpfs": list, "secrets": list, "healthcheck": dict, "depends_on": dict, "profiles": list,
    "stop_grace_period": str,
}  # fmt: skip
HEALTH = {"test", "interval", "timeout", "retries", "start_period"}
PATH = f"{os.environ.get('PATH', '')}:/usr/sbin"


def test_only_known_keys_with_values_of_their_type(compose):
    assert set(compose) == {"name", "x-hardened", "services", "secrets"}
    for name, service in compose["services"].items():
        for key, value in service.items():
            assert isinstance(value, SERVICE[key]), f"{name}.{key}"
        assert set(service.get("healthcheck", ())) <= HEALTH
        assert set(service.get("build", ())) <= {"context", "dockerfile"}
        for other, how in service.get("depends_on", {}).items():
            assert other in compose["services"]
            assert how == {"condition": "service_healthy"}
            assert "healthcheck" in compose["services"][other]


def test_every_service_runs_without_rights(compose):
    for name, service in compose["services"].items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert service["user"].startswith("${KANGLE_UID:?"), name
        assert "/tmp" in service["tmpfs"], name
        assert not service.get("init"), "no init process: each is process 1 and takes its signal"


def test_what_is_mounted_exists_or_is_made_by_the_scripts(compose, script, checkout):
    assert script("secrets.sh").returncode == 0
    assert script("site.sh").returncode == 0
    docker = checkout / "docker"
    for name, service in compose["services"].items():
        for volume in service.get("volumes", ()):
            source, target, *mode = volume.split(":")
            assert (docker / source).exists(), f"{name}: {volume}"
            assert Path(target).is_absolute()
            assert mode == ([] if source.startswith("./data/") else ["ro"]), f"{name} writes to {source}"
        for secret in service.get("secrets", ()):
            assert (docker / compose["secrets"][secret]["file"]).is_file(), f"{name}: {secret}"
        if "build" in service:
            assert (docker / service["build"]["context"] / service["build"]["dockerfile"]).is_file()
    used = {secret for service in compose["services"].values() for secret in service.get("secrets", ())}
    assert used == set(compose["secrets"])


def test_nothing_is_a_secret_or_has_a_default(compose, root):
    """No value of a password or token is written anywhere: each comes from a file that the script makes."""
    for service in compose["services"].values():
        for key, value in service.get("environment", {}).items():
            if re.search("PASSWORD|TOKEN|USERNAME|ADMIN_USER", key):
                assert key.endswith("_FILE"), key
                assert value.startswith("/run/secrets/"), key
    for path in (root / "docker").rglob("*"):
        if path.is_file() and not {"secrets", "data", "site"} & set(path.relative_to(root / "docker").parts):
            text = path.read_text(encoding="utf-8")
            value = r"(?im)(password|token)\s*[:=]\s*[\"']?[A-Za-z0-9]{6,}[\"']?\s*$"
            assert not re.search(value, text), path
            assert "admin:admin" not in text


def test_nothing_listens_beyond_this_machine(compose, root):
    environments = {name: service.get("environment", {}) for name, service in compose["services"].items()}
    assert all("ports" not in service for service in compose["services"].values())
    assert environments["influxdb"]["INFLUXD_HTTP_BIND_ADDRESS"] == "127.0.0.1:8086"
    assert environments["grafana"]["GF_SERVER_HTTP_ADDR"] == "127.0.0.1"
    listeners = re.findall(r"^listener .*", (root / "docker/mosquitto/mosquitto.conf").read_text(), re.MULTILINE)
    assert listeners == ["listener 1883 127.0.0.1"]


def test_secrets_are_made_once_each_different_and_for_one_reader(script, checkout):
    first = script("secrets.sh")
    assert first.returncode == 0, first.stderr
    folder = checkout / "docker" / "secrets"
    made = {path.name: path.read_text() for path in folder.iterdir()}
    drawn = [
        made[name] for name in ("mqtt_edge", "mqtt_simulator", "influx_password", "influx_token", "grafana_password")
    ]
    assert all(re.fullmatch("[A-Za-z0-9]{40,80}", each) for each in drawn)
    assert len(set(drawn)) == len(drawn)
    assert made["mqtt_users"] == f"edge:{made['mqtt_edge']}\nsimulator:{made['mqtt_simulator']}\n"
    for path in folder.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o400, path.name
    for path in (folder, *(checkout / "docker" / "data").iterdir()):
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path
    owner = 10001 if os.geteuid() == 0 else os.geteuid()
    assert {path.stat().st_uid for path in folder.iterdir()} == {owner}
    assert (checkout / "docker" / ".env").read_text().startswith(f"KANGLE_UID={owner}\n")
    assert not any(value in first.stdout + first.stderr for value in drawn), "secrets are not told"
    again = script("secrets.sh")
    assert again.returncode == 0
    assert {path.name: path.read_text() for path in folder.iterdir()} == made
    (folder / "mqtt_simulator").unlink()
    assert script("secrets.sh").returncode == 0
    users = (folder / "mqtt_users").read_text()
    assert f"edge:{made['mqtt_edge']}" in users
    assert made["mqtt_simulator"] not in users


def test_the_site_of_the_containers_is_right(script, checkout):
    made = script("site.sh")
    assert made.returncode == 0, made.stderr
    site = load_site(checkout / "docker" / "site", date(2026, 11, 22))
    assert (str(site.data_dir), str(site.run_dir)) == ("/var/lib/kangle", "/run/kangle")
    assert site.api.host == "127.0.0.1"
    links = [each.link for devices in site.devices.values() for each in devices if each.link.startswith("mqtt://")]
    assert links
    assert all("edge@" in link and "password_file=/run/secrets/mqtt_edge" in link for link in links)
    (sink,) = site.sinks
    assert (sink.url, sink.org, sink.bucket) == ("http://127.0.0.1:8086", "kangle", "kangle")
    assert str(sink.token_file) == "/run/secrets/influx_token"
    again = script("site.sh")
    assert again.returncode == 1
    assert "already" in again.stderr


def test_simulated_devices_are_devices_of_the_site(root):
    zones = (root / "config/garage/zones.toml").read_text(encoding="utf-8")
    for name in ("heads", "plugs"):
        told = json.loads((root / f"docker/simulator/{name}.json").read_text(encoding="utf-8"))
        assert (told["host"], told["user"]) == ("127.0.0.1", "simulator")
        assert told["password_file"] == "/run/secrets/mqtt_simulator"
        for device in told["devices"]:
            assert device.get("name", device.get("topic")) in zones, device


# --- the broker, with the real program --------------------------------------------------------------------------------


@pytest.fixture
def broker(script, checkout, tmp_path, free_port):
    """The broker as compose starts it: the same start script, configuration and users, other paths."""
    if shutil.which("mosquitto", path=PATH) is None:
        pytest.skip(f"the broker's configuration is NOT tested: {command_line(['mosquitto'])}")
    assert script("secrets.sh").returncode == 0
    docker, port = checkout / "docker", free_port()
    text = (docker / "mosquitto/mosquitto.conf").read_text()
    for old, new in (
        ("1883 127.0.0.1", f"{port} 127.0.0.1"),
        ("/run/mosquitto/users", str(tmp_path / "users")),
        ("/mosquitto/config/acl", str(docker / "mosquitto/acl")),
        ("/mosquitto/data/", f"{docker}/data/mosquitto/"),
    ):
        assert old in text
        text = text.replace(old, new)
    config = tmp_path / "mosquitto.conf"
    config.write_text(text + ("user root\n" if os.geteuid() == 0 else ""))
    env = {
        **os.environ,
        "PATH": PATH,
        "KANGLE_MQTT_USERS": str(docker / "secrets/mqtt_users"),
        "KANGLE_MQTT_HASHED": str(tmp_path / "users"),
        "KANGLE_MQTT_CONFIG": str(config),
    }
    log = tmp_path / "broker.log"
    with log.open("wb") as out:
        process = subprocess.Popen(["sh", docker / "mosquitto/start.sh"], env=env, stdout=out, stderr=out)
    until = time.monotonic() + 60
    while True:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            break
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < until, log.read_text()
        time.sleep(0.05)
    yield port, docker / "secrets", tmp_path / "users"
    process.terminate()
    process.wait(60)


def heard_by_edge(broker, user, topic):
    """Whether what ``user`` publishes on ``topic`` reaches the box; "refused" when the broker lets nobody in."""
    import asyncio

    import aiomqtt

    port, secrets, _ = broker
    word = {name: (secrets / f"mqtt_{name}").read_text() for name in ("edge", "simulator")}

    async def main():
        try:
            async with (
                aiomqtt.Client("127.0.0.1", port, username="edge", password=word["edge"], timeout=60) as edge,
                aiomqtt.Client("127.0.0.1", port, username=user, password=word.get(user), timeout=60) as other,
            ):
                await edge.subscribe("#", qos=1)
                await other.publish(topic, b"one", qos=1)
                await edge.publish("end/of/test", b"end", qos=1)
                async for message in edge.messages:
                    if str(message.topic) == topic:
                        return True
                    if str(message.topic) == "end/of/test":
                        return False
        except aiomqtt.MqttError:
            return "refused"

    return asyncio.run(asyncio.wait_for(main(), 120))


def test_the_real_broker_takes_the_configuration_and_keeps_to_it(broker):
    _, secrets, users = broker
    hashed = users.read_text()
    assert "$7$" in hashed or "$6$" in hashed
    assert (secrets / "mqtt_edge").read_text() not in hashed
    assert heard_by_edge(broker, "simulator", "zigbee2mqtt/s3-smoke-1") is True
    assert heard_by_edge(broker, "simulator", "tele/plug-s3-01/SENSOR") is True
    assert heard_by_edge(broker, "simulator", "cmnd/plug-s3-01/POWER") is False, "nobody but the box switches anything"
    assert heard_by_edge(broker, "nobody", "zigbee2mqtt/s3-smoke-1") == "refused"


@pytest.mark.parametrize(
    ("service", "topic"), [("simulated-heads", "zigbee2mqtt/s3-smoke-1"), ("simulated-plugs", "tele/plug-s3-01/STATE")]
)
def test_the_simulated_devices_speak_through_the_broker(compose, broker, checkout, service, topic):
    """The simulator as compose runs it, with the users and rights of compose; only paths and port are others."""
    import asyncio

    import aiomqtt

    port, secrets, _ = broker
    name, _, path = compose["services"][service]["command"]
    told = json.loads((checkout / "docker/simulator" / Path(path).name).read_text(encoding="utf-8"))
    told |= {"port": port, "password_file": str(secrets / "mqtt_simulator")}
    config = checkout / "simulator.json"
    config.write_text(json.dumps(told))
    simulator = subprocess.Popen(
        ["sh", checkout / "docker/simulator/run.sh", name, "--config", config], env=python_path()
    )

    async def main():
        password = (secrets / "mqtt_edge").read_text()
        async with aiomqtt.Client("127.0.0.1", port, username="edge", password=password, timeout=60) as edge:
            await edge.subscribe("#", qos=1)
            async for message in edge.messages:
                if str(message.topic) == topic:
                    return

    try:
        asyncio.run(asyncio.wait_for(main(), 120))
        assert simulator.poll() is None
    finally:
        simulator.terminate()
        simulator.wait(60)


def python_path():
    return {**os.environ, "PATH": f"{Path(sys.executable).parent}:{PATH}"}


def test_yaml_files_are_yaml(root):
    for path in (root / "docker").rglob("*.yaml"):
        if "data" not in path.parts:
            assert yaml.safe_load(path.read_text(encoding="utf-8")), path
