"""S-29, what the chains of `certs.broken` and the tests beside this one leave: old and stripped offers, downgrades, resumption, staples of what was revoked,
records that have no business here, and keys in no text.
"""

from __future__ import annotations

import base64
import datetime as dt
from collections.abc import Callable
from ctypes import byref
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp

from certs import testpki
from certs.pki_files import Chain
from certs.reading import tbs_fingerprint
from certs.store import Identity
from chargepoint.runtime.ports.certificates import Held
from chargepoint.runtime.tls import TlsFiles, TlsSetupError, client_context
from chargepoint.runtime.v2g_tls import Engine, Plan, Server, TlsFailed, TlsMissing, chains_of, client_plan, gnutls, openssl, select
from chargepoint.runtime.v2g_tls.gnutls import Datum
from chargepoint.runtime.v2g_tls.hello import peek
from chargepoint.runtime.v2g_tls.openssl import OpensslEngine
from chargepoint.runtime.v2g_tls.verify import refusal
from tests.unit.runtime.v2g_tls_rig import NOW, connected, extension, hello, numbers, pki, records, refused, shake, vector

ISO_2, ISO_20 = client_plan("1.2", pki().iso2, pki().iso20), client_plan("1.3", pki().iso2, pki().iso20)
ANY = client_plan("any", pki().iso2, pki().iso20)
STATION = chains_of(pki())
MADE = testpki.build("p521", seed=b"rig", now=NOW)
P256, ECDSA_P256 = (0x17,), (0x0403,)
SCSV, C023 = 0x5600, 0xC023


def with_openssl() -> None:
    try:
        openssl.modules()
    except TlsMissing as error:
        pytest.skip(str(error))


def of_1_2(*ciphers: int, **named: Any) -> bytes:
    return hello(0x0303, ciphers, groups=P256, signatures=ECDSA_P256, **named)


OFFERS: dict[str, tuple[bytes, int, str]] = {
    "SSL 3.0": (hello(0x0300, [C023]), 70, "SSL 3.0"),
    "TLS 1.0": (hello(0x0301, [C023]), 70, "TLS 1.0"),
    "TLS 1.1": (hello(0x0302, [C023]), 70, "TLS 1.1"),
    "1.1 by the list of versions": (hello(0x0303, [C023], versions=[0x0302]), 70, "TLS 1.1"),
    "a version that is not there yet": (hello(0x0303, [C023], versions=[0x0305]), 70, "0x0305"),
    "falls back (SCSV)": (of_1_2(C023, SCSV), 86, "falls back"),
    "no encryption": (of_1_2(0xC006), 40, "no cipher suite"),
    "RC4": (of_1_2(0xC007), 40, "no cipher suite"),
    "3DES": (of_1_2(0xC008), 40, "no cipher suite"),
    "nobody signs (anonymous)": (of_1_2(0xC018), 40, "no cipher suite"),
    "no forward secrecy": (of_1_2(0xC025, 0xC004), 40, "no cipher suite"),
    "export": (of_1_2(0x0008), 40, "no cipher suite"),
    "SHA-1": (hello(0x0303, [C023], groups=P256, signatures=[0x0203]), 40, "no certificate"),
    "a group of 160 bits": (hello(0x0303, [C023], groups=[0x10], signatures=ECDSA_P256), 40, "no group"),
    "1.3 with P-256 only": (hello(0x0303, [0x1302], versions=[0x0304], groups=P256, signatures=[0x0603]), 40, "TLS 1.3: no group"),
    "1.3 with AES-128 only": (hello(0x0303, [0x1301], versions=[0x0304], groups=[0x19], signatures=[0x0603]), 40, "TLS 1.3: no cipher suite"),
    "1.3 with the signature of -2": (hello(0x0303, [0x1302], versions=[0x0304], groups=[0x19], signatures=ECDSA_P256), 40, "TLS 1.3: no certificate"),
}  # fmt: skip


@pytest.mark.req("S-29")
@pytest.mark.parametrize("what", OFFERS)
def test_an_offer_that_is_refused(what: str) -> None:
    octets, alert, words = OFFERS[what]
    server = Server(STATION)
    with pytest.raises(TlsFailed) as caught:
        server.feed(records(octets))
    assert (caught.value.alert, words in str(caught.value)) == (alert, True), caught.value
    assert server.take() == bytes((21, 3, 3, 0, 2, 2, alert))
    with pytest.raises(TlsFailed, match="over"):
        server.feed(records(of_1_2(C023)))


@pytest.mark.req("S-29")
@pytest.mark.parametrize("octets", [b"\x80\x2e\x01\x03\x01" + bytes(44), b"GET / HTTP/1.1\r\n\r\n", b"\x18\x03\x02\x00\x03\x01\x40\x00"], ids=["SSL 2.0", "HTTP", "heartbeat"])  # fmt: skip
def test_what_is_no_hello_at_all(octets: bytes) -> None:
    server = Server(STATION)
    with pytest.raises(TlsFailed):
        server.feed(octets)
    assert server.take() == b"\x15\x03\x03\0\2\2\x32"


