"""bench-station with cars that pay by contract: TLS 1.3, a contract, the CSMS that is asked; by the control port, on real time."""

from __future__ import annotations

import asyncio
import datetime as dt
import shutil
from pathlib import Path
from typing import Any

import pytest

from bench.board.tree import papers
from bench.csms import Behaviour, EmbeddedCsms
from certs import testpki
from certs.pki_files import PkiError
from certs.testpki import STATION_20
from tests.unit.bench.bench_rig import bench_station, told_charging

EMAID = "DETSTC00000001"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As `chargepoint certs testpki` writes it, with somebody in the certificates who tells their state."""
    folder = tmp_path_factory.mktemp("pki")
    testpki.write(folder, seed=b"bench", now=dt.datetime.now(dt.UTC), responder="http://127.0.0.1:9/")
    return folder / "station"


def of_another(world: Path, folder: Path) -> Path:
    """EVerest's shape: keys of -2 alone, a leaf by itself, with a password; the CAs above it elsewhere."""
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat, load_pem_private_key

    tree = folder / "tree"
    shutil.copytree(world, tree, ignore=shutil.ignore_patterns(f"*{STATION_20}.*", "VEHICLE*"))
    for name, ca in (("mo/MO_LEAF", "mo"), ("oem/OEM_LEAF", "oem"), ("cso/SECC_LEAF", "")):
        path = tree / f"client/{name}.pem"
        leaf, *subs = (each.public_bytes(Encoding.PEM) for each in x509.load_pem_x509_certificates(path.read_bytes()))
        if ca:
            path.write_bytes(leaf)
            for number, each in enumerate(subs):
                (tree / f"ca/{ca}/SUB_CA{number}.pem").write_bytes(each)
        key = load_pem_private_key(path.with_suffix(".key").read_bytes(), None)
        hidden = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, BestAvailableEncryption(b"123456"))
        path.with_suffix(".key").write_bytes(hidden)
        path.with_name(f"{path.stem}_PASSWORD.txt").write_text("123456\n", "utf-8")
    return tree


def ended(payload: dict[str, Any]) -> bool:
    return bool(payload["eventType"] == "Ended")


@pytest.mark.parametrize(
    ("verb", "mode", "protocol"),
    [
        ("plug_in_ac_iso", "ac", None),
        ("plug_in_dc_iso", "dc", None),
        ("plug_in_ac_iso", "ac", "iso2-ac"),
        ("plug_in_dc_iso", "dc", "iso2-dc"),
    ],
)
def test_a_contract_pays(tmp_path: Path, world: Path, verb: str, mode: str, protocol: str | None) -> None:
    async def story() -> None:
        config: dict[str, Any] = {"evses": [{"id": 1, "charge_mode": mode}], "certs_dir": str(world)}
        async with EmbeddedCsms(validate=True) as csms, bench_station(tmp_path, csms, **config) as station:
            await station.do(verb, connector_id=1, payment_type="contract", protocol=protocol)
            asked = await csms.wait_for("Authorize", timeout_s=30.0)
            assert asked["idToken"] == {"idToken": EMAID, "type": "eMAID"}
            hashes = asked["iso15118CertificateHashData"]
            assert len(hashes) == 3
            assert {each["responderURL"] for each in hashes} == {"http://127.0.0.1:9/"}
            evse = await station.until(told_charging)
            assert (evse["duty"], evse["faults"]) == (5.0, [])
            await station.do("plug_out_iso", connector_id=1)
            await station.until(lambda evse: evse["pilot"] == "A" and evse["transaction"] is None)
            done = await csms.wait_for("TransactionEvent", ended)
            assert done["transactionInfo"]["stoppedReason"] in ("EVDisconnected", "Local", "StoppedByEV")
            assert csms.invalid == []
            assert await station.end() == (0, "")

    asyncio.run(story())


