"""bench-station whole: real processes, a real CSMS on the loopback, and the contract of the control port."""

from __future__ import annotations

import asyncio
import fcntl
import os
import random
import re
import signal
import socket
import ssl
from pathlib import Path
from typing import Any

import pytest
from cryptography.x509.oid import ExtendedKeyUsageOID

from bench import cli
from bench.control import BOARD_VERBS
from bench.csms import Behaviour, EmbeddedCsms
from bench.verbs import STATION_VERBS
from chargepoint.runtime.main import alone
from tests.unit.bench.bench_rig import IDENTITY, bench_station, configured, free_port, http, started, until
from tests.unit.runtime.tls_pki import Identity, root

FAST = [{"component": "OCPPCommCtrlr", "variable": "RetryBackOffWaitMinimum", "value": "1"}]


def ended(payload: dict[str, Any]) -> bool:
    return bool(payload["eventType"] == "Ended")


def test_a_whole_charge_by_its_verbs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async def story() -> None:
        async with EmbeddedCsms(validate=True) as csms, bench_station(tmp_path, csms) as station:
            state = await station.state()
            assert state["evses"][0] == {
                "id": 1, "pilot": "A", "duty": 100.0, "contactor": "open", "meter": {"Wh": 0.0, "A": 0.0, "V": 230.0},
                "faults": [], "transaction": None, "session": "Idle",
            }  # fmt: skip
            evse = await station.charging()
            assert (evse["pilot"], evse["session"]) == ("C", "Charging")
            assert evse["transaction"] in csms.sessions
            assert (await station.state())["connected"] is True
            evse = await station.until(lambda evse: evse["meter"]["A"] == pytest.approx(32.0, abs=0.5))

            await station.do("pause_session", connector_id=1)
            await station.until(lambda evse: evse["pilot"] == "B" and evse["contactor"] == "open" and evse["session"] == "SuspendedEV")
            await station.do("resume_session", connector_id=1)
            await station.until(lambda evse: evse["pilot"] == "C" and evse["contactor"] == "closed" and evse["session"] == "Charging")

            assert await asyncio.to_thread(cli.main, ["status", "--state-dir", str(tmp_path / "state")]) == 0
            said_of_it = capsys.readouterr().out
            assert "EVSE 1: Charging, plugged, closed, 32 A (hardware)\n" in said_of_it
            assert evse["transaction"] in said_of_it

            await station.do("limit_transaction", connector_id=1, time_s=0)
            said = await csms.wait_for("TransactionEvent", lambda it: it["triggerReason"] == "LimitSet")
            assert said["transactionInfo"]["transactionLimit"] == {"maxTime": 0}
            await station.until(lambda evse: evse["contactor"] == "open" and evse["session"] == "SuspendedEVSE")
            await station.do("limit_transaction", connector_id=1, time_s=86_400)
            await station.until(lambda evse: evse["session"] == "Charging")

            await station.do("stop_transaction", connector_id=1, reason="EmergencyStop")
            said = await csms.wait_for("TransactionEvent", ended)
            assert said["transactionInfo"]["stoppedReason"] == "EmergencyStop"
            evse = await station.until(lambda evse: evse["contactor"] == "open" and evse["transaction"] is None)
            assert evse["meter"]["Wh"] > 0.0
            await station.do("plug_out", connector_id=1)
            await station.until(lambda evse: evse["pilot"] == "A" and evse["session"] == "Idle")
            assert csms.invalid == []
            assert await station.end() == (0, "")

    asyncio.run(story())
    assert cli.main(["replay", "--quiet", str(tmp_path / "state/journal")]) == 0
    said = capsys.readouterr()
    assert re.fullmatch(r"\d+ inputs, 0 different\n", said.err), said.err
    assert cli.main(["export-journal", str(tmp_path / "state/journal")]) == 0
    assert "04A1B2C3" not in (out := capsys.readouterr().out)
    assert "TokenPresented" in out


