"""A whole PKI for benches and tests, drawn from a seed: who is who in ISO 15118-2 and -20, in OCPP, and who tells what is revoked.

Anybody who knows the seed has every private key: nothing here is for a station that earns money.
Profiles [K]: validity, path lengths and key usages as the certificate annexes of the two editions have them, from memory.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Literal, NamedTuple, TypeAlias

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from certs.contract import ed448_of
from certs.pki_files import PkiError
from certs.testpki_make import Identity, Key, Kind, Spec, drawn, issue, key_of, name_of

__all__ = [
    "CHAINS",
    "FOLDERS",
    "ROOTS",
    "TREE",
    "WRONGS",
    "Identity",
    "Key",
    "Kind",
    "Line",
    "Wrong",
    "build",
    "line_of",
    "spec_of",
    "write",
    "wrong_of",
]

Wrong: TypeAlias = Literal["", "expired", "not_yet_valid", "wrong_root", "leaf_is_ca", "no_digital_signature"]
WRONGS: tuple[Wrong, ...] = ("expired", "not_yet_valid", "wrong_root", "leaf_is_ca", "no_digital_signature")
"""What may be wrong with the leafs of a PKI that is made for negative tests."""

FOLDERS: tuple[tuple[str, Kind], ...] = (("", "p256"), ("iso20", "p521"), ("iso20/ed448", "ed448"))
YEAR = 365
SKEW = dt.timedelta(days=1)
"""Certificates begin a day ago: clocks on a bench differ."""
LONG_AGO, FAR_AHEAD = dt.timedelta(days=61), dt.timedelta(days=400)

OF_CA = ("key_cert_sign", "crl_sign")
OF_LEAF = {"p256": ("digital_signature", "key_agreement"), "p521": ("digital_signature",), "ed448": ("digital_signature",)}
OF_CONTRACT = {**OF_LEAF, "p256": ("digital_signature", "content_commitment", "key_encipherment", "key_agreement")}
OF_OEM = {**OF_LEAF, "p521": ("digital_signature", "key_agreement")}
SERVER, CLIENT, RESPONDER = ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.OCSP_SIGNING


class Line(NamedTuple):
    """One certificate of the tree. `path` is the path length of a CA, -1 for one without a limit, None for a leaf."""

    issuer: str
    common_name: str
    domain: str
    path: int | None
    days: int
    purpose: x509.ObjectIdentifier | None = None
    hosts: tuple[str, ...] = ()


TREE: Mapping[str, Line] = {
    "v2gRoot": Line("v2gRoot", "V2G Root CA", "V2G", -1, 40 * YEAR),
    "cpoSub1": Line("v2gRoot", "CPO Sub-CA 1", "V2G", 1, 4 * YEAR),
    "cpoSub2": Line("cpoSub1", "CPO Sub-CA 2", "V2G", 0, 2 * YEAR),
    "seccLeaf": Line("cpoSub2", "DETSTE000001", "CPO", None, 90, SERVER),
    "cpsSub1": Line("v2gRoot", "CPS Sub-CA 1", "CPS", 1, 4 * YEAR),
    "cpsSub2": Line("cpsSub1", "CPS Sub-CA 2", "CPS", 0, 2 * YEAR),
    "cpsLeaf": Line("cpsSub2", "Test CPS", "CPS", None, 90),
    "moRoot": Line("moRoot", "MO Root CA", "MO", -1, 40 * YEAR),
    "moSub1": Line("moRoot", "MO Sub-CA 1", "MO", 1, 4 * YEAR),
    "moSub2": Line("moSub1", "MO Sub-CA 2", "MO", 0, 4 * YEAR),
    "contractLeaf": Line("moSub2", "DETSTC00000001", "MO", None, 2 * YEAR),
    "oemRoot": Line("oemRoot", "OEM Root CA", "OEM", -1, 40 * YEAR),
    "oemSub1": Line("oemRoot", "OEM Sub-CA 1", "OEM", 1, 30 * YEAR),
    "oemSub2": Line("oemSub1", "OEM Sub-CA 2", "OEM", 0, 30 * YEAR),
    "oemLeaf": Line("oemSub2", "TSTPCID0000000001", "OEM", None, 25 * YEAR),
    "vehicleLeaf": Line("oemSub2", "TSTVEHICLE0000001", "OEM", None, 25 * YEAR, CLIENT),
    "csmsRoot": Line("csmsRoot", "CSMS Root CA", "", -1, 20 * YEAR),
    "csmsSub": Line("csmsRoot", "CSMS Sub-CA", "", 0, 5 * YEAR),
    "csmsLeaf": Line("csmsSub", "localhost", "", None, YEAR, SERVER, ("localhost", "127.0.0.1", "::1")),
    "stationLeaf": Line("csmsSub", "CP-0001", "", None, YEAR, CLIENT),
}
"""A PKI; of each of its CAs there is `Ocsp` with its name before it, too: who tells what it has revoked."""

NAMES20 = {"oemLeaf": "TSTP00000000000016", "vehicleLeaf": "TSTV0000000000000019"}
"""Common names of -20 where they have another form there: PCID and EVCCID (`certs.ids`)."""

CHAINS = {
    "cpoCertChain": "seccLeaf", "oemCertChain": "oemLeaf", "contractCertChain": "contractLeaf", "vehicleCertChain": "vehicleLeaf", "cpsCertChain": "cpsLeaf",
}  # fmt: skip
ROOTS = {"v2gRootCACert": "v2gRoot", "moRootCACert": "moRoot", "oemRootCACert": "oemRoot"}
CAS = tuple(name for name, line in TREE.items() if line.path is not None)
OCSP = "Ocsp"
OCPP = ("csms", "station")

STATION = {"ca/csms": "csmsRoot", "ca/v2g": "v2gRoot", "ca/mo": "moRoot", "ca/oem": "oemRoot", "ca/mf": "oemRoot"}
"""Roots of the tree that bench-station takes as its `certs_dir`."""
STATION_OWN = {
    "client/csms": ("stationLeaf", "CSMS_LEAF"), "client/cso": ("seccLeaf", "SECC_LEAF"),
    "client/mo": ("contractLeaf", "MO_LEAF"), "client/oem": ("oemLeaf", "OEM_LEAF"), "client/vehicle": ("vehicleLeaf", "VEHICLE_LEAF"),
}  # fmt: skip
"""Chains with their keys: the station's, and the simulated vehicles'."""
STATION_20 = "_20"
"""Ends the names of those of ISO 15118-20 (P-521)."""


def line_of(name: str) -> Line:
    """A line of TREE, or that of a CA's responder."""
    if not name.endswith(OCSP):
        return TREE[name]
    issuer = name.removesuffix(OCSP)
    return Line(issuer, f"{TREE[issuer].common_name} OCSP", "", None, 90, RESPONDER)


