"""The foreign CSMSs do what the tests of the station rely on: shown with a bare websocket, none of our OCPP code."""

from __future__ import annotations

import asyncio
import base64
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import websockets
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from websockets.asyncio.client import ClientConnection, connect

from tests.peers.foreign_csms import CallRefused, ForeignCsms, Settings
from tests.peers.ocpp_rpc_csms import OcppRpcCsms, write_schemas
from tests.peers.pyocpp_csms import PyocppCsms

pytestmark = [pytest.mark.peer, pytest.mark.parametrize("kind", [OcppRpcCsms, PyocppCsms])]

Kind = type[ForeignCsms]
BOOT = {"chargingStation": {"model": "Bare", "vendorName": "Test"}, "reason": "PowerUp"}


def run(test: Callable[[], Awaitable[None]]) -> None:
    async def limited() -> None:
        async with asyncio.timeout(60):
            await test()

    asyncio.run(limited())


@dataclass
class Bare:
    """A station's end of the wire, by hand."""

    link: ClientConnection

    async def send(self, *frame: Any) -> None:
        await self.link.send(json.dumps(frame))

    async def receive(self) -> list[Any]:
        frame: list[Any] = json.loads(await self.link.recv())
        return frame

    async def ask(self, action: str, payload: object, identifier: str = "1") -> list[Any]:
        await self.send(2, identifier, action, payload)
        return await self.receive()


@asynccontextmanager
async def bare(
    csms: ForeignCsms, identity: str = "CP1", *, password: str | None = None, tls: ssl.SSLContext | None = None
) -> AsyncIterator[Bare]:
    headers = {} if password is None else {"Authorization": "Basic " + base64.b64encode(f"{identity}:{password}".encode()).decode()}
    subprotocols = [websockets.Subprotocol(p) for p in ("ocpp2.1", "ocpp2.0.1", "ocpp1.6")]
    async with connect(f"{csms.url}/{identity}", subprotocols=subprotocols, additional_headers=headers, ssl=tls) as link:
        yield Bare(link)


def test_boot_heartbeat_authorize_and_transaction(kind: Kind) -> None:
    async def test() -> None:
        async with kind(Settings(tokens={"AABBCCDD": "Accepted"}, interval_s=77)) as csms, bare(csms) as station:
            kind_, identifier, boot = await station.ask("BootNotification", BOOT, "b1")
            assert (kind_, identifier, boot["status"], boot["interval"]) == (3, "b1", "Accepted", 77)
            assert datetime.fromisoformat(boot["currentTime"]).tzinfo is not None
            assert "currentTime" in (await station.ask("Heartbeat", {}, "h"))[2]
            token = {"idToken": "AABBCCDD", "type": "ISO14443"}
            assert (await station.ask("Authorize", {"idToken": token}, "a"))[2] == {"idTokenInfo": {"status": "Accepted"}}
            assert (await station.ask("Authorize", {"idToken": token | {"idToken": "00"}}, "a2"))[2] == {
                "idTokenInfo": {"status": "Invalid"}
            }
            started = {
                "eventType": "Started", "timestamp": "2026-11-24T12:00:00Z", "triggerReason": "Authorized", "seqNo": 0,
                "transactionInfo": {"transactionId": "t1"}, "idToken": token,
            }  # fmt: skip
            assert (await station.ask("TransactionEvent", started, "t"))[2] == {"idTokenInfo": {"status": "Accepted"}}
            assert (await csms.wait_connected("CP1")).subprotocol == "ocpp2.1"
            assert await csms.wait_for("TransactionEvent", lambda p: p["seqNo"] == 0) == started
            assert csms.calls("BootNotification", "CP1") == [BOOT]
            assert csms.invalid == []

    run(test)


