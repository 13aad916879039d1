"""What the configuration names: the certificates that a station starts with. Its files are read, and never changed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

from certs.reading import fingerprint, kind_of
from certs.store import InstalledRoot, OwnChain, OwnUse, RootUse, StoreError
from certs.store.reading import (
    MOST_IN_CHAIN,
    MOST_OCTETS,
    certificates,
    one_line,
    pem_of,
    private_key,
    root_of,
    spki_of,
    validity,
)

OPENED_BY = "_PASSWORD.txt"
"""Ends the name of the file with a key's password."""
PREFIX = "configured-"
"""Begins the name of a slot that lies in files of the configuration; the fingerprint of its leaf ends it, as other files are another slot."""
NAMED_BY = 16
"""Digits of the fingerprint (ours)."""
TREE_ROOTS: dict[str, RootUse] = {
    "csms": "CSMSRootCertificate",
    "v2g": "V2GRootCertificate",
    "mo": "MORootCertificate",
    "mf": "ManufacturerRootCertificate",
    "oem": "OEMRootCertificate",
}
"""Folder below `ca/` -> what its certificates are trusted for."""
TREE_OWN: dict[str, OwnUse] = {"csms": "ChargingStationCertificate", "cso": "V2GCertificate"}
"""Folder below `client/` -> what its chain is for; those of cso serve ISO 15118-20 where they have one of its keys."""


@dataclass(frozen=True, slots=True)
class OwnFiles:
    """A chain and its key."""

    use: OwnUse
    chain: Path
    key: Path


@dataclass(frozen=True, slots=True)
class Configured:
    """Files by what they are for."""

    roots: tuple[tuple[RootUse, Path], ...] = ()
    own: tuple[OwnFiles, ...] = ()

    def __add__(self, other: Configured) -> Configured:
        return Configured((*self.roots, *other.roots), (*self.own, *other.own))


NOTHING = Configured()


@dataclass(frozen=True, slots=True)
class OwnRead:
    """A chain with its key, as it was read."""

    chain: OwnChain
    fingerprint: str
    key: bytes = field(repr=False)


def place_of(slot: str) -> str:
    """The name of such a slot without what is in it; "" for others."""
    return slot.rpartition("-")[0] if slot.startswith(PREFIX) else ""


def of_pki_folder(folder: Path) -> Configured:
    """The folder of `[evses.v2g] pki_dir` (`certs.pki_files`); what is not there is left out."""
    roots: list[tuple[RootUse, Path]] = []
    own: list[OwnFiles] = []
    below: Sequence[tuple[str, OwnUse]] = (("", "V2GCertificate"), ("iso20", "V2G20Certificate"), ("iso20/ed448", "V2G20Certificate"))
    for name, use in below:
        at = folder / name
        roots += [(TREE_ROOTS[each], at / f"{each}RootCACert.pem") for each in ("v2g", "mo", "oem")]
        own.append(OwnFiles(use, at / "cpoCertChain.pem", at / "seccLeaf.key"))
    return Configured(tuple(each for each in roots if each[1].exists()), tuple(each for each in own if each.chain.exists()))


def of_tree(folder: Path) -> Configured:
    """`ca/csms`, `ca/v2g`, `ca/mo`, `ca/mf`, `ca/oem`, `client/csms`, `client/cso`: files *.pem and *.key, whatever they are called.

    A key may be encrypted, where its password lies beside it.
    """
    roots = [(use, path) for name, use in TREE_ROOTS.items() for path in sorted((folder / "ca" / name).glob("*.pem"))]
    own: list[OwnFiles] = []
    for name, use in TREE_OWN.items():
        keys = {_public(key): key for key in sorted((folder / "client" / name).glob("*.key"))}
        for chain in sorted((folder / "client" / name).glob("*.pem")):
            leaf, kind = _leaf(chain)
            if leaf and leaf in keys:
                own.append(OwnFiles("V2G20Certificate" if name == "cso" and kind in ("p521", "ed448") else use, chain, keys[leaf]))
    return Configured(tuple(roots), tuple(own))


def _public(path: Path) -> bytes:
    """Of a key file; empty where it cannot be read."""
    try:
        return spki_of(getattr(private_key(plain_key(path)), "public_key", object)())
    except StoreError:
        return b""


def _leaf(path: Path) -> tuple[bytes, str]:
    """Public key and its kind."""
    try:
        key = certificates(_octets(path))[0].public_key()
    except StoreError:
        return b"", ""
    return spki_of(key), kind_of(key)


def roots(configured: Configured, notes: list[str]) -> list[InstalledRoot]:
    """Each once. A file that cannot be used is said in `notes`, and left out."""
    found: dict[tuple[RootUse, str], InstalledRoot] = {}
    for use, path in configured.roots:
        try:
            for each in certificates(_octets(path)):
                found.setdefault((use, fingerprint(each)), root_of(use, each, configured=True))
        except StoreError as error:
            notes.append(f"{path}: {error}")
    return list(found.values())


def own(configured: Configured, notes: list[str]) -> Iterator[OwnRead]:
    """One for each use and kind: the first."""
    seen: dict[tuple[str, str], str] = {}
    for files in configured.own:
        try:
            read = _own(files)
        except StoreError as error:
            notes.append(f"{files.chain}: {error}")
            continue
        place = (read.chain.use, read.chain.kind)
        if place not in seen:
            seen[place] = read.fingerprint
            yield read
        elif seen[place] != read.fingerprint:
            notes.append(f"{files.chain}: another chain of the configuration is the {read.chain.use} with a key of kind {read.chain.kind}")


def _own(files: OwnFiles) -> OwnRead:
    chain = certificates(_octets(files.chain), most=MOST_IN_CHAIN)
    key = plain_key(files.key)
    public = chain[0].public_key()
    if getattr(private_key(key), "public_key", object)() != public:
        raise StoreError("KeyMismatch", f"{files.key} is not the key of its first certificate")
    kind = kind_of(public)
    begins, ends = validity(chain)
    slot = f"{PREFIX}{files.use}-{kind}-{fingerprint(chain[0])[:NAMED_BY]}"
    told = OwnChain(files.use, slot, "active", kind, pem_of(chain), "", one_line(chain[0]), begins, ends, configured=True)
    return OwnRead(told, fingerprint(chain[0]), key)


def plain_key(path: Path) -> bytes:
    """PEM of a key file; of one that is encrypted, with its password beside it in NAME_PASSWORD.txt, as it is without. Raises StoreError."""
    octets, password = _octets(path), path.with_name(f"{path.stem}{OPENED_BY}")
    if not password.is_file():
        return octets
    try:
        key = load_pem_private_key(octets, _octets(password).strip())
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return octets
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _octets(path: Path) -> bytes:
    try:
        if path.stat().st_size > MOST_OCTETS:
            raise StoreError("Invalid", f"more than {MOST_OCTETS} octets")
        return path.read_bytes()
    except OSError as error:
        raise StoreError("Failed", f"{path}: {error.strerror or error}") from None
