"""`python -m bench.perf.pnc`: what Plug & Charge costs a charger at the start of a session of ISO 15118-20 or -2, and the floor that OpenSSL sets; certificates beside it."""

from __future__ import annotations

import datetime as dt
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from bench.perf.table import Row
from bench.perf.v2g_share import setup_ms, shares_ms
from bench.v2g.pki import NOW, World
from certs import testpki
from certs.chain import validate
from certs.profiles import PROFILES
from chargepoint.tick import Tick
from iso15118 import exi
from iso15118.evcc.iso2 import contracts
from iso15118.evcc.iso2.spelling import SPELLING as CAR
from iso15118.evcc.terms import Wants
from iso15118.evcc.v2gmsg.talk import Talk
from iso15118.secc.iso2.dialect import Iso2
from iso15118.secc.iso2.table import S
from iso15118.terms import Energy, Facts, Offered, Payment
from iso15118.v2gtp import SAP_DIN_ISO2

TIMES = 15
VERIFIED, SIGNED, AGREED = 8, 1, 1
"""P-521 by one charger: of the handshake a vehicle's three certificates and its CertificateVerify, of the contract three certificates and AuthorizationReq; its own
CertificateVerify; and the agreed key, with a key pair made for it.
"""

OLDER_VERIFIED = 4
"""P-256 of -2: three certificates and AuthorizationReq."""
SESSION = b"12345678"


def measure() -> Iterator[Row]:
    """Rows as they are measured."""
    with tempfile.TemporaryDirectory() as folder:
        now = dt.datetime.now(dt.UTC)
        pki = Path(folder)
        began = time.perf_counter()
        testpki.write(pki, seed=b"perf", now=now)
        yield Row("a test PKI, complete", f"{time.perf_counter() - began:.2f} s", "at most 3 s")
        yield _chain(now)
        yield _older()
        plain = median(setup_ms(shares_ms(None, 3)) for _ in range(TIMES))
        secured = median(setup_ms(shares_ms(pki, 3)) for _ in range(TIMES))
        contracts = median(setup_ms(shares_ms(pki, 3, auth="pnc")) for _ in range(TIMES))
    floor = _floor_ms()
    yield Row(
        "Plug & Charge adds to the charger's CPU at a -20 session's start: TLS 1.3 with both P-521 chains, contract, signature",
        f"{contracts - plain:.1f} ms ({secured - plain:.1f} ms of it TLS)",
        "at most 60 ms",
        f"OpenSSL's part {floor:.1f} ms",
        f"{(contracts - plain) / floor:.1f} x the floor",
    )


def _chain(now: dt.datetime) -> Row:
    """Chains that nobody has seen before, since a CA that was judged is remembered."""
    took: list[float] = []
    for number in range(TIMES):
        made = testpki.build("p521", seed=b"perf %d" % number, now=now)
        chain, root = made["contractLeaf"].chain, made["moRoot"].certificate
        began = time.perf_counter()
        verdict = validate(chain, now, PROFILES["contract20"], [root])
        took.append(1000 * (time.perf_counter() - began))
        if not verdict.ok:
            raise RuntimeError(verdict.why)
    return Row("a contract's chain of -20 judged, P-521, never seen before", f"{median(took):.2f} ms", "at most 3 ms")


def _older() -> Row:
    """ISO 15118-2, from octets to octets, with chains that nobody has seen before; its TLS 1.2 has no certificate of the vehicle's."""
    took: list[float] = []
    for number in range(TIMES):
        world = World.of("p256", b"perf %d" % number)
        facts = Facts(energies=(Offered(Energy.DC),), payments=(Payment.PNC,), trust=world.trust())
        charger = Iso2.begun(bytes(8), b"c" * 16, facts, secure=True)
        charger.talk.session_id, charger.talk.by_contract, charger.state = SESSION, True, S.CONTRACT
        wants = Wants(payment=Payment.PNC, contracts=(world.contract(),))
        car = Talk(wants, (Energy.DC,), CAR, payment=Payment.PNC, contracts=list(wants.contracts), challenge=b"c" * 16)
        now = Tick(1.0, NOW.timestamp())
        shown = exi.encode(CAR.document(SESSION, contracts.payment_details(car, now)), CAR.namespace)
        request = contracts.authorization(car)
        signed = exi.encode(CAR.document(SESSION, request, car.signature), CAR.namespace)
        began = time.process_time()
        for octets in (shown, signed):
            answer = charger.answer(now, charger.request(now, SAP_DIN_ISO2, octets), late=False)
            if answer.failed or answer.document is None:
                raise RuntimeError(answer.failed)
            exi.encode(answer.document, CAR.namespace)
        took.append(1000 * (time.process_time() - began))
    key, hashed = ec.generate_private_key(ec.SECP256R1()), ec.ECDSA(hashes.SHA256())
    signature, public = key.sign(b"x", hashed), key.public_key()
    floor = OLDER_VERIFIED * _ms(lambda: public.verify(signature, b"x", hashed))
    ours = median(took)
    return Row(
        "Plug & Charge adds to the charger's CPU at a -2 session's start: PaymentDetails and Authorization, P-256, a chain never seen before",
        f"{ours:.2f} ms",
        "at most 5 ms",
        f"OpenSSL's part {floor:.2f} ms",
        f"{ours / floor:.1f} x the floor",
    )


def _floor_ms() -> float:
    key, other, hashed = ec.generate_private_key(ec.SECP521R1()), ec.generate_private_key(ec.SECP521R1()), ec.ECDSA(hashes.SHA512())
    signature = key.sign(b"x", hashed)
    public = key.public_key()
    verified = _ms(lambda: public.verify(signature, b"x", hashed))
    signed = _ms(lambda: key.sign(b"x", hashed))
    agreed = _ms(lambda: ec.generate_private_key(ec.SECP521R1()).exchange(ec.ECDH(), other.public_key()))
    return VERIFIED * verified + SIGNED * signed + AGREED * agreed


def _ms(work: Callable[[], object]) -> float:
    took: list[float] = []
    for _ in range(50):
        began = time.perf_counter()
        work()
        took.append(1000 * (time.perf_counter() - began))
    return median(took)


if __name__ == "__main__":
    for row in measure():
        print(f"{row.what}: {row.ours} | {row.peer} | {row.ratio} | {row.reach}", flush=True)
    sys.exit(0)
