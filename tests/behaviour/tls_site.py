"""A station and a CSMS that speak TLS, with the test PKI between them. It is now: OpenSSL looks at the board's own clock."""

from __future__ import annotations

import datetime as dt
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from typing import Any

from cryptography import x509

from bench.csms.server import EmbeddedCsms
from bench.csms.signing import Signer
from certs import hash_data, testpki
from certs.testpki_make import Identity, Kind, Spec, issue, key_of
from chargepoint.commands import Restart
from chargepoint.runtime.clock import VirtualClock
from tests.behaviour.link_site import IDENTITY, Box, a_box, a_csms, configured, set_variable
from tests.unit.ocpp import certificates_rig

NOW = dt.datetime.now(dt.UTC).replace(microsecond=0)
NAMES = {
    "SecurityCtrlr.OrganizationName": "Operator", "ISO15118Ctrlr.SeccId": "DEOPRS0001", "ISO15118Ctrlr.OrganizationName": "Operator",
    "ISO15118Ctrlr.CountryName": "DE", "OCPPCommCtrlr.RetryBackOffRandomRange": "0", "OCPPCommCtrlr.NetworkProfileConnectionAttempts": "2",
}  # fmt: skip


@cache
def pki(kind: Kind = "p256", seed: bytes = b"site") -> dict[str, Identity]:
    return testpki.build(kind, seed=seed, now=NOW)


def other(kind: Kind = "p256") -> dict[str, Identity]:
    """Somebody else's."""
    return pki(kind, b"somebody else")


@cache
def next_root() -> Identity:
    """Of the CSMS, by the present one."""
    return certificates_rig.next_root(pki()["csmsRoot"], key_of("p256", b"site", "next root"), NOW - dt.timedelta(hours=1))


@cache
def next_server() -> Identity:
    """The CSMS's certificate by the next root, which is not sent."""
    root = next_root()
    spec = Spec(
        "localhost", root.certificate.subject, 100, NOW - dt.timedelta(hours=1), NOW + dt.timedelta(days=90), "next",
        usages=("digital_signature",), hosts=("localhost",),
    )  # fmt: skip
    key = key_of("p256", b"site", "next server")
    certificate = issue(spec, key, root.key)
    return Identity(certificate, key, (certificate,))


def write(identity: Identity, folder: Path, name: str) -> tuple[str, str]:
    folder.mkdir(parents=True, exist_ok=True)
    chain, key = folder / f"{name}.pem", folder / f"{name}.key"
    chain.write_bytes(identity.chain_pem or identity.certificate_pem)
    key.write_bytes(identity.key_pem)
    return str(chain), str(key)


def serving(server: Identity, folder: Path, client_roots: Sequence[Identity] = ()) -> ssl.SSLContext:
    """With `client_roots` it wants a certificate of the station's by one of them."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*write(server, folder, "server"))
    if client_roots:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(cadata="".join(each.certificate_pem.decode() for each in client_roots))
    return context


def settings(folder: Path, profile: int) -> dict[str, Any]:
    """[csms] of a station that knows the CSMS's root and has a certificate of its own."""
    chain, key = write(pki()["stationLeaf"], folder, "station")
    root = folder / "csmsRoot.pem"
    root.write_bytes(pki()["csmsRoot"].certificate_pem)
    return {"security_profile": profile, "ca_file": str(root), "client_cert_file": chain, "client_key_file": key}


class Site:
    """One CSMS, and one life of the station after the other."""

    def __init__(self, csms: EmbeddedCsms, signer: Signer, tls: ssl.SSLContext | None, folder: Path, clock: VirtualClock) -> None:
        self.csms, self.signer, self.tls, self.folder, self.clock = csms, signer, tls, folder, clock

    @asynccontextmanager
    async def life(self, **more: Any) -> AsyncIterator[Box]:
        """From the start to the end of its process. Accepted, unless `booted` is False."""
        booted, known = more.pop("booted", True), len(self.csms.received)
        variables = {**NAMES, **more.pop("variables", {})}
        async with a_box(configured(self.csms.url, variables, **more), self.folder / "state", self.clock) as box:
            if booted:
                await self.csms.wait_for("BootNotification", after=known, timeout_s=600)
                await self.csms.wait_for("StatusNotification", after=known, timeout_s=600)
            yield box

    def shown(self) -> x509.Certificate | None:
        """The client certificate of the connection that stands."""
        found = self.csms.connections[IDENTITY].transport.get_extra_info("ssl_object").getpeercert(binary_form=True)
        return x509.load_der_x509_certificate(found) if found else None

    async def anew(self) -> None:
        """The connection breaks, and another one comes up."""
        times = self.csms.connected_times
        await self.csms.drop(IDENTITY)
        await self.csms.wait_until(lambda: self.csms.connected_times > times and IDENTITY in self.csms.connections, timeout_s=600)

    async def trigger(self, use: str = "ChargingStationCertificate") -> str:
        status: str = (await self.csms.call(IDENTITY, "TriggerMessage", {"requestedMessage": f"Sign{use}"}))["status"]
        return status

    async def install(self, use: str, identity: Identity) -> str:
        payload = {"certificateType": use, "certificate": identity.certificate_pem.decode()}
        status: str = (await self.csms.call(IDENTITY, "InstallCertificate", payload))["status"]
        return status

    async def installed(self, *types: str) -> list[dict[str, Any]]:
        payload = {"certificateType": [*types]} if types else {}
        answer = await self.csms.call(IDENTITY, "GetInstalledCertificateIds", payload)
        return answer.get("certificateHashDataChain", [])  # type: ignore[no-any-return] # of a JSON answer

    async def told(self, event: str, timeout_s: float = 600.0) -> dict[str, Any]:
        """SecurityEventNotification of this type."""
        return await self.csms.wait_for("SecurityEventNotification", lambda payload: payload["type"] == event, timeout_s=timeout_s)

    async def set_profile(self, slot: int, url: str, profile: int) -> str:
        data = {
            "ocppInterface": "Wired0", "ocppTransport": "JSON", "messageTimeout": 30, "ocppCsmsUrl": url, "securityProfile": profile,
        }  # fmt: skip
        answer = await self.csms.call(IDENTITY, "SetNetworkProfile", {"configurationSlot": slot, "connectionData": data})
        status: str = answer["status"]
        return status

    async def set_priority(self, value: str) -> str:
        return await set_variable(self.csms, "OCPPCommCtrlr.NetworkConfigurationPriority", value)


def hashes(identity: Identity, issuer: Identity) -> dict[str, str]:
    """CertificateHashDataType."""
    found = hash_data.of(identity.certificate, issuer.certificate)
    return {
        "hashAlgorithm": found.algorithm, "issuerNameHash": found.issuer_name_hash, "issuerKeyHash": found.issuer_key_hash,
        "serialNumber": found.serial_number,
    }  # fmt: skip


@asynccontextmanager
async def a_site(
    folder: Path, *, server: Identity | None = None, client_roots: Sequence[Identity] = (), plain: bool = False
) -> AsyncIterator[Site]:
    """`plain` is a CSMS without TLS."""
    clock = VirtualClock(NOW.timestamp())
    signer = Signer(pki, lambda: NOW)
    tls = None if plain else serving(server or pki()["csmsLeaf"], folder, client_roots)
    async with a_csms(clock, tls=tls, signer=signer) as csms:
        yield Site(csms, signer, tls, folder, clock)


def restarts(box: Box) -> bool:
    """Whether the process wants to begin anew."""
    ended = box.handle.shell.ended
    return ended.done() and isinstance(ended.result(), Restart)