def spec_of(name: str, kind: Kind, *, seed: bytes, now: dt.datetime, serial_of: str = "", responder: str = "", lists: str = "") -> Spec:
    """What stands in a certificate of the tree, as it is when it is right."""
    line = line_of(name)
    is_ca = line.path is not None
    usages = {"contractLeaf": OF_CONTRACT, "oemLeaf": OF_OEM}.get(name, OF_LEAF)[kind]
    if name.endswith(OCSP):
        usages = ("digital_signature",)
    speaks_of_purpose = line.purpose is not None and (kind != "p256" or name.endswith(OCSP) or name.startswith(OCPP))  # -2 names none
    return Spec(
        common_name=line.common_name if kind == "p256" else NAMES20.get(name, line.common_name),
        issuer=_name(line.issuer, kind, seed),
        serial=int.from_bytes(drawn(seed, kind, name, serial_of, "serial", octets=8), "big") | 1,
        begins=now - SKEW,
        ends=now + dt.timedelta(days=line.days),
        unit=_unit(kind, seed),
        domain=line.domain,
        ca=is_ca,
        path=line.path if line.path is not None and line.path >= 0 else None,
        usages=OF_CA if is_ca else usages,
        purposes=(line.purpose.dotted_string,) if speaks_of_purpose and line.purpose else (),
        hosts=line.hosts,
        responder="" if line.issuer == name or name.endswith(OCSP) else responder,
        lists="" if line.issuer == name or name.endswith(OCSP) else lists,
    )


def build(kind: Kind, *, seed: bytes, now: dt.datetime, wrong: Wrong = "", responder: str = "", lists: str = "") -> dict[str, Identity]:
    """The tree of one kind of key, by the names of TREE, and the responders of its CAs. `responder` is where OCSP is asked (authorityInfoAccess),
    `lists` where revocation lists are (CRL distribution points).
    """
    made: dict[str, Identity] = {}
    for name in (*TREE, *(f"{each}{OCSP}" for each in CAS)):
        line, key = line_of(name), _key(name, kind, seed)
        is_root = line.issuer == name
        issuer_key = key if is_root else made[line.issuer].key
        if wrong == "wrong_root" and not is_root and line_of(line.issuer).path == -1 and not name.endswith(OCSP):
            issuer_key = key_of(kind, seed, f"{line.issuer} of somebody else")  # of the same name, so that only the signature shows it
        spec = spec_of(name, kind, seed=seed, now=now, serial_of=wrong, responder=responder, lists=lists)
        certificate = issue(_spoilt(spec, wrong, now) if line.path is None and not name.endswith(OCSP) else spec, key, issuer_key)
        made[name] = Identity(certificate, key, () if is_root else (certificate, *made[line.issuer].chain))
    return made


