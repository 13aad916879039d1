"""Whole sessions against CSMSs that are not ours: npm `ocpp-rpc` in strict mode, and PyPI `ocpp`'s ChargePoint class.

Every frame of both directions passes the CSMS's own validator; what it refuses would stand in `invalid`.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.peers.foreign_csms import ForeignCsms, Settings
from tests.peers.ocpp_rpc_csms import OcppRpcCsms
from tests.peers.pyocpp_csms import PyocppCsms
from tests.peers.site import CARD, IDENTITY, Site, configured, ended, on_virtual_time, real, running
from tests.peers.test_peers import certificate

pytestmark = pytest.mark.peer
Kind = type[OcppRpcCsms] | type[PyocppCsms]
PASSWORD = "correct horse 16"


@pytest.fixture(params=[OcppRpcCsms, PyocppCsms], ids=["ocpp-rpc", "pyocpp"])
def kind(request: pytest.FixtureRequest) -> Kind:
    found: Kind = request.param
    return found


@asynccontextmanager
async def started(kind: Kind, settings: Settings) -> AsyncIterator[ForeignCsms]:
    csms = kind(settings)
    await real(csms.start())
    try:
        yield csms
    finally:
        await real(csms.stop())


def session(kind: Kind, folder: Path, test: Callable[[Site], Any], settings: Settings | None = None, **csms_config: Any) -> None:
    """Run `test` with a booted station; afterwards the CSMS has found no fault with any frame."""

    async def main() -> None:
        async with started(kind, settings or Settings(tokens={CARD.id_token: "Accepted"})) as csms:
            async with running(configured(csms.url, **csms_config), csms, folder) as site:
                await real(site.csms.wait_connected(IDENTITY))
                await site.told("StatusNotification")
                await test(site)
            assert csms.invalid == []

    on_virtual_time(main)


def sound(events: list[dict[str, Any]]) -> None:
    """One transaction: Started first, Ended last, seqNo without a gap, energy that never goes back."""
    assert [p["seqNo"] for p in events] == list(range(len(events)))
    assert events[0]["eventType"] == "Started"
    assert events[-1]["eventType"] == "Ended"
    assert {p["eventType"] for p in events[1:-1]} <= {"Updated"}
    energies = [found[-1] for p in events if (found := energies_Wh(p))]  # an Ended also repeats the first reading
    assert energies == sorted(energies)
    assert energies[-1] > energies[0]


def energies_Wh(payload: dict[str, Any]) -> list[float]:
    return [
        sampled["value"]
        for value in payload.get("meterValue", [])
        for sampled in value["sampledValue"]
        if sampled.get("measurand", "Energy.Active.Import.Register") == "Energy.Active.Import.Register"
    ]


@pytest.mark.req("E01", "E02", "E06", "E09", "C01", "B01")
def test_a_charge_from_plug_to_unplug(kind: Kind, tmp_path: Path) -> None:
    async def test(site: Site) -> None:
        await site.charge(200.0)
        await site.unplug()
        await site.told("TransactionEvent", lambda p: p["eventType"] == "Ended")
        await asyncio.sleep(5.0)
        events = site.events()
        sound(events)
        assert events[0]["idToken"] == {"idToken": CARD.id_token, "type": "ISO14443"}
        assert events[0]["evse"] == {"id": 1, "connectorId": 1}
        assert all("evse" not in each for each in events[1:])
        assert "Updated MeterValuePeriodic" in " / ".join(site.story())
        assert site.story()[-1] == "Ended EVCommunicationLost Idle EVDisconnected"
        measured_Wh = site.board.world.evses[1].register.import_Wh
        assert energies_Wh(events[-1])[-1] == pytest.approx(measured_Wh, abs=1.0)
        statuses = [p["connectorStatus"] for p in site.csms.calls("StatusNotification")]
        assert statuses == ["Available", "Occupied", "Available"]

    session(kind, tmp_path, test)


@pytest.mark.req("F01", "F02", "F03", "F01.FR.25")
def test_remote_start_and_stop(kind: Kind, tmp_path: Path) -> None:
    async def test(site: Site) -> None:
        await site.plug()
        await asyncio.sleep(4.0)
        start = {"remoteStartId": 7, "evseId": 1, "idToken": {"idToken": "app-1", "type": "Central"}}
        assert (await site.call("RequestStartTransaction", start))["status"] == "Accepted"
        await site.told("TransactionEvent", lambda p: p["transactionInfo"].get("chargingState") == "Charging")
        assert site.events()[0]["transactionInfo"]["remoteStartId"] == 7
        assert (await site.call("RequestStopTransaction", {"transactionId": "another"}))["status"] == "Rejected"
        await asyncio.sleep(20.0)
        assert (await site.call("RequestStopTransaction", {"transactionId": site.transaction}))["status"] == "Accepted"
        stopped = await site.told("TransactionEvent", lambda p: p["eventType"] == "Ended")
        assert stopped["triggerReason"] == "RemoteStop"
        assert stopped["transactionInfo"]["stoppedReason"] == "Remote"
        await asyncio.sleep(10.0)
        sound(site.events())
        assert site.board.world.evses[1].contactor.poles == 0

    session(kind, tmp_path, test)


@pytest.mark.req("C01", "C01.FR.02")
def test_a_card_that_the_csms_does_not_know(kind: Kind, tmp_path: Path) -> None:
    async def test(site: Site) -> None:
        await site.plug()
        await asyncio.sleep(4.0)
        await site.swipe()
        await site.told("Authorize")
        await asyncio.sleep(20.0)
        assert site.board.world.evses[1].contactor.poles == 0
        assert not site.transaction

    session(kind, tmp_path, test, Settings(unknown_token="Invalid"))


@pytest.mark.req("B05", "B06", "B07", "B08")
def test_variables_and_reports(kind: Kind, tmp_path: Path) -> None:
    async def test(site: Site) -> None:
        interval = {"component": {"name": "SampledDataCtrlr"}, "variable": {"name": "TxUpdatedInterval"}}
        (result,) = (await site.call("SetVariables", {"setVariableData": [{**interval, "attributeValue": "17"}]}))["setVariableResult"]
        assert result["attributeStatus"] == "Accepted"
        (result,) = (await site.call("GetVariables", {"getVariableData": [interval]}))["getVariableResult"]
        assert result["attributeValue"] == "17"
        unknown = {"component": {"name": "Toaster"}, "variable": {"name": "Colour"}}
        answered = await site.call("SetVariables", {"setVariableData": [{**unknown, "attributeValue": "red"}]})
        assert answered["setVariableResult"][0]["attributeStatus"] == "UnknownComponent"
        assert (await site.call("GetBaseReport", {"requestId": 1, "reportBase": "FullInventory"}))["status"] == "Accepted"
        await site.told("NotifyReport", lambda p: p["requestId"] == 1 and not p.get("tbc"))
        parts = [p for p in site.csms.calls("NotifyReport") if p["requestId"] == 1]
        assert [p["seqNo"] for p in parts] == list(range(len(parts)))
        names = {(d["component"]["name"], d["variable"]["name"]) for p in parts for d in p["reportData"]}
        assert {
            ("OCPPCommCtrlr", "HeartbeatInterval"),
            ("TxCtrlr", "TxStartPoint"),
            ("EVSE", "Power"),
            ("SecurityCtrlr", "SecurityProfile"),
        } <= names
        assert (await site.call("GetReport", {"requestId": 2, "componentVariable": [interval]}))["status"] == "Accepted"
        report = await site.told("NotifyReport", lambda p: p["requestId"] == 2)
        assert [d["variable"]["name"] for d in report["reportData"]] == ["TxUpdatedInterval"]

    session(kind, tmp_path, test)


@pytest.mark.req("G03", "G04", "F05", "F06", "D01", "D02", "C11", "P01", "E14")
def test_the_other_calls_of_the_heart(kind: Kind, tmp_path: Path) -> None:
    async def test(site: Site) -> None:
        assert (await site.call("ChangeAvailability", {"operationalStatus": "Inoperative"}))["status"] == "Accepted"
        await site.told("StatusNotification", lambda p: p["connectorStatus"] == "Unavailable")
        assert (await site.call("ChangeAvailability", {"operationalStatus": "Operative", "evse": {"id": 9}}))["status"] == "Rejected"
        assert (await site.call("ChangeAvailability", {"operationalStatus": "Operative"}))["status"] == "Accepted"
        assert (await site.call("TriggerMessage", {"requestedMessage": "Heartbeat"}))["status"] == "Accepted"
        await site.told("Heartbeat")
        assert (await site.call("TriggerMessage", {"requestedMessage": "FirmwareStatusNotification"}))["status"] == "NotImplemented"
        assert (await site.call("UnlockConnector", {"evseId": 1, "connectorId": 1}))["status"] in {
            "UnknownConnector",
            "UnlockFailed",
            "Unlocked",
        }
        update = {"versionNumber": 3, "updateType": "Full", "localAuthorizationList": [{"idToken": {"idToken": "AA", "type": "Local"}, "idTokenInfo": {"status": "Accepted"}}]}  # fmt: skip
        assert (await site.call("SendLocalList", update))["status"] == "Accepted"
        assert (await site.call("GetLocalListVersion", {}))["versionNumber"] == 3
        assert (await site.call("ClearCache", {}))["status"] == "Accepted"
        assert (await site.call("DataTransfer", {"vendorId": "nobody"}))["status"] == "UnknownVendorId"
        assert (await site.call("GetTransactionStatus", {}))["messagesInQueue"] is False

    session(kind, tmp_path, test)


@pytest.mark.req("B11", "B12", "F-1")
def test_reset_ends_the_transaction_and_boots_with_its_reason(kind: Kind, tmp_path: Path) -> None:
    async def main() -> None:
        async with started(kind, Settings(tokens={CARD.id_token: "Accepted"})) as csms:
            config = configured(csms.url)
            async with running(config, csms, tmp_path) as site:
                await site.told("StatusNotification")
                await site.charge(30.0)
                board = site.board
                assert (await site.call("Reset", {"type": "Immediate"}))["status"] == "Accepted"
                outcome = await ended(site)
                assert outcome.restart
                assert site.events()[-1]["transactionInfo"]["stoppedReason"] == "ImmediateReset"
                sound(site.events())
            before = len(csms.frames)
            async with running(config, csms, tmp_path, board, start_reason="ApplicationReset") as site:
                boot = await site.told("BootNotification", after=before)
                assert boot["reason"] == "RemoteReset"
                await asyncio.sleep(5.0)
            assert csms.invalid == []

    on_virtual_time(main)


def tls_files(folder: Path, host: str = "localhost") -> dict[str, str]:
    root = certificate(folder, "root", None)
    for name in (host, IDENTITY):
        certificate(folder, name, root)
    return {"cert": str(folder / f"{host}.pem"), "key": str(folder / f"{host}.key"), "ca": str(folder / "root.pem")}


@pytest.mark.req("A00", "S-17", "S-29")
@pytest.mark.parametrize("profile", [1, 2, 3])
def test_a_charge_over_each_security_profile(kind: Kind, profile: int, tmp_path: Path) -> None:
    folder = tmp_path / "tls"
    folder.mkdir()
    tls = tls_files(folder) if profile > 1 else None
    settings = Settings(
        tokens={CARD.id_token: "Accepted"},
        tls=tls,
        client_certificate=profile == 3,
        passwords={IDENTITY: PASSWORD} if profile < 3 else None,
    )
    own = {"client_cert_file": str(folder / f"{IDENTITY}.pem"), "client_key_file": str(folder / f"{IDENTITY}.key")} if profile == 3 else {}
    more: dict[str, Any] = {"security_profile": profile, **({"ca_file": tls["ca"]} if tls else {}), **own}
    if profile < 3:
        more["basic_auth_password"] = PASSWORD

    async def test(site: Site) -> None:
        await site.charge(20.0)
        await site.unplug()
        await site.told("TransactionEvent", lambda p: p["eventType"] == "Ended")
        sound(site.events())
        (seen,) = site.csms.connections
        assert (seen.tls is not None) is (profile > 1)
        assert seen.tls in {None, "TLSv1.2", "TLSv1.3"}
        assert (seen.subject == IDENTITY) is (profile == 3)

    session(kind, tmp_path, test, settings, **more)


def test_no_frame_holds_a_password(kind: Kind, tmp_path: Path) -> None:
    async def test(site: Site) -> None:
        secret = {"component": {"name": "SecurityCtrlr"}, "variable": {"name": "BasicAuthPassword"}}
        (result,) = (await site.call("GetVariables", {"getVariableData": [secret]}))["getVariableResult"]
        assert result["attributeStatus"] == "Rejected"
        await site.call("GetBaseReport", {"requestId": 1, "reportBase": "FullInventory"})
        await site.told("NotifyReport", lambda p: not p.get("tbc"))
        assert PASSWORD not in json.dumps([f.text for f in site.csms.frames])

    session(kind, tmp_path, test, Settings(passwords={IDENTITY: PASSWORD}), security_profile=1, basic_auth_password=PASSWORD)
