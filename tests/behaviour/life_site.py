"""A station that begins as the factory left it, with its store of certificates and TLS to its CSMS, all on virtual time, and links that drop at random."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

from cryptography import x509

from bench.csms.pki import EMAID
from bench.csms.signing import Signer
from bench.ev.talking import TalkingEv
from bench.heap import Heap
from bench.v2g.model import Vehicle
from bench.v2g.pki import NOW, World
from certs import testpki
from certs.chain import fingerprint, load, validate
from certs.profiles import PROFILES
from certs.store.configured import Configured, OwnFiles
from certs.store.files import FileStore
from certs.testpki_make import Identity, Spec, issue, key_of
from chargepoint.commands import OpenLink
from chargepoint.config import CsmsConfig
from chargepoint.events import LinkDown, LinkUp
from tests.behaviour.pnc_site import PncSite
from tests.behaviour.tls_site import write
from tests.unit.certs.store_rig import QuickDisk

SEED = b"a whole life"
VARIABLES = {
    "SecurityCtrlr.OrganizationName": "Operator", "SecurityCtrlr.AdditionalRootCertificateCheck": "true", "SecurityCtrlr.CertSigningWaitMinimum": "5",
    "SecurityCtrlr.CertSigningRepeatTimes": "16", "OCPPCommCtrlr.RetryBackOffWaitMinimum": "1", "OCPPCommCtrlr.RetryBackOffRepeatTimes": "2",
    "OCPPCommCtrlr.RetryBackOffRandomRange": "1",
}  # fmt: skip
BETWEEN_S, MOST_AWAY_S = 25.0, 12.0
"""Between two drops in the mean, and how long the CSMS cannot be reached at most."""
LOST = 0.05
"""So many questions lose their answer with the link."""
TRIES = 12


@cache
def pki() -> dict[str, Identity]:
    """The CSMS's."""
    return testpki.build("p256", seed=SEED, now=NOW)


@cache
def next_root() -> Identity:
    """Signed by the present one (M05.FR.10)."""
    old, begins = pki()["csmsRoot"], NOW - dt.timedelta(hours=1)
    spec = Spec("Next CSMS root", old.certificate.subject, 99, begins, NOW + dt.timedelta(days=900), "next", ca=True, usages=testpki.OF_CA)
    key = key_of("p256", SEED, "next root")
    certificate = issue(spec, key, old.key)
    return Identity(certificate, key, (certificate,))


class Later(World):
    """The same operators, `days` on: a contract of theirs is another certificate than before."""

    days = 60

    def issued(self, emaid: str, change: Callable[[Spec], Spec] = lambda spec: spec) -> Identity:
        more = dt.timedelta(days=self.days)
        return super().issued(
            emaid, lambda spec: change(replace(spec, serial=spec.serial ^ 2, begins=spec.begins + more, ends=spec.ends + more))
        )


class TlsHeap(Heap):
    """What TLS makes of certificates, without octets: the CSMS's root has to be trusted, and the station's chain is judged."""

    def __init__(self, *given: Any, **more: Any) -> None:
        super().__init__(*given, **more)
        self.root = fingerprint(pki()["csmsRoot"].certificate)
        """The one that the CSMS's chain ends at."""
        self.shown = 0
        """Serial number of the client certificate of the last connection."""

    def _connected(self, command: OpenLink) -> None:
        if command.attempt != self._attempt:
            return
        held = self._keeper.held
        trusted = {each.fingerprint for each in held.contents.roots if each.use == "CSMSRootCertificate"} - {*command.distrusted}
        chain = next((load(each.pem.encode()) for each in held.contents.own if each.slot == command.own_slot and each.pem), ())
        now = dt.datetime.fromtimestamp(self.now + self.utc_offset, dt.UTC)
        if not self.reachable or self.csms is None:
            self.tell(LinkDown(command.attempt, "unreachable"))
        elif self.root not in trusted:
            self.tell(LinkDown(command.attempt, "certificate"))
        elif not (verdict := validate(chain, now, PROFILES["station"], [pki()["csmsRoot"].certificate])).ok:
            self.tell(LinkDown(command.attempt, "tls", verdict.why))
        else:
            self._linked, self.shown = True, chain[0].serial_number
            self.tell(LinkUp(command.attempt, "ocpp2.1", root=self.root))


