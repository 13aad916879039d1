"""Blocks about certificates with a store in a folder behind them; the test is the CSMS. Parties are of the test PKI."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from certs import hash_data, testpki
from certs.store import OwnUse, RootUse, Subject
from certs.store.files import FileStore
from certs.testpki_make import Identity, Key, Kind, Spec, issue
from chargepoint.certificates import CertificatesMachine
from chargepoint.commands import Command
from chargepoint.config import StationConfig
from chargepoint.events import RegistrationChanged
from chargepoint.ocpp.block import Block
from chargepoint.runtime.ports.certificates import CertificatesPort, Keeper
from chargepoint.tick import Tick
from tests.unit.certs.store_rig import QuickDisk
from tests.unit.ocpp.block_rig import CONFIG, NOW_UTC, BlockRig

NOW = dt.datetime.fromtimestamp(NOW_UTC, dt.UTC)
SECURE = replace(CONFIG, csms=replace(CONFIG.csms, url="wss://csms.example/", security_profile=2))
ROOTS: Mapping[str, RootUse] = {
    "csmsRoot": "CSMSRootCertificate", "v2gRoot": "V2GRootCertificate", "moRoot": "MORootCertificate", "oemRoot": "OEMRootCertificate",
}  # fmt: skip


@cache
def pki(kind: Kind = "p256", seed: bytes = b"e1", **wrong: Any) -> dict[str, Identity]:
    return testpki.build(kind, seed=seed, now=NOW, **wrong)


def next_root(old: Identity, key: Key, begins: dt.datetime, name: str = "Next CSMS root") -> Identity:
    """A root for the CSMS that the present one has signed (M05.FR.10)."""
    spec = Spec(
        name, old.certificate.subject, 99, begins, begins + dt.timedelta(days=900), "next", ca=True, usages=testpki.OF_CA,
    )  # fmt: skip
    certificate = issue(spec, key, old.key)
    return Identity(certificate, key, (certificate,))


def pem(name: str, kind: Kind = "p256", seed: bytes = b"e1") -> str:
    return pki(kind, seed)[name].certificate_pem.decode()


def wire(name: str, kind: Kind = "p256", algorithm: hash_data.Algorithm = "SHA256") -> dict[str, str]:
    """CertificateHashDataType of a party."""
    made = pki(kind)
    found = hash_data.of(made[name].certificate, made[testpki.line_of(name).issuer].certificate, algorithm)
    return {
        "hashAlgorithm": found.algorithm,
        "issuerNameHash": found.issuer_name_hash,
        "issuerKeyHash": found.issuer_key_hash,
        "serialNumber": found.serial_number,
    }


class Facts(CertificatesMachine):
    """Hears what is for it only, as the wiring has it."""

    def handle(self, now: Tick, event: object) -> Sequence[object]:
        return super().handle(now, event) if type(event) in self.handlers else ()


class CertificatesRig(BlockRig):
    """The store answers at once; `slow` keeps its answers back."""

    def __init__(
        self, folder: Path, blocks: Sequence[type[Block]], config: StationConfig = SECURE, store: dict[str, dict[str, Any]] | None = None
    ) -> None:
        self.folder = folder
        self.files = FileStore(folder, disk=QuickDisk())
        self.keeper = Keeper(lambda: self.files)
        self.slow = False
        self.held_back: list[object] = []
        super().__init__(blocks, config, store if store is not None else {})
        self.context.model.seed(config.variables)
        machines: list[Any] = [Facts(self.context.certificates, self.context.clock, 30.0), *self.machines]
        self.machines = machines

    def _run(self, waiting_for: Sequence[tuple[Any, object]]) -> list[object]:
        out = super()._run(waiting_for)
        for command in [each for each in out if isinstance(each, CertificatesPort.takes)]:
            out += self.carried_out(command)
        return out

    def carried_out(self, command: Command) -> list[object]:
        said = self.keeper.carry_out(command)
        if self.slow:
            self.held_back += said
            return []
        return self.hear(*said)

    def online(self) -> CertificatesRig:
        """Connected and accepted, and what is installed is known."""
        self.hear(self.keeper.read())
        self.link_up()
        self.context.link.registration = "Accepted"
        self.hear(RegistrationChanged("Accepted"))
        return self

    def install(self, name: str, use: RootUse | None = None, kind: Kind = "p256") -> None:
        """In the store, without a CSMS."""
        self.files.install_root(use or ROOTS[name], pem(name, kind))
        self.hear(self.keeper.read())

    def adopt(self, use: OwnUse, kind: Kind = "p256", issuer: str = "", days: float = 90) -> str:
        """A chain of the station's own in the store, signed by the test PKI; gives its slot."""
        from bench.csms.signing import Signer

        slot, request = self.files.make_request(
            use, kind, Subject("CP-0001", "Test", "DE", "CPO" if use != "ChargingStationCertificate" else "")
        )
        self.files.adopt(slot, Signer(pki, lambda: NOW).chain_for(request, use, days=days, issuer=issuer))
        self.hear(self.keeper.read())
        return slot

    def listed(self, *types: str) -> Any:
        return self.ask("GetInstalledCertificateIds", {"certificateType": [*types]} if types else {})