@pytest.mark.req("F-16")
def test_while_the_station_hangs_the_board_opens_and_the_port_answers(tmp_path: Path) -> None:
    async def story() -> None:
        async with EmbeddedCsms() as csms, bench_station(tmp_path, csms) as station:
            await station.charging()
            await station.do("freeze", seconds=600)  # for longer than this test may take: all that follows is the board's own
            await station.until(lambda evse: evse["contactor"] == "open" and evse["meter"]["A"] == 0.0)
            await station.do("pause_session", connector_id=1)
            await station.until(lambda evse: evse["pilot"] == "B")
            assert (await station.evse())["session"] == "Charging"  # what the station last said

    asyncio.run(story())


def test_after_a_short_hang_the_station_goes_on(tmp_path: Path) -> None:
    async def story() -> None:
        async with EmbeddedCsms() as csms, bench_station(tmp_path, csms) as station:
            await station.do("freeze", seconds=0.5)
            await station.do("parking_bay", connector_id=1, occupied=True)
            await station.do("plug_in", connector_id=1)
            await station.until(lambda evse: evse["session"] == "EVConnected")

    asyncio.run(story())


def test_the_power_cut_unplugs_nobody_and_winds_back_no_meter(tmp_path: Path) -> None:
    async def story() -> None:
        async with EmbeddedCsms() as csms:
            async with bench_station(tmp_path, csms) as station:
                before = await station.charging()
                await station.do("raise_error", connector_id=1, error_string="ContactorWeld")
                await station.end(signal.SIGKILL)

                async def gone() -> bool:
                    try:
                        await http(station.port, "GET", "/health")
                    except OSError:
                        return True
                    return False

                await until(gone)
            async with bench_station(tmp_path, csms) as station:
                after = await station.evse()
                assert after["pilot"] != "A"
                assert after["meter"]["Wh"] >= before["meter"]["Wh"]
                assert "ContactorWeld" in after["faults"]
                said = await csms.wait_for("TransactionEvent", ended)
                assert said["transactionInfo"]["stoppedReason"] == "PowerLoss"
                assert csms.sessions[before["transaction"]].ended

    asyncio.run(story())


def test_sigterm_ends_a_transaction_in_order(tmp_path: Path) -> None:
    async def story() -> None:
        loop = asyncio.get_running_loop()
        async with EmbeddedCsms() as csms, bench_station(tmp_path, csms) as station:
            evse = await station.charging()
            begun = loop.time()
            assert await station.end(signal.SIGTERM) == (0, "")
            assert loop.time() - begun < 5.0  # the contract's
            assert csms.sessions[evse["transaction"]].ended

    asyncio.run(story())


def test_the_network_is_pulled_and_put_back(tmp_path: Path) -> None:
    async def story() -> None:
        async with EmbeddedCsms() as csms, bench_station(tmp_path, csms, variables=FAST) as station:
            await station.do("add_to_auth_cache", token="04A1B2C3", status="Accepted")
            await station.do("disconnect_websocket")

            async def offline() -> bool:
                return not (await station.state())["connected"]

            await until(offline)
            assert await station.charging()
            assert csms.connected_times == 1
            await station.do("connect_websocket")
            said = await csms.wait_for("TransactionEvent")
            assert said["offline"] is True

    asyncio.run(story())


