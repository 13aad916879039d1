"""The store in a running station: read before anything connects, the same after a restart, and its keys in no journal and in no core dump."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bench.bench_config import read
from bench.v2g.cable import fresh_pki
from certs.store import Subject
from chargepoint.commands import AdoptChain, Command, InstallRoot, MakeCsr
from chargepoint.config import CertificatesConfig, CsmsConfig, EvseConfig, StationConfig, V2gConfig
from chargepoint.events import CertificatesRead, CertificateStored, CsrMade, PoweredUp
from chargepoint.runtime.certificate_store import open_store, worth_opening
from chargepoint.runtime.clock import VirtualClock
from chargepoint.runtime.main import Options, station
from chargepoint.runtime.virtual import run_virtual
from hal.sim.ports import SimBoard
from hal.types import EvseInfo
from tests.unit.certs.store_rig import Ca

ca = Ca()


def a_life(config: StationConfig, folder: Path, *commands: Any) -> list[Any]:
    """What the station heard."""
    heard: list[Any] = []

    async def main() -> None:
        options = Options(start_reason="PowerUp", threaded=False, clock=VirtualClock(), watchers=[lambda _, event, __: heard.append(event)])
        async with station(config, SimBoard.of([EvseInfo(1)]), folder, options) as handle:
            await asyncio.sleep(0.1)
            for each in commands:
                command: Command = each(heard) if callable(each) else each
                handle.shell._carry_out(command)
                await asyncio.sleep(0.1)
            assert handle.station.wiring.context.certificates.own == next(e for e in reversed(heard) if isinstance(e, CertificatesRead)).own

    run_virtual(main())
    return [each for each in heard if each is not None]


def adopt(heard: list[Any]) -> Command:
    made = next(each for each in heard if isinstance(each, CsrMade))
    return AdoptChain("3", made.slot, ca.chain_for(made.pem))


def test_what_was_installed_is_there_after_a_restart_and_no_key_is_anywhere_else(tmp_path: Path) -> None:
    config = StationConfig()
    heard = a_life(
        config,
        tmp_path,
        InstallRoot("1", "CSMSRootCertificate", ca.root_pem),
        MakeCsr("2", "ChargingStationCertificate", Subject("CP-1")),
        adopt,
    )
    assert isinstance(heard[0], PoweredUp)
    assert next(each for each in heard if isinstance(each, CertificatesRead)) == CertificatesRead()
    assert [each for each in heard if isinstance(each, CertificateStored)] == [CertificateStored("1"), CertificateStored("3")]
    again = a_life(config, tmp_path)
    (read_again,) = [each for each in again if isinstance(each, CertificatesRead)]
    assert ([each.use for each in read_again.roots], [each.state for each in read_again.own]) == (["CSMSRootCertificate"], ["active"])
    (key,) = (tmp_path / "certificates" / "own").glob("*.key")
    lines = key.read_bytes().splitlines()[1:-1]
    files = [each for each in tmp_path.rglob("*") if each.is_file() and each != key]
    assert any(b"CertificatesRead" in each.read_bytes() for each in files)
    assert not [each for each in files if any(line in each.read_bytes() for line in lines) or b"PRIVATE KEY" in each.read_bytes()]


def test_a_station_without_certificates_reads_nothing(tmp_path: Path) -> None:
    a_life(StationConfig(), tmp_path)
    assert not (tmp_path / "certificates").exists()
    assert not worth_opening(StationConfig(), tmp_path)
    assert worth_opening(StationConfig(csms=CsmsConfig(ca_file="x")), tmp_path)


def test_everything_that_the_configuration_names_is_what_it_begins_with(tmp_path: Path) -> None:
    fresh_pki(tmp_path / "pki")
    chain, key = ca.write_own(tmp_path / "csms")
    (tmp_path / "tree" / "ca" / "mf").mkdir(parents=True)
    (tmp_path / "tree" / "ca" / "mf" / "any.pem").write_text(ca.root_pem)
    ca.write_own(tmp_path / "tree" / "client" / "csms")
    (tmp_path / "root.pem").write_text(ca.root_pem)
    config = StationConfig(
        csms=CsmsConfig(ca_file=str(tmp_path / "root.pem"), client_cert_file=str(chain), client_key_file=str(key)),
        certificates=CertificatesConfig(folder=str(tmp_path / "elsewhere"), tree=str(tmp_path / "tree")),
        evses=tuple(EvseConfig(number, v2g=V2gConfig(interface="a", pki_dir=str(tmp_path / "pki"))) for number in (1, 2)),
    )
    store = open_store(config, tmp_path / "state")
    contents = store.contents()
    assert (tmp_path / "elsewhere" / "index.json").exists()
    assert {each.use for each in contents.roots} == {f"{name}RootCertificate" for name in ("CSMS", "V2G", "MO", "OEM", "Manufacturer")}
    assert {(each.use, each.kind) for each in contents.own} == {
        ("ChargingStationCertificate", "p256"),
        ("V2GCertificate", "p256"),
        ("V2G20Certificate", "p521"),
        ("V2G20Certificate", "ed448"),
    }
    assert [each for each in store.notes if "another chain of the configuration" in each]


def test_bench_station_begins_with_its_tree(tmp_path: Path) -> None:
    folder = tmp_path / "certs" / "ca" / "v2g"
    folder.mkdir(parents=True)
    (folder / "root.pem").write_text(ca.root_pem)
    ca.write_own(tmp_path / "certs" / "client" / "cso")
    before = {each: each.read_bytes() for each in (tmp_path / "certs").rglob("*") if each.is_file()}
    (tmp_path / "x.json").write_text(
        f'{{"charge_point_id": "CP", "csms_url": "ws://x", "control": "127.0.0.1:8080", "state_dir": "{tmp_path}/state", "certs_dir": "{tmp_path}/certs"}}'
    )
    config = read(tmp_path / "x.json").station
    store = open_store(config, tmp_path / "state")
    assert [each.use for each in store.contents().roots] == ["V2GRootCertificate"]
    (own,) = store.contents().own
    assert (own.use, own.configured) == ("V2GCertificate", True)
    store.delete_own(own.slot)
    assert {each: each.read_bytes() for each in before} == before


def test_a_process_that_holds_keys_writes_no_core_and_nothing_for_others() -> None:
    code = """
import os, resource
from chargepoint.runtime.run import keep_secrets
keep_secrets()
print(resource.getrlimit(resource.RLIMIT_CORE), oct(os.umask(0)))
"""
    said = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert said == "(0, 0) 0o77\n"


@pytest.mark.parametrize("backend", ["pkcs11", "tpm2"])
def test_keys_in_a_token_are_the_configurations(tmp_path: Path, backend: Any) -> None:
    certificates = CertificatesConfig(backend=backend, module="/x.so", token="pkcs11:token=a", pin_file="/pin")
    store: Any = open_store(StationConfig(certificates=certificates), tmp_path)
    assert store._keys.kinds == (("p256", "p521") if backend == "pkcs11" else ("p256",))
    assert store._keys.reference("slot") == b"pkcs11:token=a;object=slot;pin-source=/pin;type=private"