def test_one_that_the_csms_calls_blocked_does_not(tmp_path: Path, world: Path) -> None:
    async def story() -> None:
        csms = EmbeddedCsms(Behaviour(tokens={EMAID: "Blocked"}), validate=True)
        async with csms, bench_station(tmp_path, csms, certs_dir=str(world)) as station:
            await station.do("plug_in_ac_iso", connector_id=1, payment_type="contract")
            await csms.wait_for("Authorize", timeout_s=30.0)
            await asyncio.sleep(1.0)
            evse = await station.evse()
            assert (evse["contactor"], evse["meter"]["Wh"]) == ("open", 0.0)
            assert not any(each.get("idToken") for each in csms.calls_of("TransactionEvent"))
            await station.do("swipe", token="04A1B2C3")  # its driver has a card, too
            await station.until(lambda evse: evse["meter"]["A"] > 10.0 and evse["duty"] == 5.0)
            assert csms.invalid == []
            assert (await station.end())[0] == 0

    asyncio.run(story())


def test_a_tree_of_iso_15118_2_alone_is_made_do_with(tmp_path: Path, world: Path) -> None:
    tree = of_another(world, tmp_path)

    async def story() -> None:
        async with EmbeddedCsms(validate=True) as csms, bench_station(tmp_path, csms, certs_dir=str(tree)) as station:
            await station.do("plug_in_ac_iso", connector_id=1, payment_type="contract")
            asked = await csms.wait_for("Authorize", timeout_s=30.0)
            assert asked["idToken"]["type"] == "eMAID"
            await station.until(lambda evse: evse["meter"]["A"] > 10.0)
            code, errors = await station.end()
            assert (code, "client/cso: no key of ISO 15118-20 (P-521, Ed448)" in errors) == (0, True)

    asyncio.run(story())


def test_without_its_files_it_says_which_one_is_missing(tmp_path: Path, world: Path) -> None:
    tree = tmp_path / "tree"
    shutil.copytree(world, tree)
    shutil.rmtree(tree / "client/mo")

    async def story() -> None:
        async with EmbeddedCsms() as csms:
            async with bench_station(tmp_path, csms, certs_dir=str(tree)) as station:
                status, words = await station.post("plug_in_ac_iso", connector_id=1, payment_type="contract")
                missing = f"{tree}/client/mo: no certificate (*.pem) with its key (*.key) there"
                assert (status, words) == (501, f"plug_in_ac_iso: payment_type: contract: {missing}")
                await station.do("plug_in_ac_iso", connector_id=1)  # the cable is still free
            async with bench_station(tmp_path, csms, state_dir=str(tmp_path / "other")) as station:
                status, words = await station.post("plug_in_ac_iso", connector_id=1, payment_type="contract")
                assert (status, "there is no certs_dir" in words) == (501, True)

    asyncio.run(story())


@pytest.mark.parametrize("gone", ["client/mo/MO_LEAF", "client/vehicle/VEHICLE_LEAF", "ca/v2g/v2gRoot"])
def test_papers_are_those_of_iso_15118_20_where_there_are_some(tmp_path: Path, world: Path, gone: str) -> None:
    tree = tmp_path / "tree"
    shutil.copytree(world, tree)
    assert (papers(tree).contract.kind, papers(tree).lax) == ("p521", False)
    for each in tree.glob(f"{gone}*"):
        each.unlink()
    if gone.startswith("client/vehicle"):  # what the maker has put into it stands in
        assert papers(tree).plan.chain is not None
        return
    with pytest.raises(PkiError, match=str(tree / gone.rpartition("/")[0])):
        papers(tree)


def test_a_leaf_by_itself_gets_the_cas_above_it(tmp_path: Path, world: Path) -> None:
    found = papers(of_another(world, tmp_path))
    assert found.lax
    assert not papers(of_another(world, tmp_path / "of older"), older=True).lax
    assert found.contract.certificates.count(b"BEGIN CERTIFICATE") == 3


def test_iso_15118_2_pays_by_its_own_kind_of_key(tmp_path: Path, world: Path) -> None:
    tree = tmp_path / "tree"
    shutil.copytree(world, tree)
    assert papers(tree, older=True).contract.kind == "p256"
    for each in (tree / "client/mo").glob("MO_LEAF.*"):
        each.unlink()
    with pytest.raises(PkiError, match="client/mo: no contract on P-256 there"):
        papers(tree, older=True)