def test_what_the_operator_forces(tmp_path: Path) -> None:
    async def story() -> None:
        async with EmbeddedCsms(Behaviour(other_tokens="Invalid")) as csms, bench_station(tmp_path, csms) as station:
            await csms.wait_for("BootNotification")

            async def value() -> dict[str, Any]:
                asked = {"component": {"name": "TxCtrlr"}, "variable": {"name": "EVConnectionTimeOut"}}
                found: dict[str, Any] = (await csms.call(IDENTITY, "GetVariables", {"getVariableData": [asked]}))["getVariableResult"][0]
                return found

            await station.do("set_variable", component="TxCtrlr", variable="EVConnectionTimeOut", value="77")
            assert (await value())["attributeValue"] == "77"
            await station.do("set_variable", component=None, variable="ConnectionTimeOut", value=78)
            assert (await value())["attributeValue"] == "78"
            await station.do("set_variable", component="TxCtrlr", variable="EVConnectionTimeOut", value=None)
            assert (await value())["attributeStatus"] == "UnknownVariable"
            status, why = await station.post("set_variable", component="TxCtrlr", variable="Zorp", value="1")
            assert (status, why) == (400, "variable.unknown: TxCtrlr.Zorp")
            await station.do("add_to_auth_cache", token="04A1B2C3", status="Accepted")
            await station.do("parking_bay", connector_id=1, occupied=True)
            await station.do("raise_error", connector_id=1, error_string="MREC6UnderVoltage")
            await station.until(lambda evse: "UnderVoltage" in evse["faults"])
            await station.do("clear_error", connector_id=1)
            await station.until(lambda evse: evse["faults"] == [])
            await station.do("raise_error", connector_id=0, error_string="BoardSilent")
            await station.until(lambda evse: "BoardSilent" in evse["faults"])
            await station.do("clear_error", connector_id=0)
            await station.until(lambda evse: evse["faults"] == [])
            assert await csms.call(IDENTITY, "Reset", {"type": "Immediate"}) == {"status": "Accepted"}
            assert (await csms.wait_for("BootNotification", lambda boot: boot["reason"] == "RemoteReset"))["chargingStation"]

    asyncio.run(story())


# (verb, body, status, the reason's beginning)
WRONG: list[tuple[str, Any, int, str]] = [
    ("plug_in", "{", 400, "the body is no JSON"),
    ("plug_in", b"\xff", 400, "the body is no JSON"),
    ("plug_in", "[" * 60_000, 400, "the body is no JSON"),
    ("freeze", '{"seconds": NaN}', 400, "seconds: a number up to 600"),
    ("freeze", '{"seconds": Infinity}', 400, "seconds: a number up to 600"),
    ("plug_in", "[1]", 400, "the body is a JSON object"),
    ("plug_in", "", 400, "connector_id: a whole number, not None"),
    ("plug_in", '{"connector_id": true}', 400, "connector_id: a whole number, not True"),
    ("plug_in", '{"connector_id": 2}', 400, "connector_id: there is no EVSE 2; there are [1]"),
    ("plug_in", '{"connector_id": 1, "x": "' + "y" * 70_000 + '"}', 400, "the body is no JSON: the body is too large"),
    ("pause_session", '{"connector_id": 1}', 400, "EVSE 1: no car is plugged in"),
    ("resume_session", '{"connector_id": 1}', 400, "EVSE 1: no car is plugged in"),
    ("swipe", "{}", 400, "token: missing"),
    ("swipe", '{"token": 7}', 400, "token: a text"),
    ("swipe", '{"token": "04", "connectors": [3]}', 400, "connectors: a list of EVSE ids, of [1]"),
    ("swipe", '{"token": "\\ud800"}', 400, "token: no Unicode: '\\ud800'"),
    ("set_variable", '{"variable": "x", "value": "\\ud800"}', 400, "value: no Unicode"),
    ("raise_error", '{"connector_id": 1}', 400, "error_string: missing"),
    ("stop_transaction", '{"connector_id": 1, "reason": "Zorp"}', 400, "reason: one of"),
    ("limit_transaction", '{"connector_id": 1, "energy_Wh": -1}', 400, "energy_Wh: a number from 0"),
    ("limit_transaction", '{"connector_id": 1, "soc_percent": true}', 400, "soc_percent: a number from 0"),
    ("stop_transaction", '{"connector_id": 3}', 400, "connector_id: there is no EVSE 3"),
    ("parking_bay", '{"connector_id": 1}', 400, "occupied: true or false, not None"),
    ("set_variable", '{"component": "TxCtrlr"}', 400, "variable: missing"),
    ("set_variable", '{"component": "TxCtrlr", "variable": "x", "value": []}', 400, "value: a text or null"),
    ("set_variable", '{"component": "AuthCtrlr", "variable": "Enabled", "value": "perhaps"}', 400, "variable.refused: AuthCtrlr.Enabled"),
    ("add_to_auth_cache", '{"token": "04", "status": "Zorp"}', 400, "status: one of"),
    ("add_to_local_list", "{}", 400, "token: missing"),
    ("freeze", "{}", 400, "seconds: a number up to 600, not None"),
    ("freeze", '{"seconds": -1}', 400, "seconds: a number up to 600, not -1"),
    ("clear_error", '{"connector_id": 9}', 400, "connector_id: there is no EVSE 9"),
    ("disconnect_websocket", '{"verb": "end"}', 400, "verb: the path says it"),
    ("end", '{"why": "no"}', 501, "'end' is not implemented"),
    ("zorp", "{}", 501, "'zorp' is not implemented; there are add_to_auth_cache"),
    ("plug_in_ac_iso", '{"connector_id": 1, "payment_type": "contract"}', 501, "plug_in_ac_iso: payment_type: contract: there is no certs_dir"),
    ("plug_in_ac_iso", '{"connector_id": 1, "payment_type": "cash"}', 400, "payment_type: one of externalpayment, contract"),
    ("plug_in_dc_iso", '{"connector_id": 1}', 400, "EVSE 1: has no DC stage, and the car wants iso20-dc"),
    ("plug_in_ac_iso", '{"connector_id": 1, "protocol": "din"}', 400, "protocol: one of iso20-ac, iso2-ac, not 'din'"),
    ("plug_in_ac_iso", '{"connector_id": 1, "protocol": 2}', 400, "protocol: a text"),
    ("plug_in_dc_iso", '{"connector_id": 1, "protocol": "iso2"}', 400, "protocol: one of iso20-dc, iso2-dc, din, not 'iso2'"),
    ("plug_in_dc_iso", '{"connector_id": 1, "protocol": "DIN"}', 400, "EVSE 1: has no DC stage, and the car wants din"),
    ("plug_in_dc_iso", '{"connector_id": 1, "protocol": "din", "payment_type": "contract"}', 400, "payment_type: contract: DIN 70121 knows no"),
    ("pause_iso_session", '{"connector_id": 1}', 400, "EVSE 1: no car with a session is plugged in"),
    ("resume_iso_session_ac", '{"connector_id": 1}', 400, "EVSE 1: no car that has paused is plugged in"),
]  # fmt: skip