def _key(name: str, kind: Kind, seed: bytes) -> Key:
    """Of a contract one that its envelope has room for."""
    if kind == "ed448" and name == "contractLeaf":
        return ed448_of(drawn(seed, kind, name, octets=56))
    return key_of(kind, seed, name)


def _spoilt(spec: Spec, wrong: Wrong, now: dt.datetime) -> Spec:
    match wrong:
        case "expired":
            return replace(spec, begins=now - LONG_AGO, ends=now - SKEW)
        case "not_yet_valid":
            return replace(spec, begins=now + FAR_AHEAD, ends=now + FAR_AHEAD + LONG_AGO)
        case "leaf_is_ca":
            return replace(spec, ca=True, path=0)
        case "no_digital_signature":
            return replace(spec, usages=("key_agreement",))
        case _:
            return spec


def write(folder: Path, *, seed: bytes, now: dt.datetime, wrong: Wrong = "", responder: str = "") -> None:
    """The folder that `--pki` takes: P-256 for -2 in it, P-521 for -20 in iso20/, Ed448 in iso20/ed448/. Keys are readable by the owner only.

    In each of them `issuers/` has the CAs with their keys, and `ocsp/` their responders. `ocpp/` is for the CSMS and the station's connection,
    `station/` the tree that bench-station takes, with what its simulated vehicles show.
    """
    for below, kind in FOLDERS:
        target = folder / below
        made = build(kind, seed=seed, now=now, wrong=wrong, responder=responder)
        for name, of in ROOTS.items():
            _put(target / f"{name}.pem", made[of].certificate_pem)
        for name, of in CHAINS.items():
            _put(target / f"{name}.pem", made[of].chain_pem)
            _put(target / f"{of}.key", made[of].key_pem)
        for name in _issuers(kind):
            for where, each in ((f"issuers/{name}", made[name]), (f"ocsp/{name}", made[f"{name}{OCSP}"])):
                _put(target / f"{where}.pem", each.certificate_pem)
                _put(target / f"{where}.key", each.key_pem)
        if kind == "p256":
            _write_ocpp(folder, made)
        if kind != "ed448":
            _write_station(folder / "station", made, "" if kind == "p256" else STATION_20)


def _issuers(kind: Kind) -> Iterator[str]:
    return (each for each in CAS if kind == "p256" or not each.startswith(OCPP))


def _write_ocpp(folder: Path, made: Mapping[str, Identity]) -> None:
    _put(folder / "ocpp/csmsRootCACert.pem", made["csmsRoot"].certificate_pem)
    for name in OCPP:
        _put(folder / f"ocpp/{name}CertChain.pem", made[f"{name}Leaf"].chain_pem)
        _put(folder / f"ocpp/{name}Leaf.key", made[f"{name}Leaf"].key_pem)


def _write_station(folder: Path, made: Mapping[str, Identity], suffix: str) -> None:
    """What is the CSMS's is there once."""
    for below, root in STATION.items():
        if not (suffix and root.startswith(OCPP)):
            _put(folder / below / f"{root}{suffix}.pem", made[root].certificate_pem)
    for below, (leaf, name) in STATION_OWN.items():
        if not (suffix and leaf.startswith(OCPP)):
            _put(folder / below / f"{name}{suffix}.pem", made[leaf].chain_pem)
            _put(folder / below / f"{name}{suffix}.key", made[leaf].key_pem)


def _put(path: Path, octets: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".key":
        path.touch(mode=0o600)
        path.chmod(0o600)
    path.write_bytes(octets)


def wrong_of(word: str) -> Wrong:
    """One of WRONGS, or "". Raises PkiError."""
    for each in ("", *WRONGS):
        if word == each:
            return each
    raise PkiError(f"{word}: not one of {', '.join(WRONGS)}")


def _unit(kind: Kind, seed: bytes) -> str:
    return f"{kind} {drawn(seed, 'name', octets=4).hex()}"


def _name(of: str, kind: Kind, seed: bytes) -> x509.Name:
    """Different for each PKI: a vehicle may ask for a root by its name."""
    return name_of(TREE[of].common_name, _unit(kind, seed), TREE[of].domain)
