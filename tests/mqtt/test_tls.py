"""TLS to Mosquitto: with the right authority a link, with none or another a clear refusal."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from drivers.links.link import LinkError
from drivers.links.opening import opener_of


@pytest.fixture
def tls_port(mosquitto, free_port):
    """Mosquitto once more, with a second listener that speaks TLS under a fresh certificate of localhost."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("needs openssl: sudo apt-get install -y openssl")
    folder = mosquitto.directory
    for name in ("ours", "other"):
        command = [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
        files = ["-keyout", str(folder / f"{name}.key"), "-out", str(folder / f"{name}.crt")]
        subprocess.run(
            [*command, "-addext", "subjectAltName=DNS:localhost", *files], check=True, timeout=120, capture_output=True
        )
    port = free_port()
    settings = f"listener {port} 127.0.0.1\ncertfile {folder}/ours.crt\nkeyfile {folder}/ours.key\n"
    mosquitto.restart(settings, port)
    return port


def test_tls(mosquitto, tls_port, heard, linked, run, message):
    def url(authority):
        base = mosquitto.url(port=tls_port, extra=f"&tls=yes&ca={mosquitto.directory / authority}.crt")
        return base.replace("127.0.0.1", "localhost")

    async def both():
        told = heard()
        async with linked(url("ours"), told) as link:
            for number in range(200):
                link.write(message("a/x", f"{number} {'x' * 300}"))
            await told.until(lambda t: len(t.messages) == 200)
        with pytest.raises(LinkError, match=r"TLS failed: .*check tls= and ca="):
            await opener_of(url("other")).open(heard())
        plain = mosquitto.url(port=tls_port)
        with pytest.raises(LinkError):
            await opener_of(plain).open(heard())

    run(both())