def test_bad_bodies_and_unknown_verbs_get_a_reason_and_change_nothing(tmp_path: Path) -> None:
    async def story() -> None:
        async with EmbeddedCsms() as csms, bench_station(tmp_path, csms) as station:
            before = await station.evse()
            for verb, body, status, reason in WRONG:
                found = await http(station.port, "POST", f"/{verb}", body)
                assert found[0] == status, (verb, body, found)
                assert found[1].startswith(reason), (verb, body, found)
            assert (await http(station.port, "GET", "/plug_in"))[0] == 405
            await station.do("plug_in", connector_id=1)
            assert await station.post("plug_in", connector_id=1) == (400, "EVSE 1: a car is plugged in already")
            await station.do("plug_out", connector_id=1)
            await station.do("plug_out", connector_id=1)
            await station.until(lambda evse: evse == before)

    asyncio.run(story())


VALUES: list[Any] = [None, True, 0, 1, -1, 2**70, 1.5, "", "1", "Accepted", "Local", "x" * 300, "\x00\ud800", [], [1], [None], {}, {"a": 1}]
NAMES = (
    "connector_id",
    "token",
    "token_type",
    "connectors",
    "error_string",
    "reason",
    "occupied",
    "component",
    "variable",
    "value",
    "instance",
    "status",
    "group",
    "protocol",
)


def test_any_body_gets_an_answer_and_harms_nothing(tmp_path: Path) -> None:
    chosen = random.Random(20260101)
    verbs = sorted({*BOARD_VERBS, *STATION_VERBS} - {"freeze"})

    async def story() -> None:
        async with EmbeddedCsms() as csms, bench_station(tmp_path, csms) as station:
            for _ in range(600):
                body = {name: chosen.choice(VALUES) for name in chosen.sample(NAMES, chosen.randint(0, 6))}
                if chosen.random() < 0.7:
                    body["connector_id"] = 1
                verb = chosen.choice(verbs)
                status, why = await station.post(verb, **body)
                assert (status, bool(why)) in {(200, False), (400, True), (501, True)}, (verb, body, status, why)
            await station.do("connect_websocket")
            await station.do("clear_error", connector_id=1)
            await station.do("plug_out", connector_id=1)
            await station.until(lambda evse: evse["pilot"] == "A")
            assert await station.end() == (0, "")

    asyncio.run(story())