def test_a_call_to_the_station_and_its_refusal(kind: Kind) -> None:
    async def test() -> None:
        async with kind() as csms, bare(csms) as station:
            await csms.wait_connected("CP1")
            calling = asyncio.create_task(csms.call("CP1", "Reset", {"type": "OnIdle"}))
            two, identifier, action, payload = await station.receive()
            assert (two, action, payload) == (2, "Reset", {"type": "OnIdle"})
            await station.send(3, identifier, {"status": "Scheduled"})
            assert await calling == {"status": "Scheduled"}
            calling = asyncio.create_task(csms.call("CP1", "ClearCache", {}))
            await station.send(4, (await station.receive())[1], "NotSupported", "no cache", {})
            with pytest.raises(CallRefused) as refused:
                await calling
            assert (refused.value.code, refused.value.description) == ("NotSupported", "no cache")
            assert csms.invalid == []

    run(test)


def test_what_breaks_the_schema_is_seen_in_both_directions(kind: Kind) -> None:
    async def test() -> None:
        async with kind() as csms, bare(csms) as station:
            await csms.wait_connected("CP1")
            assert (await station.ask("BootNotification", {"reason": "PowerUp"}))[0] == 4
            assert (await station.ask("Heartbeat", {"extra": 1}, "2"))[0] == 4
            calling = asyncio.create_task(csms.call("CP1", "Reset", {"type": "OnIdle"}))
            await station.send(3, (await station.receive())[1], {"status": "Perhaps"})
            with pytest.raises(CallRefused):
                await calling
            seen = await csms.wait_until(lambda: csms.invalid if len(csms.invalid) == 3 else None, "three refusals")
            assert [(i.direction, i.action) for i in seen] == [("in", "BootNotification"), ("in", "Heartbeat"), ("in", "Reset")]

    run(test)


def test_message_types_5_and_6_are_not_understood_and_said_so(kind: Kind) -> None:
    async def test() -> None:
        async with kind() as csms, bare(csms) as station:
            stream = {"id": 1, "pending": 0, "basetime": "2026-11-24T12:00:00Z", "data": [{"t": 0, "v": "1"}]}
            await station.send(6, "s1", "NotifyPeriodicEventStream", stream)
            assert await csms.wait_for("NotifyPeriodicEventStream") == stream
            await csms.wait_until(lambda: [i for i in csms.invalid if i.action == ""] or None, "a refused SEND")
            if kind is OcppRpcCsms:
                assert (await station.receive())[:3] == [4, "-1", "MessageTypeNotSupported"]
            assert (await station.ask("Heartbeat", {}, "h"))[:2] == [3, "h"]

    run(test)


def test_answers_as_told(kind: Kind) -> None:
    async def test() -> None:
        answers = {"StatusNotification": {"error": "InternalError", "description": "not today", "times": 1}}
        status = {"timestamp": "2026-11-24T12:00:00Z", "connectorStatus": "Available", "evseId": 1, "connectorId": 1}
        async with kind(Settings(boot_status="Pending", answers=answers)) as csms, bare(csms) as station:
            assert (await station.ask("BootNotification", BOOT))[2]["status"] == "Pending"
            assert (await station.ask("StatusNotification", status, "2"))[:4] == [4, "2", "InternalError", "not today"]
            assert await station.ask("StatusNotification", status, "3") == [3, "3", {}]
            await csms.set(
                boot_status="Accepted", answers={"DataTransfer": {"payload": {"status": "Accepted"}}, "Heartbeat": {"never": True}}
            )
            assert (await station.ask("BootNotification", BOOT, "4"))[2]["status"] == "Accepted"
            assert await station.ask("DataTransfer", {"vendorId": "x"}, "5") == [3, "5", {"status": "Accepted"}]
            await csms.send_raw("CP1", "garbage")
            assert await station.link.recv() == "garbage"
            await station.send(2, "6", "Heartbeat", {})
            await csms.wait_for("Heartbeat")
            await csms.close("CP1", 1011)
            await station.link.wait_closed()
            assert station.link.close_code == 1011
            assert csms.invalid == []
        assert [f.id for f in csms.frames if f.direction == "out" and f.kind == 3] == ["1", "3", "4", "5"]

    run(test)


def test_a_dropped_connection_has_no_close_frame(kind: Kind) -> None:
    async def test() -> None:
        async with kind() as csms, bare(csms) as station:
            await csms.wait_connected("CP1")
            await csms.terminate("CP1")
            await station.link.wait_closed()
            assert station.link.close_code == 1006
            async with bare(csms) as again:
                assert (await again.ask("Heartbeat", {}))[0] == 3
            assert (await csms.wait_connected("CP1", nth=2)).client == "CP1"

    run(test)


