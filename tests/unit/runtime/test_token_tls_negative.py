"""Security profile 3 with the station's key in a token: servers that are refused, servers that refuse, and in which words."""

from __future__ import annotations

import asyncio
import ssl
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection

from certs.reading import tbs_fingerprint
from certs.store.pkcs11 import Token
from chargepoint.events import LinkDown, LinkUp
from chargepoint.runtime import tcp
from chargepoint.runtime.v2g_tls.plan import Plan
from chargepoint.runtime.v2g_tls.verify import second
from tests.unit.ocpp.link_rig import security_event
from tests.unit.runtime.csms_rig import Stream, a_listener, a_port, order, says_nothing, virtually
from tests.unit.runtime.test_csms_tls import ROOT, RSA_ROOT, answers_in_http, hangs_up, server_context
from tests.unit.runtime.tls_pki import CLIENT, DAY, NOW, Identity, root, rsa_key, self_signed, with_sha1
from tests.unit.runtime.token_tls_rig import BOTH, Box, at_most, demanding, heard_by, outcome, refused

pytestmark = pytest.mark.xdist_group("token")


@pytest.fixture
def box(softhsm: Token, tmp_path: Path) -> Box:
    """Keys are called by their slots: in one token there is one such station at a time."""
    made = Box(tmp_path / "box", softhsm)
    made.adopt()
    return made


# ---- refused by us


@pytest.mark.req("S-29", "F-8", "F-9", "TC_A_05")
@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: ROOT.issue("other.example"), "localhost"),
        (lambda: ROOT.issue("localhost", names=("other.example",)), "localhost"),
        (lambda: ROOT.issue("localhost", ends=NOW - DAY / 2), "expired"),
        (lambda: ROOT.issue("localhost", begins=NOW + DAY), "not valid before"),
        (lambda: ROOT.issue("old", is_ca=True, ends=NOW - DAY / 2).issue("localhost"), "expired"),
        (lambda: root("Another root").issue("localhost"), "nor a root that is known here"),
        (lambda: self_signed("localhost"), "signed itself"),
        (lambda: ROOT.issue("localhost", rsa_key(1024)), "rsa1024"),
        (lambda: with_sha1(RSA_ROOT.issue("localhost"), RSA_ROOT), "sha1"),
        (lambda: ROOT.issue("localhost", usage=CLIENT), "clientAuth"),
        (lambda: ROOT.issue("no CA").issue("localhost"), "CA"),
    ],
    ids=["host", "host in the alternative name", "expired", "not yet", "expired sub-CA", "wrong root", "self-signed", "RSA 1024", "SHA-1", "for clients",
         "issuer is no CA"],
)  # fmt: skip
@BOTH
def test_a_certificate_that_is_refused(box: Box, make: Callable[[], Identity], words: str, version: ssl.TLSVersion, tmp_path: Path) -> None:
    reached: list[object] = []

    async def note(link: ServerConnection) -> None:
        reached.append(link)

    down = refused(demanding(tmp_path, version, make()), box.files(), handler=note)
    assert (down.cause, words in down.detail, reached) == ("certificate", True, []), down
    assert security_event(down) == "InvalidCsmsCertificate"


