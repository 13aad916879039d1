"""Bad chains by name, each wrong in one thing, with the finding that it has to give: for tests of all that takes a chain from somebody.

`NAMES` are `profile-what` (`secc20-leaf_expired`); `make` builds one. Anybody who knows the seed has every private key.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding

from certs.chain import MOST, Status, tbs_fingerprint
from certs.profiles import CLIENT, OCSP, PROFILES, SERVER, Policy, Profile
from certs.rules import Code
from certs.testpki import TREE, spec_of
from certs.testpki_make import AnyKind, Digest, Key, Kind, Spec, issue, key_of, pem_of, twin

LEAF, SUB, ROOT = 0, 1, -1
"""Places in a line of certificates: the leaf, who signed it, the root."""
DAY = dt.timedelta(days=1)
HOST = "localhost"
CODE_SIGNING = "1.3.6.1.5.5.7.3.3"
STRANGE = "1.3.6.1.4.1.99999.1"

LEAFS: Mapping[str, tuple[str, Kind]] = {
    "secc2": ("seccLeaf", "p256"), "secc20": ("seccLeaf", "p521"), "contract2": ("contractLeaf", "p256"), "contract20": ("contractLeaf", "p521"),
    "oem2": ("oemLeaf", "p256"), "oem20": ("oemLeaf", "p521"), "vehicle20": ("vehicleLeaf", "p521"), "cps2": ("cpsLeaf", "p256"),
    "cps20": ("cpsLeaf", "p521"), "csms": ("csmsLeaf", "p256"), "station": ("stationLeaf", "p256"),
}  # fmt: skip
"""Profile -> its leaf in the test PKI."""
ISO2, ISO20 = ("secc2", "contract2", "oem2", "cps2"), ("secc20", "contract20", "oem20", "vehicle20", "cps20")
ISO, OCPP = (*ISO2, *ISO20), ("csms", "station")
ALL = (*ISO, *OCPP)
CONTRACTS = ("contract2", "contract20")
NAMED = tuple(each for each in ISO if not each.startswith("contract"))
"""Those whose domain component is told."""


@dataclass(frozen=True, slots=True)
class Case:
    """One bad chain, and all that `chain.validate` has to be told to see it."""

    name: str
    profile: Profile
    code: Code
    refused: bool
    """False: it is told, and refuses nothing."""
    chain: tuple[bytes, ...] = field(repr=False)
    """DER, as it is sent."""
    key: Key = field(repr=False)
    """The leaf's."""
    trust: tuple[x509.Certificate, ...] = field(repr=False)
    revocation: Mapping[str, Status] = field(default_factory=dict)
    policy: Policy | None = None
    own: CertificatePublicKeyTypes | None = None
    """What the leaf's key has to be."""
    host: str = ""

    @property
    def chain_pem(self) -> bytes:
        """As TLS takes it; not for those that are no certificates at all."""
        return b"".join(x509.load_der_x509_certificate(each).public_bytes(Encoding.PEM) for each in self.chain)

    @property
    def key_pem(self) -> bytes:
        return pem_of(self.key)


@dataclass(slots=True)
class Draft:
    """A line of certificates, leaf first, before they are signed."""

    profile: str
    kind: Kind
    seed: bytes
    now: dt.datetime
    specs: list[Spec]
    keys: list[Key]
    signers: dict[int, Key] = field(default_factory=dict)
    sent: Callable[[list[x509.Certificate]], list[bytes]] | None = None
    trusted: x509.Certificate | None = None
    revoked: int | None = None
    policy: Policy | None = None
    own: CertificatePublicKeyTypes | None = None
    host: str = ""

    def change(self, at: int, **fields: Any) -> None:
        self.specs[at] = replace(self.specs[at], **fields)

    def key(self, at: int, kind: AnyKind) -> None:
        self.keys[at] = key_of(kind, self.seed, f"another {self.profile} {at % len(self.keys)}")

    def signed(self) -> list[x509.Certificate]:
        """Leaf first, the root with them."""
        made: list[x509.Certificate] = []
        for at, spec in enumerate(self.specs):
            above = min(at + 1, len(self.specs) - 1)
            made.append(issue(replace(spec, issuer=self.specs[above].subject), self.keys[at], self.signers.get(at, self.keys[above])))
        return made

    @property
    def is_iso(self) -> bool:
        return self.profile in ISO

    @property
    def weak(self) -> AnyKind:
        """A kind of key that the profile does not know."""
        return "p384" if self.is_iso else "rsa1024"

    @property
    def weak_digest(self) -> Digest:
        if not self.is_iso:
            return "sha224"
        return "sha384" if self.kind == "p256" else "sha256"


