"""What vehicles are shown comes out of the store, anew for each handshake: chains, roots and staples that change while sessions go on."""

from __future__ import annotations

import asyncio
import datetime as dt
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import NameOID

from certs import testpki
from certs.store import Subject
from certs.store.configured import Configured, of_pki_folder
from certs.store.files import FileStore
from certs.store.keys import FileKeys
from certs.store.pkcs11 import Token, token_keys
from certs.testpki_make import issue
from chargepoint.commands import SetStaples
from chargepoint.config import EvseConfig, StationConfig, V2gConfig
from chargepoint.runtime.ports.certificates import Held, Keeper
from chargepoint.runtime.ports.vehicle import VehiclePort
from chargepoint.runtime.v2g_chains import SeccChains
from chargepoint.runtime.v2g_tls import Chains, Secured, Version, station, vehicle
from tests.unit.certs.store_rig import QuickDisk
from tests.unit.runtime.test_v2g_tls_secured import meet
from tests.unit.runtime.v2g_tls_rig import NOW, folder, pki

MADE = {kind: testpki.build(kind, seed=b"rig", now=NOW) for kind in ("p256", "p521")}
OTHER = testpki.build("p521", seed=b"other", now=NOW)
SOFTHSM = Path("/usr/lib/softhsm/libsofthsm2.so")


class Site:
    """A store over the folder that is configured, and what the station makes of it."""

    def __init__(self, at: Path, given: Configured | None = None, keys: Any = FileKeys, module: str = "") -> None:
        self.store = FileStore(at / "store", of_pki_folder(folder()) if given is None else given, disk=QuickDisk(), keys=keys)
        self.keeper = Keeper(lambda: self.store)
        self.keeper.read()
        self.chains = SeccChains(lambda: self.keeper.held, module)
        self.make, _ = station(folder(), "any", current=self.chains.over)

    def adopt(self, kind: Any = "p521", name: str = "DETSTE000002") -> str:
        use: Any = "V2GCertificate" if kind == "p256" else "V2G20Certificate"
        slot, csr = self.store.make_request(use, kind, Subject(name))
        self.store.adopt(slot, certified(csr, kind, name))
        self.keeper.read()
        return slot

    def session(self, version: Version = "1.3", seed: bytes = b"rig") -> tuple[Secured, Secured]:
        charger, (car, _) = self.make(), vehicle(folder(seed=seed), version)
        meet(charger, car)
        return charger, car


def certified(csr: str, kind: Any, name: str) -> str:
    """The chain that a CA below the V2G root gives for a request."""
    spec = replace(testpki.spec_of("seccLeaf", kind, seed=b"rig", now=NOW), common_name=name, serial=77)
    request: Any = x509.load_pem_x509_csr(csr.encode())
    made = MADE[kind]
    certificates = (issue(spec, request, made["cpoSub2"].key), *made["cpoSub2"].chain)
    return b"".join(each.public_bytes(Encoding.PEM) for each in certificates).decode()


def shown(car: Secured) -> str:
    """The name in the station's certificate."""
    leaf = x509.load_der_x509_certificate(car.engine.peer_chain[0])
    return str(leaf.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value)


def staples(car: Secured) -> tuple[bytes, ...]:
    engine: Any = car.engine
    found: tuple[bytes, ...] = engine.staples
    return found


def good(name: str, issuer: str, *, kind: str = "p521", days: int = 1) -> bytes:
    of, by = MADE[kind][name], MADE[kind][issuer]
    builder = ocsp.OCSPResponseBuilder().add_response(
        of.certificate, by.certificate, hashes.SHA256(), ocsp.OCSPCertStatus.GOOD, NOW, NOW + dt.timedelta(days=days), None, None
    )
    signed = builder.responder_id(ocsp.OCSPResponderEncoding.HASH, by.certificate).sign(by.key, hashes.SHA256())
    return signed.public_bytes(Encoding.DER)