@pytest.mark.req("S-29")
def test_no_compression() -> None:
    """A vehicle that offers nothing else is refused."""
    octets = of_1_2(C023)[4:]
    at = octets.index(numbers([C023])) + 2
    octets = octets[:at] + vector(1, b"\x01") + octets[at + 2 :]
    server = Server(STATION)
    server.feed(records(b"\x01" + vector(3, octets)))
    with pytest.raises(TlsFailed):
        server.step()
    assert server.take()[:1] == b"\x15"


@pytest.mark.req("S-29")
def test_somebody_between_takes_1_3_away() -> None:
    """The vehicle offers both: without its list of versions the station goes on with 1.2, and the vehicle does not."""

    def stripped(octets: bytes) -> bytes:
        return octets.replace(extension(43, vector(1, numbers([0x0304, 0x0303]))), extension(0xFE00, vector(1, numbers([0x0304, 0x0303]))))

    server, client = Server(STATION), Engine(ANY)
    with pytest.raises(TlsFailed):
        shake(server, client, change=stripped)
    assert not client.handshake_done
    assert not server.handshake_done
    found = peek(records(hello(0x0303, [0x1302, C023], versions=[0x0304, 0x0303], groups=[0x19, 0x17], signatures=[0x0603, 0x0403])))
    assert found is not None
    assert select(found, STATION).versions == (0x0304,), "with it there is no 1.2"


class GivesTickets(Engine):
    """A station as ours is not."""

    key = Datum()

    def _open(self) -> None:
        super()._open()
        if not self.key.octets:
            self._lib.gnutls_session_ticket_key_generate(byref(self.key))
        self._lib.gnutls_session_ticket_enable_server(self._session, byref(self.key))


@pytest.mark.req("S-29")
@pytest.mark.parametrize("plan", [ISO_2, ISO_20], ids=["1.2", "1.3"])
@pytest.mark.parametrize("station", [Engine, GivesTickets], ids=["ours", "one that would"])
def test_nobody_resumes(plan: Plan, station: type[Engine], monkeypatch: pytest.MonkeyPatch) -> None:
    """Each session shows its certificates anew: a vehicle whose certificate was revoked meanwhile does not come in on an old one."""
    with_openssl()
    monkeypatch.setattr(openssl.modules().SSL, "OP_NO_TICKET", 0)  # this vehicle would
    monkeypatch.setattr(gnutls, "NO_TICKETS", 0 if station is GivesTickets else gnutls.NO_TICKETS)
    contexts: list[Any] = []
    cars: list[Car] = []

    class Car(OpensslEngine):
        """Each on the same context, as OpenSSL wants it of sessions that are resumed."""

        def _context(self) -> Any:
            contexts.append(super()._context())
            return contexts[0]

    def session(before: Any) -> tuple[Any, bool, int]:
        server, client = Server(STATION, make=station), Car(plan)
        cars.append(client)  # OpenSSL forgets the session of one that ends without a word
        if before is not None:
            client._connection.set_session(before)
        client.step()
        for _ in range(6):
            server.feed(client.take())
            server.step()
            client.feed(server.take())
            client.step()
        assert client.handshake_done
        server.write(b"x")
        client.feed(server.take())
        assert client.read() == b"x"
        lib = openssl.modules().util.lib
        return client._connection.get_session(), bool(lib.SSL_session_reused(client._connection._ssl)), len(server.peer_chain)

    first, reused, shown = session(None)
    assert (reused, shown) == (False, 3 if plan is ISO_20 else 0)
    _, reused, shown = session(first)
    if station is GivesTickets:
        assert reused
    else:
        assert (reused, shown) == (False, 3 if plan is ISO_20 else 0)


@pytest.mark.req("S-29")
@pytest.mark.parametrize("plan", [ISO_2, ISO_20], ids=["1.2", "1.3"])
def test_a_heartbeat_that_asks_for_more_than_it_brings(plan: Plan) -> None:
    server, _ = connected(plan, STATION)
    server.feed(b"\x18\x03\x03\x00\x03\x01\x40\x00")
    with pytest.raises(TlsFailed):
        server.read()
    assert len(server.take()) < 100


@pytest.mark.req("S-29")
@pytest.mark.parametrize("plan", [ISO_2, ISO_20], ids=["1.2", "1.3"])
def test_data_before_the_handshake_is_done(plan: Plan) -> None:
    server, client = Server(STATION), Engine(plan)
    client.step()
    server.feed(client.take())
    server.step()
    server.take()
    server.feed(b"\x17\x03\x03\x00\x20" + bytes(32))
    with pytest.raises(TlsFailed):
        server.step()
    assert not server.handshake_done
    assert server.take()[:1] == (b"\x17" if plan is ISO_20 else b"\x15"), "its alert, which 1.3 hides"


# ---------------------------------------------------------------------------------------------------------------- staples