class Break(NamedTuple):
    """A thing to be wrong. `openssl`: its `verify` sees it, too."""

    code: Code
    change: Callable[[Draft], None]
    profiles: tuple[str, ...] = ALL
    refused: bool = True
    openssl: bool = False


def make(name: str, *, seed: bytes, now: dt.datetime) -> Case:
    """The chain of this name. Raises KeyError for one that is not among NAMES."""
    profile, _, what = name.partition("-")
    of = BREAKS[what]
    if profile not in of.profiles:
        raise KeyError(name)
    draft = _draft(profile, seed, now)
    of.change(draft)
    made = draft.signed()
    root = draft.trusted or made[ROOT]
    sent = draft.sent(made) if draft.sent else _der(made[:ROOT])
    revocation: dict[str, Status] = {} if draft.revoked is None else {tbs_fingerprint(made[draft.revoked]): "revoked"}
    refused = of.refused and (profile, what) not in ONLY_TOLD
    return Case(
        name, PROFILES[profile], of.code, refused, tuple(sent), draft.keys[LEAF], (root,), revocation, draft.policy, draft.own, draft.host
    )


def right(profile: str, *, seed: bytes, now: dt.datetime) -> Case:
    """The chain that the bad ones of this profile are made from; its `code` means nothing."""
    draft = _draft(profile, seed, now)
    made = draft.signed()
    sent = tuple(_der(made[:ROOT]))
    return Case(f"{profile}-right", PROFILES[profile], "unused", False, sent, draft.keys[LEAF], (made[ROOT],), host=draft.host)


@lru_cache(maxsize=256)
def _key(kind: Kind, seed: bytes, name: str) -> Key:
    return key_of(kind, seed, name)


def _draft(profile: str, seed: bytes, now: dt.datetime) -> Draft:
    name, kind = LEAFS[profile]
    names = [name]
    while TREE[names[-1]].issuer != names[-1]:
        names.append(TREE[names[-1]].issuer)
    specs = [spec_of(each, kind, seed=seed, now=now) for each in names]
    return Draft(profile, kind, seed, now, specs, [_key(kind, seed, each) for each in names], host=HOST if profile == "csms" else "")


def _der(certificates: list[x509.Certificate]) -> list[bytes]:
    return [each.public_bytes(Encoding.DER) for each in certificates]


# ---- what is done to them


def _expired(at: int) -> Callable[[Draft], None]:
    return lambda draft: draft.change(at, begins=draft.now - 30 * DAY, ends=draft.now - DAY)


def _not_yet(at: int) -> Callable[[Draft], None]:
    return lambda draft: draft.change(at, begins=draft.now + DAY, ends=draft.now + 30 * DAY)


def _with(at: int, **fields: Any) -> Callable[[Draft], None]:
    return lambda draft: draft.change(at, **fields)


def _sent(how: Callable[[list[x509.Certificate]], list[bytes]]) -> Callable[[Draft], None]:
    def change(draft: Draft) -> None:
        draft.sent = how

    return change