ALL = (("seccLeaf", "cpoSub2"), ("cpoSub2", "cpoSub1"), ("cpoSub1", "v2gRoot"))


def configured_slot(site: Site, use: str, kind: str) -> str:
    return next(each.slot for each in site.keeper.held.contents.own if each.configured and (each.use, each.kind) == (use, kind))


@pytest.mark.req("A02.FR.23")
@pytest.mark.parametrize(("kind", "version"), [("p521", "1.3"), ("p256", "1.2")])
@pytest.mark.req("A02.FR.15", "A03.FR.15")
def test_a_chain_that_was_adopted_is_for_the_next_handshake(tmp_path: Path, kind: str, version: Version) -> None:
    site = Site(tmp_path)
    charger, car = site.session(version)
    assert shown(car) == "DETSTE000001"
    site.adopt(kind)
    assert charger.received(car.wrapped(b"ChargeLoopReq")) == b"ChargeLoopReq", "what stands goes on"
    assert shown(site.session(version)[1]) == "DETSTE000002"
    assert shown(site.session("1.2" if version == "1.3" else "1.3")[1]) == "DETSTE000001", "the other edition's is as it was"
    site.store.roll_back("V2GCertificate" if kind == "p256" else "V2G20Certificate")
    site.keeper.read()
    assert shown(site.session(version)[1]) == "DETSTE000001"
    assert charger.received(car.wrapped(b"SessionStopReq")) == b"SessionStopReq"


def test_roots_of_vehicles_that_come_and_go(tmp_path: Path) -> None:
    site = Site(tmp_path)
    plan_of_other = vehicle(folder(seed=b"other"), "1.3")[0]
    for_both = replace(plan_of_other.engine.plan, roots=pki().iso20.v2g_roots)  # type: ignore[union-attr]

    def comes() -> bool:
        engine = type(plan_of_other.engine)(for_both)  # type: ignore[arg-type, call-arg]
        charger = site.make()
        meet(charger, Secured(engine))
        return charger.verified

    with pytest.raises(ConnectionError, match=r"nor a root that is known here \(alert 48"):
        comes()
    root = OTHER["oemRoot"].certificate_pem.decode()
    site.store.install_root("OEMRootCertificate", root)
    site.keeper.read()
    assert comes()
    fingerprint = next(each.fingerprint for each in site.store.contents().roots if each.pem == root)
    site.store.delete_root(fingerprint)
    site.keeper.read()
    with pytest.raises(ConnectionError, match="alert 48"):
        comes()


def test_a_chain_answers_to_the_root_that_it_is_below(tmp_path: Path) -> None:
    """And to no other one that is installed: what a vehicle names decides which chain it gets."""
    site = Site(tmp_path)
    site.adopt("p521")
    site.store.install_root("V2GRootCertificate", OTHER["v2gRoot"].certificate_pem.decode())
    site.keeper.read()
    chains = site.chains.over(station_chains(site))
    assert [len(each.roots) for each in chains.iso20] == [1, 1], "each is below one of them"
    assert {each.roots for each in chains.iso20} <= {pki().iso20.v2g_roots, pki().iso20_ed448.v2g_roots}


def station_chains(site: Site) -> Any:
    seen: list[Any] = []

    def current(chains: Chains) -> Chains:
        seen.append(chains)
        return site.chains.over(chains)

    make, _ = station(folder(), "any", current=current)
    make()
    return seen[0]