def test_basic_auth_wants_the_identity_and_its_password(kind: Kind) -> None:
    async def test() -> None:
        async with kind(Settings(passwords={"CP1": "0123456789abcdef"})) as csms:
            for identity, password in (("CP1", None), ("CP1", "wrong"), ("CP2", "0123456789abcdef")):
                with pytest.raises(websockets.InvalidStatus) as refused:
                    async with bare(csms, identity, password=password):
                        pass
                assert refused.value.response.status_code == 401
            async with bare(csms, password="0123456789abcdef") as station:
                assert (await station.ask("Heartbeat", {}))[0] == 3
            assert csms.refused == [("CP1", 401), ("CP1", 401), ("CP2", 401)]
            await csms.set(refuse=503)
            with pytest.raises(websockets.InvalidStatus) as refused:
                async with bare(csms, password="0123456789abcdef"):
                    pass
            assert refused.value.response.status_code == 503

    run(test)


def test_no_common_subprotocol_keeps_an_open_but_unversioned_socket(kind: Kind) -> None:
    async def test() -> None:
        async with kind(Settings(protocols=("ocpp2.1",))) as csms:
            async with connect(f"{csms.url}/CP1") as link:
                assert link.subprotocol is None
            assert (await csms.wait_connected("CP1")).subprotocol == ""

    if kind is PyocppCsms:
        return  # websockets' server refuses, as it should; the other one is the quirk
    run(test)


def certificate(
    folder: Path, name: str, issuer: tuple[x509.Certificate, ec.EllipticCurvePrivateKey] | None
) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    signer, signing_key = issuer or (None, key)
    now = datetime.now(UTC)
    built = (
        x509.CertificateBuilder().subject_name(subject).issuer_name(signer.subject if signer else subject).public_key(key.public_key())
        .serial_number(x509.random_serial_number()).not_valid_before(now - timedelta(days=400)).not_valid_after(now + timedelta(days=400))
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signing_key.public_key()), critical=False)
        .sign(signing_key, hashes.SHA256())
    )  # fmt: skip
    (folder / f"{name}.pem").write_bytes(built.public_bytes(serialization.Encoding.PEM))
    (folder / f"{name}.key").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return built, key


@pytest.mark.parametrize("mutual", [False, True])
def test_tls_and_mutual_tls(kind: Kind, mutual: bool, tmp_path: Path) -> None:
    async def test() -> None:
        root = certificate(tmp_path, "root", None)
        for name in ("localhost", "CP1"):
            certificate(tmp_path, name, root)
        tls = {"cert": str(tmp_path / "localhost.pem"), "key": str(tmp_path / "localhost.key"), "ca": str(tmp_path / "root.pem")}
        anonymous = ssl.create_default_context(cafile=tls["ca"])
        named = ssl.create_default_context(cafile=tls["ca"])
        named.load_cert_chain(tmp_path / "CP1.pem", tmp_path / "CP1.key")
        async with kind(Settings(tls=tls, client_certificate=mutual)) as csms:
            async with bare(csms, tls=named if mutual else anonymous) as station:
                assert (await station.ask("BootNotification", BOOT))[2]["status"] == "Accepted"
            seen = await csms.wait_connected("CP1")
            assert seen.tls in {"TLSv1.2", "TLSv1.3"}
            assert seen.subject == ("CP1" if mutual else None)
            if mutual:
                with pytest.raises((ssl.SSLError, OSError, websockets.InvalidHandshake)):
                    async with bare(csms, tls=anonymous) as station:
                        await station.ask("Heartbeat", {})

    run(test)


def test_the_validator_gets_every_schema(kind: Kind, tmp_path: Path) -> None:
    del kind
    assert write_schemas(tmp_path) == 181
    identifiers = {json.loads(p.read_text())["$id"] for p in tmp_path.iterdir()}
    assert len(identifiers) == 181
    assert {"urn:Heartbeat.req", "urn:Heartbeat.conf", "urn:NotifyPeriodicEventStream.req"} <= identifiers
