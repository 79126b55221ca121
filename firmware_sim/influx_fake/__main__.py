"""``python -m firmware_sim.influx_fake``: the strict fake InfluxDB v2 as a program that tests may kill.

Prints one JSON line with its port when it is ready. ``/fake/script`` takes steps (a status code, slow, hang, trickle,
cut_request, cut_unanswered, cut_response, close), ``/fake/points`` gives what is stored.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import ssl
import sys
from pathlib import Path

from firmware_sim.influx_fake.bucket import Bucket
from firmware_sim.influx_fake.server import FakeInflux, Options
from firmware_sim.program import run


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m firmware_sim.influx_fake", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="default: any free one")
    parser.add_argument("--token-file", type=Path, required=True)
    parser.add_argument("--org", default="kangle")
    parser.add_argument("--bucket", default="edge")
    parser.add_argument("--body-max", type=int, default=8 << 20, help="bytes after unpacking; more is 413")
    parser.add_argument("--journal", type=Path, help="keep points here over restarts")
    parser.add_argument("--sync-s", type=float, default=0.0, help="how long after its 204 a point reaches the journal")
    parser.add_argument("--boot-id", default="", help="say this in the header X-Boot-Id")
    parser.add_argument("--no-metrics", action="store_true", help="do not tell since when it runs")
    parser.add_argument("--no-keep-alive", action="store_true")
    parser.add_argument("--certificate", type=Path, help="PEM with key and certificate: speak TLS")
    return parser


async def _main(options: argparse.Namespace) -> int:
    told = Options(
        token=options.token_file.read_text(encoding="ascii").strip(),
        org=options.org,
        bucket=options.bucket,
        body_max=options.body_max,
        metrics=not options.no_metrics,
        boot_id=options.boot_id,
        keep_alive=not options.no_keep_alive,
    )
    tls = None
    if options.certificate is not None:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(options.certificate)
    server = FakeInflux(told, Bucket(journal=options.journal, sync_s=options.sync_s))
    ready = asyncio.Event()
    serving = asyncio.create_task(server.serve(options.host, options.port, ready, tls))
    waiting = asyncio.create_task(ready.wait())
    await asyncio.wait((serving, waiting), return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    if not serving.done():
        sys.stdout.write(json.dumps({"port": server.port}) + "\n")
        sys.stdout.flush()
    await serving
    return 0


def main() -> int:
    """Serve until told to stop. Exit status 4 when the port is taken or a file cannot be used."""
    parser = _parser()
    options = parser.parse_args()
    try:
        return run(lambda: _main(options))
    except OSError as error:
        sys.stderr.write(f"{parser.prog}: {error}\n")
        return 4


if __name__ == "__main__":
    raise SystemExit(main())
