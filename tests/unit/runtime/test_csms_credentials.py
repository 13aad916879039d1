"""What the store holds is what the next connection to the CSMS uses: roots, the chain that is shown, and the files where there is no store."""

from __future__ import annotations

import ssl
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from certs.store import Identity, InstalledRoot, OwnChain, RootUse
from certs.store.configured import Configured, OwnFiles
from certs.store.files import FileStore
from chargepoint.config import CsmsConfig
from chargepoint.events import LinkDown, LinkUp
from chargepoint.runtime.csms_credentials import credentials
from chargepoint.runtime.ports.certificates import Held, Keeper
from chargepoint.runtime.ports.csms import CsmsPort
from chargepoint.runtime.tls import TlsFiles, TlsSetupError, client_context
from tests.unit.certs.store_rig import QuickDisk
from tests.unit.runtime import tls_pki
from tests.unit.runtime.csms_rig import Ears, a_tls_csms, order, virtually, wait_closed
from tests.unit.runtime.tls_pki import CLIENT
from tests.unit.runtime.tls_pki import Identity as Party

OLD, OTHER = tls_pki.root("Old root"), tls_pki.root("Other root")
NEW = OLD.issue("New root", is_ca=True)
ORDER = order("wss://localhost/")
FILES = CsmsConfig(ca_file="roots.pem", client_cert_file="own.pem", client_key_file="own.key")


def pem_of(party: Party, folder: Path) -> str:
    return Path(party.write(folder, "root", chain=False)[0]).read_text()


def keeper(folder: Path, roots: list[Party], given: Configured = Configured()) -> Keeper:  # noqa: B008 it is frozen
    store = FileStore(folder / "store", given, disk=QuickDisk())
    for each in roots:
        store.install_root("CSMSRootCertificate", pem_of(each, folder))
    found = Keeper(lambda: store)
    found.read()
    return found


def reached(server: Party, files: TlsFiles, folder: Path, profile: int = 2, client_root: Party | None = None) -> LinkUp | LinkDown:
    """What comes of an attempt."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*server.write(folder, "server"))
    if client_root is not None:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(client_root.write(folder, "clients", chain=False)[0])
    found: list[LinkUp | LinkDown] = []

    async def story() -> None:
        async with a_tls_csms(wait_closed, context) as url:
            ears = Ears()
            port = CsmsPort(ears, lambda _: files, threaded=False)
            port.carry_out(order(url, security_profile=profile))
            event = await ears.queue.get()
            assert isinstance(event, (LinkUp, LinkDown))
            found.append(event)
            await port.stop()

    virtually(story())
    return found[0]


def test_without_a_store_the_files_of_the_configuration_are_used() -> None:
    assert credentials(FILES, Held, ORDER) == TlsFiles("roots.pem", "own.pem", "own.key")


def test_a_root_that_was_deleted_is_not_replaced_by_those_of_the_system(tmp_path: Path) -> None:
    found = keeper(tmp_path, [])
    files = credentials(FILES, lambda: found.held, ORDER)
    assert (files.roots, files.system, files.ca_file) == ("", False, "")
    assert client_context(files, 2).cert_store_stats()["x509_ca"] == 0
    assert credentials(CsmsConfig(), lambda: found.held, ORDER).system


@pytest.mark.req("M05.FR.02", "TC_M_01")
def test_a_root_that_was_installed_counts_for_the_next_connection(tmp_path: Path) -> None:
    found = keeper(tmp_path, [])
    now = partial(credentials, FILES, lambda: found.held, ORDER)
    server = OTHER.issue("localhost")
    assert isinstance(down := reached(server, now(), tmp_path), LinkDown)
    assert down.cause == "certificate"
    found._opened().install_root("CSMSRootCertificate", pem_of(OTHER, tmp_path))
    found.read()
    assert isinstance(reached(server, now(), tmp_path), LinkUp)


@pytest.mark.req("M05.FR.12", "M05.FR.13", "M05.FR.14")
def test_a_root_that_the_old_one_has_signed_is_one_and_the_old_one_can_be_left_out(tmp_path: Path) -> None:
    found = keeper(tmp_path, [OLD, NEW])
    old = next(each.fingerprint for each in found.held.contents.roots if "Old" in each.subject)
    by_old, by_new = OLD.issue("localhost"), NEW.issue("localhost")
    both = credentials(FILES, lambda: found.held, ORDER)
    only_new = credentials(FILES, lambda: found.held, replace(ORDER, distrusted=(old,)))
    assert isinstance(reached(by_new, only_new, tmp_path), LinkUp)
    assert isinstance(down := reached(by_old, only_new, tmp_path), LinkDown)
    assert down.cause == "certificate"
    assert isinstance(reached(by_old, both, tmp_path), LinkUp)


@pytest.mark.req("A02.FR.08")
def test_the_chain_of_the_store_is_shown_and_no_key_is_written_anywhere(tmp_path: Path) -> None:
    chain, key = OLD.issue("SN1", usage=CLIENT).write(tmp_path, "own")
    given = Configured(own=(OwnFiles("ChargingStationCertificate", Path(chain), Path(key)),))
    found = keeper(tmp_path, [OTHER], given)
    files = credentials(FILES, lambda: found.held, ORDER)
    assert b"PRIVATE" in files.key
    assert "PRIVATE" not in repr(files)
    before = len([*Path("/proc/self/fd").iterdir()])
    assert isinstance(reached(OTHER.issue("localhost"), files, tmp_path, 3, client_root=OLD), LinkUp)
    client_context(files, 3)
    assert len([*Path("/proc/self/fd").iterdir()]) == before


def slot(name: str, *, configured: bool = False, begins: float = 0.0) -> OwnChain:
    return OwnChain("ChargingStationCertificate", name, "active", "p256", "PEM", not_before_utc=begins, configured=configured)


@pytest.mark.req("A02.FR.09")
def test_of_several_the_newest_is_shown_unless_another_one_is_wanted() -> None:
    own = (slot("given", configured=True, begins=9.0), slot("first", begins=1.0), slot("second", begins=2.0))
    identities = tuple(Identity(each.slot, each.kind, each.slot.encode(), b"key") for each in own)
    root: RootUse = "CSMSRootCertificate"
    held = Held(replace(Held().contents, own=own, roots=(InstalledRoot(root, "R", "f", "s", 0.0, 1.0),)), identities, read=True)

    def chosen(slot: str = "") -> bytes:
        return credentials(FILES, lambda: held, replace(ORDER, own_slot=slot)).chain

    assert chosen() == b"second"
    assert chosen("given") == b"given"
    assert chosen("gone") == b"second"


def test_a_key_in_a_token_is_refused_in_words() -> None:
    with pytest.raises(TlsSetupError, match="token"):
        client_context(TlsFiles(roots="", system=False, chain=b"chain", key=b"pkcs11:token=x"), 3)


def test_what_is_no_chain_is_refused_without_a_word_of_the_key() -> None:
    with pytest.raises(TlsSetupError, match="client_cert_file of the store") as refused:
        client_context(TlsFiles(system=False, chain=b"no chain", key=b"SECRET"), 3)
    assert "SECRET" not in str(refused.value)