class LifeSite(PncSite):
    """The vehicle has what its maker gave it; the station has its client certificate and its CSMS's root."""

    heap: TlsHeap

    def __init__(self, seed: int, folder: Path, **more: Any) -> None:
        self.dice, self.signer = random.Random(seed), Signer(lambda _: pki(), self.utc)
        self._calls, self._drops, self.transactions = count(1), False, set[str]()
        chain, key = write(pki()["stationLeaf"], folder, "station")
        (root := folder / "root.pem").write_bytes(pki()["csmsRoot"].certificate_pem)
        given = Configured((("CSMSRootCertificate", root),), (OwnFiles("ChargingStationCertificate", Path(chain), Path(key)),))
        csms = CsmsConfig(
            "wss://localhost/ocpp", identity="CP-0001", security_profile=3, basic_auth_password=more.pop("basic_auth_password", "")
        )
        super().__init__(
            roots=(),
            variables={**VARIABLES, **more.pop("variables", {})},
            csms=csms,
            heap=TlsHeap,
            certificates=lambda: FileStore(folder / "store", given, disk=QuickDisk()),
            **more,
        )
        self.heap.looks.append(self._look)

    def install(self, *roots: str) -> None:
        """What the store says counts."""

    def utc(self) -> dt.datetime:
        return dt.datetime.fromtimestamp(self.heap.now + self.heap.utc_offset, dt.UTC)

    def _look(self) -> None:
        if self.heap.station is not None and self.facts.transaction_id:
            self.transactions.add(self.facts.transaction_id)

    # ---- the CSMS

    def _csms(self, message_id: str, action: str, payload: Any) -> Any:
        answer = self._answered(message_id, action, payload)
        if self._drops and self.dice.random() < LOST:
            self.heap.later(0.0, self.drop)
            return None
        return answer

    def _answered(self, message_id: str, action: str, payload: Any) -> Any:
        if action == "SignCertificate":
            self.heap.later(0.5, lambda: self._signed(payload))
            return self.signer.answer(payload)
        return super()._csms(message_id, action, payload)

    def _signed(self, request: Any) -> None:
        if (payload := self.signer.follow_up(request)) is not None:
            self.heap.receive([2, f"signed-{next(self._calls)}", "CertificateSigned", payload])

    def order(self, action: str, payload: Any) -> dict[str, Any]:
        """It is said again until there is an answer."""
        asked: list[str] = []
        for _ in range(20 * TRIES):
            asked.append(f"o{next(self._calls)}")
            self.heap.receive([2, asked[-1], action, payload])
            self.run(1.0)
            if answers := [frame[2] for frame in self.heap.frames if frame[0] == 3 and frame[1] in asked]:
                return answers[-1]  # type: ignore[no-any-return] # of a JSON frame
        raise AssertionError(f"no answer to {action}")

    def trust(self, use: str, root: Identity) -> None:
        """InstallCertificate, accepted."""
        answer = self.order("InstallCertificate", {"certificateType": use, "certificate": root.certificate_pem.decode()})
        assert answer["status"] == "Accepted", answer

    def csms_roots(self) -> list[str]:
        """Fingerprints of what the station trusts."""
        assert self.heap.station is not None
        return [each.fingerprint for each in self.heap.station.wiring.context.certificates.trusted("CSMSRootCertificate")]

    # ---- the line

    def wild(self) -> None:
        """From now on it drops at random, in this life of the station."""
        self._drops = True
        self.heap.later(self.dice.expovariate(1 / BETWEEN_S), self._dropping)

    def peace(self) -> None:
        """Everything that waits can go out."""
        self._drops, self.heap.reachable = False, True
        self.run(900.0)

    def _dropping(self) -> None:
        if self._drops:
            self.drop()
            self.heap.later(self.dice.expovariate(1 / BETWEEN_S), self._dropping)

    def drop(self) -> None:
        self.heap.reachable = False
        self.heap.lose_link(self.dice.choice(("closed", "pong")))
        self.heap.later(self.dice.uniform(0.1, MOST_AWAY_S), self._back)

    def _back(self) -> None:
        self.heap.reachable = True

    # ---- the vehicle

    def tries(self, vehicle: Vehicle, done: Callable[[TalkingEv], bool], most_s: float = 30.0) -> TalkingEv:
        """The driver plugs in, and once more where the line was down at the wrong moment."""
        for _ in range(TRIES):
            vehicle.wants.wish = None
            self.roaming.forget()
            ev, until = self.plug(vehicle, utc_s=self.heap.utc_offset), self.heap.now + most_s
            while self.heap.now < until:
                self.run(0.5)
                if done(ev):
                    return ev
            self.leaves()
        raise AssertionError(f"not in {TRIES} times: {self.said()[-6:]}, {self.codes()}, {self.shown()}")

    def by_contract(self, vehicle: Vehicle) -> TalkingEv:
        """Nothing but the plug, until energy flows."""
        ev = self.tries(vehicle, lambda _: self.charges())
        token = self.facts.id_token
        assert token is not None
        assert (token.id_token, token.type) == (EMAID, "eMAID")
        return ev

    def leaves(self) -> None:
        self.unplug()
        self.run(10.0)

    def winter(self, days: float) -> None:
        """Nobody comes, and somebody has switched it off."""
        self.heap.cut()
        self.heap.utc_offset += days * 86_400.0
        self.heap.start()
        self.wild()
        self.run(10.0)

    # ---- what the CSMS knows

    def book(self) -> dict[str, list[dict[str, Any]]]:
        """TransactionEvents by transaction. What came twice was the same, as its answer may be lost, but that it has waited offline since (E11.FR.07)."""
        found: dict[str, dict[int, dict[str, Any]]] = {}
        for each in self.told():
            known = found.setdefault(each["transactionInfo"]["transactionId"], {})
            before = known.setdefault(each["seqNo"], each)
            assert before | {"offline": each["offline"]} == each
            assert each["offline"] or not before["offline"]
        return {name: [events[number] for number in sorted(events)] for name, events in found.items()}


def certificate_of(vehicle: Vehicle) -> x509.Certificate:
    """Of the contract that it shows."""
    return x509.load_der_x509_certificate(vehicle.wants.contracts[0].chain[0])