def test_an_adopted_chain_that_has_expired_gives_way_to_a_configured_one_once_the_clock_is_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = Site(tmp_path)
    site.adopt("p521")
    site.adopt("p521", "DETSTE000003")
    ends = next(each.not_after_utc for each in site.keeper.held.contents.own if each.state == "active" and not each.configured)
    contents = site.keeper.held.contents
    own = tuple(replace(each, not_after_utc=ends + 9) if each.configured else each for each in contents.own)
    site.keeper.held = replace(site.keeper.held, contents=replace(contents, own=own))
    at: list[float | None] = [None]
    chains = replace(station_chains(site), clock=lambda: at[0])

    def leafs() -> dict[str, bool]:
        """By kind of key: whether it is one of the configuration."""
        found = {each.slot: each for each in own}
        given = [site.keeper.held.identity(slot) for slot, each in found.items() if each.configured]
        return {each.kind: any(each.certificates == one.chain for one in given if one) for each in site.chains.over(chains).iso20}

    assert leafs() == {"p521": False, "ed448": True}, "nobody knows what time it is"
    for at[0], configured in ((ends - 1, False), (ends + 1, True), (None, False)):
        assert leafs() == {"p521": configured, "ed448": True}
    chains = replace(chains, clock=None)
    monkeypatch.setattr(time, "time", lambda: ends + 1)
    assert leafs() == {"p521": True, "ed448": True}, "the host's own clock"
    chains = replace(chains, check_time=False)
    assert leafs() == {"p521": False, "ed448": True}


@pytest.mark.req("M06.FR.04")
def test_staples_are_replaced_in_flight(tmp_path: Path) -> None:
    site = Site(tmp_path)
    charger, car = site.session()
    assert staples(car) == ()
    first = tuple(good(*each) for each in ALL)
    site.chains.staple(configured_slot(site, "V2G20Certificate", "p521"), first)
    assert staples(site.session()[1]) == first, "leaf and sub-CAs"
    second = tuple(good(*each, days=3) for each in ALL)
    site.chains.staple(configured_slot(site, "V2G20Certificate", "p521"), second)
    assert staples(site.session()[1]) == second
    site.chains.staple(configured_slot(site, "V2G20Certificate", "p521"), (second[0], b"", second[2]))
    assert staples(site.session()[1]) == second[:1]
    site.chains.staple(configured_slot(site, "V2G20Certificate", "p521"), (b"", b"", b""))
    assert staples(site.session()[1]) == ()
    assert charger.received(car.wrapped(b"ChargeLoopReq")) == b"ChargeLoopReq"
    of_2 = good("seccLeaf", "cpoSub2", kind="p256")
    site.chains.staple(configured_slot(site, "V2GCertificate", "p256"), (of_2, good("cpoSub2", "cpoSub1", kind="p256")))
    assert staples(site.session("1.2")[1]) == (of_2,), "TLS 1.2 has room for one"


@pytest.mark.parametrize(
    "make",
    [lambda: b"rubbish", lambda: good("contractLeaf", "moSub2"), lambda: good("seccLeaf", "cpoSub2", days=-1)],
    ids=["rubbish", "another's", "too old"],
)
def test_a_staple_that_is_none_costs_no_session(tmp_path: Path, make: Callable[[], bytes]) -> None:
    response = make()
    site = Site(tmp_path)
    site.chains.staple(configured_slot(site, "V2G20Certificate", "p521"), (response,))
    car = site.session()[1]
    assert car.ready
    assert staples(car) in {(), (response,)}


def test_staples_stay_with_their_chain(tmp_path: Path) -> None:
    site = Site(tmp_path)
    site.chains.staple(configured_slot(site, "V2G20Certificate", "p521"), tuple(good(*each) for each in ALL))
    site.adopt()
    car = site.session()[1]
    assert (shown(car), staples(car)) == ("DETSTE000002", ())


def test_a_store_that_cannot_be_read_leaves_the_folder() -> None:
    chains = SeccChains(Held)
    make, _ = station(folder(), "any", current=chains.over)
    charger, car = make(), vehicle(folder(), "1.3")[0]
    meet(charger, car)
    assert shown(car) == "DETSTE000001"


def test_what_was_deleted_is_shown_no_more(tmp_path: Path) -> None:
    site = Site(tmp_path)
    for each in site.store.contents().own:
        if each.use == "V2G20Certificate":
            site.store.delete_own(each.slot)
    site.keeper.read()
    assert site.session("any")[1].version == "1.2"
    with pytest.raises(ConnectionError, match="nothing in common"):
        site.session("1.3")


