"""The renewal block with a store behind it; the test is the CSMS, which signs by `bench.csms.signing`."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bench.csms.signing import Signer, Wrong
from certs.store import OwnUse
from chargepoint.ocpp.blocks.remote_control import RemoteControlBlock
from chargepoint.ocpp.blocks.renewal import RenewalBlock, RenewalState
from chargepoint.ocpp.blocks.variables import VariablesBlock
from tests.unit.ocpp.certificates_rig import SECURE, CertificatesRig, pki

NAMES = {
    "SecurityCtrlr.OrganizationName": "Operator", "ISO15118Ctrlr.SeccId": "DEOPRS0001",
    "ISO15118Ctrlr.OrganizationName": "V2G operator", "ISO15118Ctrlr.CountryName": "DE",
}  # fmt: skip
NAMED = replace(SECURE, variables=NAMES)
STATION: OwnUse = "ChargingStationCertificate"
USES = pytest.mark.parametrize(("use", "kind"), [(STATION, "p256"), ("V2GCertificate", "p256"), ("V2G20Certificate", "p521")])


class RenewalRig(CertificatesRig):
    def __init__(self, folder: Path, config: Any = NAMED, store: Any = None) -> None:
        super().__init__(folder / "store", (VariablesBlock, RemoteControlBlock, RenewalBlock), config, store)
        self.signer = Signer(pki, lambda: dt.datetime.fromtimestamp(self.now.utc, dt.UTC))
        self.base = folder

    @property
    def renewal(self) -> RenewalState:
        state: RenewalState = self.machines[-1].state
        return state

    def trigger(self, use: str = STATION, **evse: Any) -> str:
        status: str = self.ask("TriggerMessage", {"requestedMessage": f"Sign{use}", **evse})["status"]
        return status

    def promised(self) -> dict[str, Any]:
        """The CSMS takes the request."""
        payload: dict[str, Any] = next(call for call in self.calls if call.action == "SignCertificate").payload
        self.answer("SignCertificate", {"status": "Accepted"})
        return payload

    def deliver(self, request: dict[str, Any], wrong: Wrong = "") -> Any:
        self.signer.wrong = wrong
        return self.ask("CertificateSigned", self.signer.follow_up(request))

    def restart(self) -> RenewalRig:
        return RenewalRig(self.base, self.config, self.store)


def a_rig(folder: Path, config: Any = NAMED) -> RenewalRig:
    rig = RenewalRig(folder, config)
    rig.online()
    for name in ("csmsRoot", "v2gRoot"):
        rig.install(name)
    return rig