def test_a_port_that_is_taken_ends_it_in_words(tmp_path: Path) -> None:
    async def story() -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            station = await started(*configured(tmp_path, f"ws://127.0.0.1:{free_port()}", port=port))
            code, errors = await station.ended()
            assert code == 1
            assert f"control: nothing can listen on 127.0.0.1:{port}" in errors
            assert "Traceback" not in errors

    asyncio.run(story())


def test_nobody_reads_its_log_and_it_works_all_the_same(tmp_path: Path) -> None:
    async def story() -> None:
        reader, writer = os.pipe()
        fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
        async with EmbeddedCsms() as csms, bench_station(tmp_path, csms, out=writer) as station:
            for _ in range(200):
                await station.do("parking_bay", connector_id=1, occupied=True)
            await station.do("plug_in", connector_id=1)
            await station.until(lambda evse: evse["session"] == "EVConnected")
            assert await station.end() == (0, "")
        os.close(writer)
        with os.fdopen(reader, "rb") as log:
            assert b"station.stop" not in log.read()  # it was full long before

    asyncio.run(story())


def test_without_the_boards_process_it_ends_in_words(tmp_path: Path) -> None:
    async def story() -> None:
        async with EmbeddedCsms() as csms, bench_station(tmp_path, csms) as station:
            pid = station.process.pid
            (board,) = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
            os.kill(int(board), signal.SIGKILL)
            assert await station.ended() == (1, "the board's process is gone\n")

    asyncio.run(story())


def test_a_second_station_on_the_same_state_ends_before_it_touches_the_world(tmp_path: Path) -> None:
    async def story() -> None:
        with alone(tmp_path / "state", "bench.lock"):
            second = await started(*configured(tmp_path, f"ws://127.0.0.1:{free_port()}"))
            code, errors = await second.ended()
        assert code == 1
        assert "another station is running on it" in errors
        assert "Traceback" not in errors
        assert [file.name for file in (tmp_path / "state").iterdir()] == ["bench.lock"]

    asyncio.run(story())


def tree(folder: Path) -> tuple[Path, Identity, Identity]:
    """A certificate tree of a bench; and the CSMS's root and server."""
    ours, server = root(), root("another root")
    for each in ("ca/csms", "client/csms"):
        (folder / "certs" / each).mkdir(parents=True)
    ours.write(folder / "certs/ca/csms", "CSMS_ROOT_CA", chain=False)
    server.write(folder / "certs/ca/csms", "other", chain=False)
    ours.issue(IDENTITY, usage=ExtendedKeyUsageOID.CLIENT_AUTH).write(folder / "certs/client/csms", "CSMS_LEAF")
    return folder / "certs", ours, ours.issue("localhost", names=["localhost"], usage=ExtendedKeyUsageOID.SERVER_AUTH)


@pytest.mark.parametrize("profile", [1, 2, 3])
def test_security_profiles(tmp_path: Path, profile: int) -> None:
    password = "0123456789abcdef"
    certs, ours, server = tree(tmp_path)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(*server.write(tmp_path, "server"))
    if profile == 3:
        tls.verify_mode = ssl.CERT_REQUIRED
        tls.load_verify_locations(ours.write(tmp_path, "root", chain=False)[0])
    given: dict[str, Any] = {"security_profile": profile, "certs_dir": str(certs)}
    if profile < 3:
        given["basic_auth_password"] = password

    async def story() -> None:
        behaviour = Behaviour(passwords={IDENTITY: password} if profile < 3 else None)
        async with EmbeddedCsms(behaviour, tls=tls if profile > 1 else None) as csms, bench_station(tmp_path, csms, **given) as station:
            assert csms.calls_of("BootNotification", IDENTITY)
            assert await station.end() == (0, "")

    asyncio.run(story())
