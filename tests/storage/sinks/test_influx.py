"""The InfluxDB transport against the strict fake server on a real socket: each answer, each way to die."""

from __future__ import annotations

import datetime as dt
import socket
import ssl
from email.utils import formatdate
from ipaddress import ip_address

import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from edge.storage.sinks import influx as transport_module
from edge.storage.sinks.answers import Verdict
from edge.storage.sinks.influx import InfluxTransport, start_of

LINES = [
    "garage,site=s,device=d power_w=3.5 1790000000000000000",
    "garage,site=s,device=d power_w=4.0 1790000001000000000",
]


@pytest.fixture
def connect(settings, token_file):
    """A transport to a fake server; closed at the end."""
    made = []

    def make(server, **change):
        told = {"url": server.url, "org": "kangle", "bucket": "edge", "token_file": token_file, "timeout_s": 20.0}
        made.append(InfluxTransport(msgspec.structs.replace(settings, **{**told, **change})))
        return made[-1]

    yield make
    for transport in made:
        transport.close()


@pytest.mark.parametrize("gzip", [True, False])
def test_204_is_stored(influx, connect, gzip):
    server = influx()
    answer = connect(server, gzip=gzip).send(LINES)
    assert (answer.verdict, answer.fresh) == (Verdict.STORED, True)
    assert answer.life.startswith("start ")
    assert sorted(server.server.bucket.values.values()) == [3.5, 4.0]


def test_one_connection_serves_many_writes(influx, connect):
    server = influx()
    transport = connect(server)
    answers = [transport.send(LINES) for _ in range(5)]
    assert [answer.fresh for answer in answers] == [True, False, False, False, False]
    assert len({answer.life for answer in answers}) == 1


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"org": "other"}, "no such organisation, bucket or path"),
        ({"bucket": "other"}, "no such organisation, bucket or path"),
        ({"token_file": None}, "refuses the token"),
    ],
)
def test_wrong_settings_say_what_to_do(influx, connect, change, words):
    server = influx()
    answer = connect(server, **change).send(LINES)
    assert answer.verdict is Verdict.MISCONFIGURED
    assert words in answer.reason
    assert server.server.bucket.values == {}


def test_a_token_that_was_mended_is_read_at_the_next_try(influx, connect, token_file):
    server = influx()
    token_file.write_text("old\n")
    transport = connect(server)
    assert transport.send(LINES).verdict is Verdict.MISCONFIGURED
    token_file.write_text("secret\n")
    assert transport.send(LINES).verdict is Verdict.STORED


@pytest.mark.parametrize("content", [None, "", "\xe9\n"])
def test_a_token_file_that_cannot_be_used(influx, connect, token_file, content):
    if content is None:
        token_file.unlink()
    else:
        token_file.write_text(content, encoding="latin-1")
    answer = connect(influx()).send(LINES)
    assert answer.verdict is Verdict.MISCONFIGURED
    assert "write the token into it, mode 0600" in answer.reason


def test_a_malformed_line_stores_nothing(influx, connect):
    server = influx()
    answer = connect(server).send([*LINES, "garage,site=s power_w=oops 1"])
    assert answer.verdict is Verdict.REFUSED
    assert "invalid number" in answer.reason
    assert server.server.bucket.values == {}


def test_a_conflict_stores_the_rest(influx, connect):
    server = influx()
    answer = connect(server).send([*LINES, 'garage,site=s power_w="on" 1'])
    assert answer.verdict is Verdict.PARTLY_STORED
    assert "field type conflict" in answer.reason
    assert len(server.server.bucket.values) == 2


def test_too_large(influx, connect):
    answer = connect(influx(body_max=80)).send(LINES)
    assert answer.verdict is Verdict.TOO_LARGE


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_in_seconds_and_as_a_date(influx, connect, status):
    server = influx()
    transport = connect(server)
    server.script({"do": str(status), "retry_after": "7"})
    answer = transport.send(LINES)
    assert (answer.verdict, answer.retry_after_s) == (Verdict.BUSY, 7.0)
    server.script({"do": str(status), "retry_after": formatdate(transport_module.time.time() + 300, usegmt=True)})
    assert 200 < transport.send(LINES).retry_after_s <= 301