def staple(name: str, issuer: str, status: ocsp.OCSPCertStatus, *, signer: str = "", since: dt.datetime = NOW) -> bytes:
    revoked = status is ocsp.OCSPCertStatus.REVOKED
    reason = x509.ReasonFlags.key_compromise if revoked else None
    of, by, who = MADE[name].certificate, MADE[issuer].certificate, MADE[signer or issuer]
    builder = ocsp.OCSPResponseBuilder().add_response(
        of, by, hashes.SHA256(), status, since, since + dt.timedelta(days=1), since if revoked else None, reason
    )
    signed = builder.responder_id(ocsp.OCSPResponderEncoding.HASH, who.certificate).sign(who.key, hashes.SHA512())
    return signed.public_bytes(Encoding.DER)


def station_with(*responses: bytes) -> Any:
    blocks = b"".join(
        b"-----BEGIN OCSP RESPONSE-----\n" + base64.encodebytes(each) + b"-----END OCSP RESPONSE-----\n" for each in responses
    )
    return replace(STATION, iso20=(replace(STATION.iso20[0], staples=blocks),))


GOOD, REVOKED = ocsp.OCSPCertStatus.GOOD, ocsp.OCSPCertStatus.REVOKED
OF_LEAF, OF_SUB = ("seccLeaf", "cpoSub2"), ("cpoSub2", "cpoSub1")


@pytest.mark.req("S-29")
@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: (staple(*OF_LEAF, GOOD), staple(*OF_SUB, GOOD)), ""),
        (lambda: (staple(*OF_LEAF, REVOKED),), "leaf: it has been revoked"),
        (lambda: (staple(*OF_LEAF, GOOD), staple(*OF_SUB, REVOKED)), "sub-CA 1: it has been revoked"),
        (lambda: (staple(*OF_LEAF, REVOKED, signer="moSub2"),), ""),
        (lambda: (b"rubbish",), ""),
    ],
    ids=["good", "leaf revoked", "sub-CA revoked", "revoked by somebody else", "rubbish"],
)
def test_a_vehicle_believes_staples_of_its_pki(make: Callable[[], tuple[bytes, ...]], words: str) -> None:
    chain = tuple(each.public_bytes(Encoding.DER) for each in MADE["seccLeaf"].chain)
    found = refusal(chain, ISO_20, "1.3", make())
    assert (found.alert if found else 0) == (44 if words else 0)
    assert words in (found.words if found else "")
    unset = replace(ISO_20, clock=lambda: None)
    assert refusal(chain, unset, "1.3", make()) is None, "while nobody has set the clock nobody knows which of them hold"


@pytest.mark.req("S-29")
def test_a_station_that_staples_its_own_revocation() -> None:
    """GnuTLS does not send one, OpenSSL does."""
    with_openssl()
    ours, theirs = refused(Server(station_with(staple(*OF_LEAF, REVOKED)), make=OpensslEngine), Engine(ISO_20))
    assert ours.alert == theirs.received == 44
    assert "leaf: it has been revoked" in str(ours)
    server = Server(station_with(staple(*OF_LEAF, REVOKED)))
    client = Engine(ISO_20)
    shake(server, client)
    assert client.staples == ()


@pytest.mark.req("S-29")
def test_a_good_staple_takes_no_revocation_back() -> None:
    leaf = MADE["seccLeaf"].certificate
    plan = replace(ISO_20, revocation=lambda: {tbs_fingerprint(leaf): "revoked"})
    ours, _ = refused(Server(station_with(staple(*OF_LEAF, GOOD))), Engine(plan))
    assert "leaf: it has been revoked" in str(ours)


# ------------------------------------------------------------------------------------------------------------ keys in texts


def test_no_key_stands_in_a_text(tmp_path: Path) -> None:
    chain, other = pki().iso20.secc, pki().iso20.vehicle
    assert chain is not None
    assert other is not None
    said = [repr(each) for each in (chain, STATION, ISO_20, pki(), Identity("slot", "p521", chain.certificates, chain.key))]
    said.append(repr(Held(identities=(Identity("slot", "p521", chain.certificates, chain.key),))))
    said.append(repr(TlsFiles(chain=chain.certificates, key=chain.key)))
    for make in (
        lambda: Engine(replace(ISO_20, chain=Chain(chain.certificates, other.key, "p521"))),
        lambda: Engine(replace(ISO_20, chain=Chain(chain.certificates, chain.key[:-40], "p521"))),
        lambda: client_context(TlsFiles(roots=pki().iso2.v2g_roots[0].pem.decode(), chain=chain.certificates, key=other.key), 3),
        lambda: client_context(TlsFiles(roots=pki().iso2.v2g_roots[0].pem.decode(), chain=chain.certificates, key=chain.key[:-40]), 3),
    ):
        with pytest.raises((TlsFailed, TlsSetupError)) as caught:
            make()
        said += [str(caught.value), repr(caught.value), repr(caught.value.__cause__), repr(caught.value.__context__)]
    lines = {line for key in (chain.key, other.key) for line in key.decode().splitlines()[1:-1] if len(line) > 16}
    assert len(lines) > 4
    for text in said:
        assert "PRIVATE" not in text
        assert not any(line in text for line in lines)