def _longer(draft: Draft) -> None:
    """More sub-CAs than there may be; none of them says how many there are."""
    for number in range(4 if draft.profile in OCPP else 1):
        draft.specs.insert(ROOT, replace(draft.specs[SUB], common_name=f"Sub-CA too many {number}", path=None, serial=number + 1))
        draft.keys.insert(ROOT, key_of(draft.kind, draft.seed, f"too many {number}"))


def _direct(draft: Draft) -> None:
    del draft.specs[SUB:ROOT], draft.keys[SUB:ROOT]


def _other_root(draft: Draft, *, name: str = "Root CA of somebody else") -> None:
    key = key_of(draft.kind, draft.seed, "somebody else")
    spec = replace(draft.specs[ROOT], common_name=name or draft.specs[ROOT].common_name)
    draft.trusted = issue(replace(spec, issuer=spec.subject), key, key)


def _self_signed(draft: Draft) -> None:
    key = draft.keys[LEAF]
    own = issue(replace(draft.specs[LEAF], issuer=draft.specs[LEAF].subject), key, key)
    draft.sent = lambda made: _der([own])


def _stray(draft: Draft) -> None:
    key = key_of(draft.kind, draft.seed, "stray")
    stray = issue(replace(draft.specs[LEAF], common_name="Stray"), key, draft.keys[SUB])
    draft.sent = lambda made: _der([*made[:ROOT], stray])


def _forged(at: int) -> Callable[[Draft], None]:
    def change(draft: Draft) -> None:
        draft.signers[at] = key_of(draft.kind, draft.seed, "forger")

    return change


def _revoked(at: int) -> Callable[[Draft], None]:
    def change(draft: Draft) -> None:
        draft.revoked = at

    return change


def _twin(at: int) -> Callable[[Draft], None]:
    """Revoked, and written down with another signature that is as right."""

    def change(draft: Draft) -> None:
        draft.revoked = at
        draft.sent = lambda made: _der([twin(each) if number == at else each for number, each in enumerate(made[:ROOT])])

    return change


def _nobody_says(draft: Draft) -> None:
    draft.policy = "unknown"


def _other_key(draft: Draft) -> None:
    draft.own = key_of(draft.kind, draft.seed, "another").public_key()


def _other_host(draft: Draft) -> None:
    draft.host = "csms.example.com"


def _endless(made: list[x509.Certificate]) -> list[bytes]:
    return (_der(made[:ROOT]) * (MOST + 1))[: MOST + 1]


def _backwards(draft: Draft) -> None:
    draft.sent = lambda made: _der(made[ROOT - 1 :: -1])
    draft.own = draft.keys[LEAF].public_key()


def _long(draft: Draft) -> None:
    draft.change(LEAF, ends=draft.now + 10 * (draft.specs[LEAF].ends - draft.now))


