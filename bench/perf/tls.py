"""`python -m bench.perf.tls`: a station's side of mutual TLS 1.3 with P-521, and of a vehicle's chain, beside what OpenSSL alone takes for the same."""

from __future__ import annotations

import datetime as dt
import ssl
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import Protocol

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from bench.perf.table import Row
from certs import pki_files, testpki
from certs.chain import validate
from certs.profiles import PROFILES
from chargepoint.runtime.v2g_tls import Engine, Server, TlsMissing, chains_of, client_plan
from chargepoint.runtime.v2g_tls.openssl import modules

TIMES = 100
CHAINS = 15


class Side(Protocol):
    """Octets in, octets out."""

    def meet(self, octets: bytes) -> bytes: ...
    def done(self) -> bool: ...


class Ours:
    """The station's, with all that it judges."""

    def __init__(self, pki: pki_files.Pki) -> None:
        self._server = Server(chains_of(pki))

    def meet(self, octets: bytes) -> bytes:
        self._server.feed(octets)
        self._server.step()
        return self._server.take()

    def done(self) -> bool:
        return self._server.verified


class Bare:
    """OpenSSL as Python has it: the chain's signatures, dates and lengths, and no more."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._in, self._out, server_side=True)
        self._done = False

    def meet(self, octets: bytes) -> bytes:
        self._in.write(octets)
        try:
            self._tls.do_handshake()
            self._done = True
        except ssl.SSLWantReadError:
            pass
        return self._out.read()

    def done(self) -> bool:
        return self._done


def measure() -> Iterator[Row]:
    """Rows as they are measured."""
    now = dt.datetime.now(dt.UTC)
    with tempfile.TemporaryDirectory() as folder:
        testpki.write(Path(folder), seed=b"perf", now=now)
        pki, context = pki_files.read(Path(folder)), _context(Path(folder) / "iso20")
    ours, bare = [], []
    for number in range(TIMES + 5):
        # One after the other, so that a busy moment is both's; the first ones read keys.
        one, other = _handshake_ms(pki, Ours(pki)), _handshake_ms(pki, Bare(context))
        if number >= 5:
            ours.append(one)
            bare.append(other)
    yield Row(
        "mutual TLS 1.3 handshake with both P-521 chains, the CPU of the station's side, certificates judged",
        f"{median(ours):.2f} ms",
        "at most 10 ms",
        f"OpenSSL {ssl.OPENSSL_VERSION.split()[1]}, bare: {median(bare):.2f} ms",
        f"{median(ours) / median(bare):.1f} x the floor",
    )
    yield from _chains(now)


def _context(folder: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.set_ecdh_curve("secp521r1")
    context.num_tickets = 0
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_cert_chain(folder / "cpoCertChain.pem", folder / "seccLeaf.key")
    context.load_verify_locations(folder / "oemRootCACert.pem")
    return context


def _handshake_ms(pki: pki_files.Pki, station: Side) -> float:
    """CPU that the station takes; the vehicle is the same one for both, and is not counted."""
    car, took = Engine(client_plan("1.3", pki.iso2, pki.iso20)), 0.0
    car.step()
    while octets := car.take():
        began = time.process_time()
        answer = station.meet(octets)
        took += time.process_time() - began
        car.feed(answer)
        car.step()
    if not (car.handshake_done and station.done()):
        raise RuntimeError("no handshake")
    return 1000 * took


def _chains(now: dt.datetime) -> Iterator[Row]:
    """Chains that nobody has seen before, from DER."""
    try:
        crypto = modules().crypto
    except TlsMissing:
        return
    ours, theirs = [], []
    for number in range(CHAINS):
        made = testpki.build("p521", seed=b"tls %d" % number, now=now)
        chain = [each.public_bytes(Encoding.DER) for each in made["vehicleLeaf"].chain]
        root = made["oemRoot"].certificate.public_bytes(Encoding.DER)

        def judged(chain: list[bytes] = chain, root: bytes = root) -> None:
            verdict = validate(chain, now, PROFILES["vehicle20"], [x509.load_der_x509_certificate(root)])
            if not verdict.ok:
                raise RuntimeError(verdict.why)

        def verified(chain: list[bytes] = chain, root: bytes = root) -> None:
            leaf, *subs, top = (crypto.load_certificate(crypto.FILETYPE_ASN1, each) for each in (*chain, root))
            store = crypto.X509Store()
            store.add_cert(top)
            crypto.X509StoreContext(store, leaf, subs).verify_certificate()

        ours.append(_ms(judged))
        theirs.append(_ms(verified))
    yield Row(
        "a vehicle's chain judged by its profile, P-521, never seen before",
        f"{median(ours):.2f} ms",
        "at most 3 ms",
        f"OpenSSL, signatures and dates only: {median(theirs):.2f} ms",
        f"{median(ours) / median(theirs):.1f} x the floor",
    )


def _ms(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return 1000 * (time.process_time() - began)


if __name__ == "__main__":
    for row in measure():
        print(f"{row.what}: {row.ours} | {row.peer} | {row.ratio} | {row.reach}", flush=True)
    sys.exit(0)