@pytest.mark.parametrize("allowed", [True, False])
def test_a_wildcard_is_taken_where_it_is_allowed(box: Box, allowed: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    connect = tcp.connect
    monkeypatch.setattr(tcp, "connect", lambda _, port, **how: connect("localhost", port, **how))
    context = demanding(tmp_path, server=ROOT.issue("CSMS", names=("*.hub.example",)))
    came = outcome(context, box.files(), host="csms.hub.example", wildcards=allowed)
    if allowed:
        assert isinstance(came, LinkUp)
    else:
        assert isinstance(came, LinkDown)
        assert (came.cause, "AllowCSMSTLSWildcards" in came.detail) == ("certificate", True)
        assert security_event(came) == "InvalidCsmsCertificate"


def test_a_certificate_that_is_known_to_be_revoked(box: Box, tmp_path: Path) -> None:
    server = ROOT.issue("localhost")
    down = refused(demanding(tmp_path, server=server), box.files(revocation={tbs_fingerprint(server.certificate): "revoked"}))
    assert (down.cause, "revoked" in down.detail) == ("certificate", True)


@pytest.mark.req("S-29", "TC_A_06")
def test_a_server_that_speaks_too_old_a_version(box: Box, tmp_path: Path) -> None:
    context = server_context(ROOT.issue("localhost", rsa_key(2048)), tmp_path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    down = refused(context, box.files())
    assert (down.cause, "TLS version" in down.detail) == ("tls", True), down
    assert security_event(down) == "InvalidTLSVersion"


@pytest.mark.req("S-29")
@pytest.mark.parametrize("suites", ["ECDHE-RSA-AES128-SHA256", "DHE-RSA-AES256-GCM-SHA384", "ECDHE-RSA-CHACHA20-POLY1305", "AES128-SHA"])
def test_a_server_with_none_of_the_suites(box: Box, suites: str, tmp_path: Path) -> None:
    context = server_context(ROOT.issue("localhost", rsa_key(2048)), tmp_path, change=partial(at_most, ssl.TLSVersion.TLSv1_2))
    context.set_ciphers(f"{suites}:@SECLEVEL=0")
    down = refused(context, box.files())
    assert (down.cause, "cipher suite" in down.detail) == ("tls", True), down
    assert security_event(down) == "InvalidTLSCipherSuite"


@pytest.mark.parametrize("talk", [answers_in_http, hangs_up])
def test_a_port_without_tls(box: Box, talk: Stream) -> None:
    async def story() -> None:
        async with a_listener(talk) as url, a_port(box.files()) as (port, ears):
            port.carry_out(order(url.replace("ws:", "wss:"), security_profile=3))
            down = await ears.next(LinkDown)
            assert (down.cause, "ws:// port" in down.detail) == ("tls", True), down

    virtually(story())


@pytest.mark.req("F-8")
def test_a_port_that_never_shakes_hands(box: Box) -> None:
    async def story() -> None:
        async with a_listener(says_nothing) as url, a_port(box.files()) as (port, ears):
            port.carry_out(order(url.replace("ws:", "wss:"), security_profile=3))
            assert (await ears.next(LinkDown)).cause == "timeout"

    virtually(story())


@pytest.mark.req("S-29")
def test_a_port_that_talks_without_end(box: Box) -> None:
    async def floods(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(10)
        writer.write(bytes([22, 3, 3, 0x40, 0]) + bytes(100_000))
        await says_nothing(reader, writer)

    async def story() -> None:
        async with a_listener(floods) as url, a_port(box.files()) as (port, ears):
            port.carry_out(order(url.replace("ws:", "wss:"), security_profile=3))
            assert (await ears.next(LinkDown)).cause == "tls"

    virtually(story())


@BOTH
@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda: ROOT.issue("other.example"), "SSLV3_ALERT_BAD_CERTIFICATE"),
        (lambda: ROOT.issue("localhost", ends=NOW - DAY / 2), "SSLV3_ALERT_CERTIFICATE_EXPIRED"),
        (lambda: root("Another root").issue("localhost"), "TLSV1_ALERT_UNKNOWN_CA"),
        (lambda: ROOT.issue("localhost", usage=CLIENT), "SSLV3_ALERT_UNSUPPORTED_CERTIFICATE"),
    ],
    ids=["host", "expired", "wrong root", "for clients"],
)
def test_the_csms_is_told_by_an_alert(box: Box, make: Callable[[], Identity], reason: str, version: ssl.TLSVersion, tmp_path: Path) -> None:
    assert heard_by(demanding(tmp_path, version, make()), box.files()) == [reason]


def test_the_csms_is_told_that_its_certificate_is_known_to_be_revoked(box: Box, tmp_path: Path) -> None:
    server = ROOT.issue("localhost")
    files = box.files(revocation={tbs_fingerprint(server.certificate): "revoked"})
    assert heard_by(demanding(tmp_path, server=server), files) == ["SSLV3_ALERT_CERTIFICATE_REVOKED"]


@BOTH
def test_an_end_in_order_is_said(box: Box, version: ssl.TLSVersion, tmp_path: Path) -> None:
    assert heard_by(demanding(tmp_path, version), box.files()) == ["closed"]


def test_a_server_that_answers_in_too_old_a_version(box: Box) -> None:
    async def answers(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(2000)
        hello = b"\x03\x02" + bytes(32) + b"\0\x00\x2f\0"
        writer.write(b"\x16\x03\x02" + (len(hello) + 4).to_bytes(2, "big") + b"\2" + len(hello).to_bytes(3, "big") + hello)
        await says_nothing(reader, writer)

    async def story() -> None:
        async with a_listener(answers) as url, a_port(box.files()) as (port, ears):
            port.carry_out(order(url.replace("ws:", "wss:"), security_profile=3))
            down = await ears.next(LinkDown)
            assert (down.cause, "no TLS version in common" in down.detail) == ("tls", True), down
            assert security_event(down) == "InvalidTLSVersion"

    virtually(story())


def test_what_gnutls_alone_has_against_a_chain_is_the_csmss() -> None:
    found = second(1 << 10, Plan("client", (), (), (), (), host="csms.example"))
    assert found is not None
    assert found.words == "the CSMS's certificate has expired"


# ---- refused by the CSMS


@BOTH
@pytest.mark.parametrize("alerts", [True, False])
@pytest.mark.parametrize(
    ("by", "named"), [(root("Another root"), {}), (ROOT, {"ends": NOW - DAY / 2})], ids=["unknown issuer", "expired"]
)  # fmt: skip
def test_our_certificate_is_refused(
    softhsm: Token, by: Identity, named: dict[str, Any], alerts: bool, version: ssl.TLSVersion, tmp_path: Path
) -> None:
    box = Box(tmp_path / "box", softhsm)
    slot = box.adopt(by=by, **named)
    down = refused(demanding(tmp_path, version), box.files(), alerts=alerts)
    if alerts or version is ssl.TLSVersion.TLSv1_3:
        assert (down.cause, "our client certificate" in down.detail) == ("tls", True), down
        assert security_event(down) == "FailedToAuthenticateAtCsms"
    else:
        assert (down.cause, down.detail) == ("tls", "the CSMS broke off the TLS handshake (is it a ws:// port?)")
    box.store.delete_own(slot)