NO_SIGNATURES = ("key_agreement",)
BREAKS: Mapping[str, Break] = {
    "leaf_expired": Break("expired", _expired(LEAF), openssl=True),
    "leaf_not_yet_valid": Break("not_yet_valid", _not_yet(LEAF), openssl=True),
    "sub_expired": Break("expired", _expired(SUB), openssl=True),
    "sub_not_yet_valid": Break("not_yet_valid", _not_yet(SUB), openssl=True),
    "root_expired": Break("expired", _expired(ROOT), openssl=True),
    "leaf_curve": Break("key", lambda draft: draft.key(LEAF, draft.weak)),
    "sub_curve": Break("key", lambda draft: draft.key(SUB, draft.weak)),
    "root_curve": Break("key", lambda draft: draft.key(ROOT, draft.weak)),
    "leaf_hash": Break("signature_algorithm", lambda draft: draft.change(LEAF, digest=draft.weak_digest)),
    "sub_hash": Break("signature_algorithm", lambda draft: draft.change(SUB, digest=draft.weak_digest)),
    "leaf_without_key_usage": Break("key_usage", _with(LEAF, usages=None)),
    "leaf_no_signatures": Break("key_usage", _with(LEAF, usages=NO_SIGNATURES)),
    "leaf_signs_certificates": Break("key_usage", _with(LEAF, usages=("digital_signature", "key_cert_sign"))),
    "sub_without_key_usage": Break("key_usage", _with(SUB, usages=None)),
    "sub_signs_no_certificates": Break("key_usage", _with(SUB, usages=("digital_signature", "crl_sign")), openssl=True),
    "root_signs_no_certificates": Break("key_usage", _with(ROOT, usages=("digital_signature", "crl_sign")), openssl=True),
    "leaf_is_ca": Break("basic_constraints", _with(LEAF, ca=True, path=0)),
    "sub_is_no_ca": Break("basic_constraints", _with(SUB, ca=False, path=None), openssl=True),
    "sub_without_constraints": Break("basic_constraints", _with(SUB, ca=None), openssl=True),
    "root_is_no_ca": Break("basic_constraints", _with(ROOT, ca=False), openssl=True),
    "root_path_too_short": Break("path_length", _with(ROOT, path=0), openssl=True),
    "sub_path_too_short": Break("path_length", _with(2, path=0), ISO, openssl=True),
    "sub_path_too_long": Break("path_length", _with(2, path=3), ISO),
    "sub_path_unlimited": Break("path_length", _with(SUB, path=None), ISO),
    "too_many_subs": Break("chain_length", _longer),
    "leaf_strange_critical": Break("critical_extension", _with(LEAF, strange=((STRANGE, True, 4),)), openssl=True),
    "sub_strange_critical": Break("critical_extension", _with(SUB, strange=((STRANGE, True, 4),)), openssl=True),
    "leaf_not_critical": Break("not_critical", _with(LEAF, critical=False), ISO),
    "sub_not_critical": Break("not_critical", _with(SUB, critical=False)),
    "leaf_too_big": Break("size", _with(LEAF, strange=((STRANGE, False, 2000),)), ISO),
    "leaf_last": Break("order", _backwards),
    "subs_swapped": Break("order", _sent(lambda made: _der([made[LEAF], *made[ROOT - 1 : LEAF : -1]])), ISO),
    "ca_first": Break("basic_constraints", _sent(lambda made: _der(made[ROOT - 1 :: -1]))),
    "stray": Break("unused", _stray, refused=False),
    "no_sub": Break("unknown_root", _sent(lambda made: _der([made[LEAF], *made[2:ROOT]])), openssl=True),
    "other_root": Break("unknown_root", _other_root, openssl=True),
    "root_of_same_name": Break("bad_signature", lambda draft: _other_root(draft, name=""), openssl=True),
    "leaf_forged": Break("bad_signature", _forged(LEAF), openssl=True),
    "sub_forged": Break("bad_signature", _forged(SUB), openssl=True),
    "self_signed": Break("unknown_root", _self_signed, openssl=True),
    "leaf_revoked": Break("revoked", _revoked(LEAF)),
    "sub_revoked": Break("revoked", _revoked(SUB)),
    "leaf_revoked_twin": Break("revoked", _twin(LEAF)),
    "sub_revoked_twin": Break("revoked", _twin(SUB)),
    "nobody_says": Break("revocation_unknown", _nobody_says),
    "other_key": Break("key_mismatch", _other_key),
    "leaf_domain": Break("domain", _with(LEAF, domain="XX"), NAMED),
    "leaf_without_domain": Break("domain", _with(LEAF, domain=""), NAMED),
    "by_the_v2g_root": Break("chain_length", _direct, ("secc2", "secc20", "cps2", "cps20"), refused=False),
    "no_repudiation": Break("key_usage", _with(LEAF, usages=("digital_signature", "key_agreement")), ("contract2",), refused=False),
    "leaf_name": Break("common_name", _with(LEAF, common_name="?"), ("contract2", "contract20", "oem2", "oem20")),
    "leaf_without_name": Break("common_name", _with(LEAF, common_name=""), (*ISO2[:2], *ISO20[:2], "station")),
    "leaf_too_long": Break("validity", _long, ("secc2", "secc20", "contract2", "contract20", "cps2", "cps20"), refused=False),
    "leaf_purpose": Break(
        "extended_key_usage", _with(LEAF, purposes=(CODE_SIGNING,)), ("secc2", "secc20", "vehicle20", *OCPP), openssl=True
    ),
    "leaf_without_purpose": Break("extended_key_usage", _with(LEAF, purposes=()), ("secc20", "vehicle20")),
    "client_as_server": Break("extended_key_usage", _with(LEAF, purposes=(CLIENT,)), ("secc2", "secc20", "csms"), openssl=True),
    "server_as_client": Break("extended_key_usage", _with(LEAF, purposes=(SERVER,)), ("vehicle20", "station"), openssl=True),
    "server_as_contract": Break("extended_key_usage", _with(LEAF, purposes=(SERVER,)), CONTRACTS),
    "responder_as_contract": Break("extended_key_usage", _with(LEAF, purposes=(CLIENT, OCSP)), CONTRACTS),
    "client_as_contract": Break("extended_key_usage", _with(LEAF, purposes=(CLIENT,)), CONTRACTS, refused=False),
    "station_as_contract": Break("domain", _with(LEAF, domain="CPO"), CONTRACTS),
    "sender_as_contract": Break("domain", _with(LEAF, domain="cps"), CONTRACTS),
    "vehicle_as_contract": Break("domain", _with(LEAF, domain="OEM"), CONTRACTS),
    "root_s_domain_as_contract": Break("domain", _with(LEAF, domain="V2G"), CONTRACTS),
    "by_the_stations_sub": Break("domain", _with(SUB, domain="CPO"), CONTRACTS),
    "by_the_senders_sub": Break("domain", _with(2, domain="CPS"), CONTRACTS),
    "by_the_vehicles_sub": Break("domain", _with(SUB, domain="OEM"), CONTRACTS),
    "no_key_agreement": Break("key_usage", _with(LEAF, usages=("digital_signature",)), ("oem2",), refused=False),
    "other_host": Break("host", _other_host, ("csms",)),
    "wide_star": Break("host", _with(LEAF, hosts=("*",)), ("csms",)),
    "outside_of_constraints": Break("name_constraints", _with(SUB, permitted=("example.com", "10.0.0.0/8")), ("csms",), openssl=True),
    "without_organization": Break("organization", _with(LEAF, organization=""), OCPP),
    "name_is_url": Break("common_name", _with(LEAF, common_name="wss://csms.example.com/CP-1"), ("station",)),
    "name_is_address": Break("common_name", _with(LEAF, common_name="192.0.2.1"), ("station",)),
    "empty": Break("empty", _sent(lambda made: [])),
    "garbage": Break("unreadable", _sent(lambda made: [b"\x30\x03\x02\x01\x00", *_der(made[1:ROOT])])),
    "cut_off": Break("unreadable", _sent(lambda made: [_der(made)[LEAF][:-1], *_der(made[1:ROOT])])),
    "endless": Break("too_many", _sent(_endless)),
}
"""What may be wrong, for which profiles."""

ONLY_TOLD = frozenset(
    (profile, what)
    for what, refusing in (
        ("leaf_domain", ("secc2", "secc20", "cps2", "cps20")), ("leaf_without_domain", ("secc2", "secc20", "cps2", "cps20")),
        ("leaf_name", ("contract2", "contract20")), ("leaf_last", ("secc2",)), ("subs_swapped", ("secc2",)), ("leaf_without_purpose", ("vehicle20",)),
        ("without_organization", ("station",)), ("leaf_without_key_usage", ISO),
    )
    for profile in BREAKS[what].profiles
    if profile not in refusing
)  # fmt: skip
"""Where the profile only warns of it."""

NAMES = tuple(f"{profile}-{what}" for what, each in BREAKS.items() for profile in each.profiles)
