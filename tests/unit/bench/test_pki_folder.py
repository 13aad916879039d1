"""Plug & Charge out of the folder that --pki names."""

from __future__ import annotations

import datetime as dt
import io
import shutil
from pathlib import Path
from typing import Any

import pytest

from bench.exi.given import InputError
from bench.v2g import ev, pki_folder, secc
from bench.v2g.charger import Charger, every_way
from bench.v2g.model import Vehicle
from bench.v2g.pair import UTC, Pair
from certs import testpki
from iso15118.evcc.terms import Authorized, ContractInstalled, Wants
from iso15118.terms import ContractRefused, ContractShown, Payment
from iso15118.trust import Refusal
from tests.behaviour.iso20_rig import ended_well, told

NOW = dt.datetime.fromtimestamp(UTC, dt.UTC)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("pki")
    testpki.write(made, seed=b"folder", now=NOW)
    return made


def paired(folder: Path, theirs: Path | None = None, auth: str = "eim,pnc", car: str = "pnc,eim") -> Pair:
    wants = Wants(loops=3)
    pki_folder.fill(wants, theirs or folder, car)
    peer = pki_folder.peer(auth)
    facts = every_way(payments=pki_folder.payments(auth), trust=pki_folder.trust(folder, peer_profile=peer), certificate_installation=True)
    charger = Charger(facts)
    service = pki_folder.service(folder, b"seed", NOW)
    if service is not None:
        charger.provides = service.answer
    return Pair(charger, Vehicle(wants=wants))


def without(folder: Path, to: Path, *names: str) -> Path:
    shutil.copytree(folder, to)
    for name in names:
        for path in to.rglob(name):
            path.unlink()
    return to


def test_a_contract_that_the_folders_operator_has_made(folder: Path) -> None:
    pair = paired(folder).session()
    ended_well(pair)
    assert told(pair, Authorized, "ev") == [Authorized(Payment.PNC, "DETSTC00000001")]


def test_of_ed448_where_there_is_nothing_else(folder: Path, tmp_path: Path) -> None:
    theirs = without(folder, tmp_path / "pki")
    for path in (theirs / "iso20").glob("*.pem"):
        if path.name.startswith(("contract", "oemCert")):
            path.unlink()
    pair = paired(folder, theirs).session()
    ended_well(pair)
    assert told(pair, ContractShown)[0].emaid == "DETSTC00000001"


def test_a_contract_is_made_where_the_folder_has_the_keys_for_it(folder: Path, tmp_path: Path) -> None:
    pair = paired(folder, without(folder, tmp_path / "pki", "contractCertChain.pem")).session()
    ended_well(pair)
    assert [each.contract.emaid for each in told(pair, ContractInstalled, "ev")] == ["DETSTC00000001"]


def test_a_folder_without_these_keys_makes_none(folder: Path, tmp_path: Path) -> None:
    assert pki_folder.service(without(folder, tmp_path / "pki", "moSub2.key"), b"seed", NOW) is None


@pytest.mark.parametrize("auth", ["eim,pnc", "eim,pnc-p256"])
def test_contracts_of_iso_15118_2_count_where_that_is_asked_for_by_name(folder: Path, tmp_path: Path, auth: str) -> None:
    theirs = without(folder, tmp_path / "pki")
    shutil.rmtree(theirs / "iso20")
    pair = paired(folder, theirs, auth, "pnc-p256,eim")
    pair.session()
    ended_well(pair)
    if auth == "eim,pnc":
        assert "its key is p256, not p521 or ed448" in told(pair, ContractRefused)[0].why
        assert told(pair, Authorized, "ev") == [Authorized(Payment.EIM)]
    else:
        assert told(pair, Authorized, "ev") == [Authorized(Payment.PNC, "DETSTC00000001")]


def test_a_vehicle_with_contracts_of_iso_15118_2_only_shows_none_of_them(folder: Path, tmp_path: Path) -> None:
    theirs = without(folder, tmp_path / "pki")
    shutil.rmtree(theirs / "iso20")
    pair = paired(folder, theirs).session()
    ended_well(pair)
    assert told(pair, ContractRefused) == []
    assert told(pair, Authorized, "ev") == [Authorized(Payment.EIM)]


@pytest.mark.parametrize(
    ("words", "found"),
    [("eim", (Payment.EIM,)), ("PNC", (Payment.PNC,)), ("pnc, eim", (Payment.PNC, Payment.EIM)), ("pnc,pnc-p256", (Payment.PNC,))],
)
def test_ways_to_pay(words: str, found: tuple[Payment, ...]) -> None:
    assert pki_folder.payments(words) == found


def test_what_is_no_way_to_pay() -> None:
    with pytest.raises(InputError, match=r"--auth cash: no such way to pay; there are eim, pnc, pnc-p256"):
        pki_folder.payments("eim,cash")


def test_a_charger_needs_tls_for_it(folder: Path) -> None:
    clock: Any = None
    with pytest.raises(InputError, match="--auth pnc needs --tls and --pki DIR"):
        secc.Bench(secc.Options("lo", pki=folder, auth="pnc"), clock, io.StringIO())


def test_a_vehicle_too(folder: Path) -> None:
    with pytest.raises(InputError, match="--auth pnc needs --tls and --pki DIR"):
        ev.vehicle_for(ev.Options("lo", pki=folder, auth="pnc"))


def test_a_vehicle_whose_contract_nobody_pays_has_not_charged(folder: Path) -> None:
    """Which is what the command's exit code says."""
    pair = paired(folder, car="pnc").session()
    assert ev.charged(pair.vehicle)
    pair = paired(folder, car="pnc")
    pair.charger.pays = lambda _: Refusal.NOT_ACCEPTED
    pair.session()
    ended_well(pair)
    assert not ev.charged(pair.vehicle)


def test_nobody_to_trust(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no moRootCACert.pem to know contracts by"):
        pki_folder.trust(without(folder, tmp_path / "pki", "moRootCACert.pem"), peer_profile=False)


def test_nothing_to_pay_with(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"neither contractCertChain.pem nor oemCertChain.pem"):
        pki_folder.fill(Wants(), without(folder, tmp_path / "pki", "contractCertChain.pem", "oemCertChain.pem"), "pnc")
