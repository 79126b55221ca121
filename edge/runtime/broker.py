"""The embedded MQTT broker (amqtt) as a process of its own: ``python -m edge.runtime.broker --port N --users FILE``.

For the demo and a first start only: it needs no installation, and it speaks no MQTT 5, forgets everything at its end,
and loses what a client had not acknowledged when its connection broke (Yakifo/amqtt#401). A real garage runs Mosquitto.
The hard part is keeping a toy safe: it listens on this machine alone, knows no guests, and bounds what it keeps. A user
would notice a mistake as a garage that anybody in the house network can switch.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import secrets
import signal
import sys
from collections.abc import Iterable
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import uvloop
from amqtt.errors import AMQTTError

from edge.runtime.broker_plugins import TakeOverBroker

CONNECTIONS_MAX = 512
#: A session that nobody came back to is forgotten after a day.
SESSION_EXPIRY_S = 86_400
#: How long an end in order may take. amqtt ends its clients one after the other, and under load that was seen to stop
#: half-way: those that were left still served, nobody new let in, for as long as anybody looked.
SHUTDOWN_S = 2.0

EXIT_OK, EXIT_USAGE, EXIT_UNREACHABLE = 0, 2, 4


class BrokerSetupError(ValueError):
    """The broker cannot be set up like this; the text says what is allowed."""


def broker_config(host: str, port: int, users: Path) -> dict[str, Any]:
    """What amqtt is told. Raises ``BrokerSetupError`` for anything but a loopback address."""
    try:
        loopback = ip_address(host).is_loopback
    except ValueError:
        loopback = False
    if not loopback:
        raise BrokerSetupError(f"the embedded broker listens on 127.0.0.1 or ::1 only, not on {host!r}: run Mosquitto")
    bind = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    return {
        "listeners": {"default": {"type": "tcp", "bind": bind, "max_connections": CONNECTIONS_MAX}},
        "session_expiry_interval": SESSION_EXPIRY_S,
        "plugins": {
            "edge.runtime.broker_plugins.UsersPlugin": {"users": str(users)},
            "edge.runtime.broker_plugins.BoundsPlugin": {},
        },
    }


def make_users(path: Path, names: Iterable[str]) -> dict[str, str]:
    """Write a users file (mode 0600) with a fresh random password for each name, and give them. One line each:
    ``name:password``."""
    passwords = {name: secrets.token_hex(16) for name in names}
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.writelines(f"{name}:{password}\n" for name, password in passwords.items())
    return passwords


def broker_command(port: int, users: Path, host: str = "127.0.0.1") -> list[str]:
    """The command line of the broker's process, for a supervisor."""
    return [sys.executable, "-m", "edge.runtime.broker", "--host", host, "--port", str(port), "--users", str(users)]


async def serve(config: dict[str, Any], stop: asyncio.Event) -> bool:
    """Run until ``stop`` is set; whether it then ended in order. Raises AMQTTError when it cannot listen."""
    broker = TakeOverBroker(config)
    await broker.start()
    sys.stderr.write(f"mqtt broker ready: {config['listeners']['default']['bind']}\n")
    sys.stderr.flush()
    await stop.wait()
    ending = asyncio.create_task(broker.shutdown())
    await asyncio.wait({ending}, timeout=SHUTDOWN_S)
    if ending.done():
        ending.result()
    return ending.done()


async def _run(config: dict[str, Any]) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    if not await serve(config, stop):
        os._exit(EXIT_OK)  # nothing that it holds outlives it; whoever starts it anew must not wait


def main() -> int:
    parser = argparse.ArgumentParser(prog="edge.runtime.broker", description="The embedded MQTT broker.")
    parser.add_argument("--host", default="127.0.0.1", help="a loopback address")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--users", type=Path, required=True, help="file of name:password lines")
    options = parser.parse_args()
    # amqtt tells every connection at INFO, and at WARNING each message that a slow client left unacknowledged.
    logging.basicConfig(level=logging.ERROR, stream=sys.stderr, format="mqtt broker: %(message)s")
    try:
        uvloop.run(_run(broker_config(options.host, options.port, options.users)))
    except BrokerSetupError as error:
        sys.stderr.write(f"mqtt broker: {error}\n")
        return EXIT_USAGE
    except (AMQTTError, OSError) as error:
        sys.stderr.write(f"mqtt broker: cannot serve on {options.host}:{options.port}: {error}\n")
        return EXIT_UNREACHABLE
    return EXIT_OK


if __name__ == "__main__":
    sys.exit(main())