@pytest.mark.parametrize(
    ("status", "verdict"),
    [
        ("200", Verdict.MISCONFIGURED),
        ("302", Verdict.MISCONFIGURED),
        ("405", Verdict.MISCONFIGURED),
        ("500", Verdict.UNREACHABLE),
    ],
)
def test_only_204_is_believed(influx, connect, status, verdict):
    """A captive portal's 200 and a redirect are no acknowledgement, and the token follows neither."""
    server = influx()
    server.script({"do": status})
    assert connect(server).send(LINES).verdict is verdict
    assert server.server.bucket.values == {}


@pytest.mark.parametrize(
    ("do", "stored"),
    [("cut_request", 0), ("cut_unanswered", 2), ("cut_response", 2)],
)
def test_a_cut_in_the_middle_is_no_answer(influx, connect, do, stored):
    server = influx()
    transport = connect(server)
    assert transport.send(LINES[:1]).verdict is Verdict.STORED
    server.script({"do": do})
    assert transport.send(LINES).verdict is Verdict.UNREACHABLE
    assert len(server.server.bucket.values) == max(1, stored)
    answer = transport.send(LINES)
    assert (answer.verdict, answer.fresh) == (Verdict.STORED, True)


@pytest.mark.parametrize("step", [{"do": "hang"}, {"do": "slow", "seconds": 30}, {"do": "trickle", "seconds": 0.2}])
def test_a_server_that_hangs_is_given_up(influx, connect, monkeypatch, step):
    """Also one that sends a byte now and then, which no read time-out ends."""
    monkeypatch.setattr(transport_module, "CONNECT_S", 0.3)
    server = influx()
    server.script(step)
    answer = connect(server, timeout_s=0.7).send(LINES)
    assert answer.verdict is Verdict.UNREACHABLE


def test_a_slow_server_is_waited_for(influx, connect):
    server = influx()
    server.script({"do": "slow", "seconds": 0.3})
    assert connect(server).send(LINES).verdict is Verdict.STORED


def test_nobody_listens(connect, influx):
    server = influx()
    transport = connect(server)
    server.close()
    assert transport.send(LINES).verdict is Verdict.UNREACHABLE


def test_a_connection_closed_while_idle_is_a_fresh_one(influx, connect):
    server = influx()
    transport = connect(server)
    server.script({"do": "close"})
    first = transport.send(LINES)
    second = transport.send(LINES)
    assert (second.verdict, second.fresh, second.life) == (Verdict.STORED, True, first.life)


def test_another_boot_id_is_a_sign(influx, connect):
    server = influx(boot_id="one", metrics=False)
    transport = connect(server)
    first = transport.send(LINES)
    server.server.options.boot_id = "two"
    second = transport.send(LINES)
    third = transport.send(LINES)
    assert [answer.sign for answer in (first, second, third)] == [False, True, False]
    assert first.life == ""


def test_tcp_nodelay_is_set(influx, connect):
    server = influx()
    transport = connect(server)
    transport.send(LINES)
    assert transport._wire._socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1


def test_start_of_a_process():
    assert start_of(b"# HELP x\nvm_app_start_timestamp 1795357552\n", 0.0) == 1795357552
    assert start_of(b'influxdb_uptime_seconds{id="x"} 12.5\n', 1000.0) == 987.5
    assert start_of(b"<html>", 0.0) is None


@pytest.fixture
def certificate(tmp_path):
    """A self-signed certificate for 127.0.0.1: (PEM with the key, PEM of the certificate)."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + dt.timedelta(days=36500))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = made.public_bytes(serialization.Encoding.PEM)
    both, alone = tmp_path / "server.pem", tmp_path / "ca.pem"
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    both.write_bytes(secret + pem)
    alone.write_bytes(pem)
    return both, alone


def test_tls_with_the_sites_own_authority(influx, connect, certificate):
    both, alone = certificate
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(both)
    server = influx(tls=context)
    answer = connect(server, tls_ca=alone).send(LINES)
    assert answer.verdict is Verdict.STORED
    assert answer.life.startswith("start ")


def test_a_certificate_that_nobody_vouches_for(influx, connect, certificate):
    both, _ = certificate
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(both)
    server = influx(tls=context)
    answer = connect(server).send(LINES)
    assert answer.verdict is Verdict.MISCONFIGURED
    assert "tls_ca" in answer.reason
    assert server.server.bucket.values == {}