def test_an_evse_with_a_folder_of_its_own_shows_what_lies_there(tmp_path: Path) -> None:
    site = Site(tmp_path, of_pki_folder(folder()) + of_pki_folder(folder(seed=b"other")))
    make, _ = station(folder(seed=b"other"), "any", current=site.chains.over)
    charger, car = make(), vehicle(folder(seed=b"other"), "1.3")[0]
    meet(charger, car)
    assert car.verified
    assert charger.verified


def test_the_port_takes_staples_and_looks_into_the_store(tmp_path: Path) -> None:
    site = Site(tmp_path)
    v2g = V2gConfig(interface="lo", pki_dir=str(folder()), protocols=("iso20-ac",))
    port = VehiclePort(StationConfig(evses=(EvseConfig(v2g=v2g),)), lambda _: None, NOW.timestamp, lambda: site.keeper.held)
    asyncio.run(port.start())
    response = good("seccLeaf", "cpoSub2")
    port.carry_out(SetStaples(configured_slot(site, "V2G20Certificate", "p521"), (response,)))
    make: Any = port.cables[1]._secure
    charger, car = make(), vehicle(folder(), "1.3")[0]
    meet(charger, car)
    assert staples(car) == (response,)
    site.adopt()
    charger, car = make(), vehicle(folder(), "1.3")[0]
    meet(charger, car)
    assert shown(car) == "DETSTE000002"


def test_a_key_in_a_token(tmp_path: Path, oracle: Callable[[str], str]) -> None:
    """In a process of its own: softhsm2 reads once where its tokens lie."""
    tool = oracle("softhsm2-util")
    (tmp_path / "tokens").mkdir()
    (tmp_path / "conf").write_text(f"directories.tokendir = {tmp_path}/tokens\nlog.level = ERROR\n")
    there = {**os.environ, "SOFTHSM2_CONF": str(tmp_path / "conf")}
    command = [tool, "--init-token", "--free", "--label", "v2g", "--pin", "1234", "--so-pin", "5678"]
    subprocess.run(command, check=True, capture_output=True, env=there)
    (tmp_path / "pin").write_text("1234")
    call = f"from pathlib import Path; from tests.unit.runtime import test_v2g_chains as it; it.shake_with_a_token(Path({str(tmp_path)!r}))"
    done = subprocess.run([sys.executable, "-c", call], capture_output=True, text=True, check=False, env=there)
    assert (done.returncode, done.stdout) == (0, "p521 1.3\np256 1.2\n"), done.stderr


def shake_with_a_token(at: Path) -> None:
    token = Token(str(SOFTHSM), "pkcs11:token=v2g", str(at / "pin"))
    site = Site(at, keys=token_keys(token), module=str(SOFTHSM))
    versions: tuple[tuple[str, Version], ...] = (("p521", "1.3"), ("p256", "1.2"))
    for kind, version in versions:
        site.adopt(kind)
        charger, car = site.session(version)
        if shown(car) == "DETSTE000002" and b"pkcs11:" in site.keeper.held.active("V2G20Certificate")[0].key:
            print(kind, charger.version)


def test_a_token_that_is_away_is_said(tmp_path: Path) -> None:
    site = Site(tmp_path)
    identity = replace(site.keeper.held.active("V2G20Certificate")[0], key=b"pkcs11:token=away;object=none;type=private")
    away = replace(
        site.keeper.held,
        contents=replace(site.keeper.held.contents, own=tuple(replace(each, configured=False) for each in site.keeper.held.contents.own)),
        identities=(identity,),
    )
    chains = SeccChains(lambda: away, "/nowhere.so")
    make, _ = station(folder(), "1.3", current=chains.over)
    with pytest.raises(ConnectionError, match=r"its key in the token.*\(alert 80 sent\)"):
        meet(make(), vehicle(folder(), "1.3")[0])
