"""From what a vehicle offers to how we answer: TLS 1.3 with its client certificate for ISO 15118-20, 1.2 without one for -2.

Numbers as in IANA's registries; the sets are the standards' (-2 table 7 and -20 table 8 [K]).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Literal, TypeAlias

from certs.chain import Status
from certs.pki_files import Chain, Pki, Root, Side
from certs.profiles import Policy
from chargepoint.runtime.v2g_tls.hello import TLS_1_2, TLS_1_3, Hello, TrustedCa
from iso15118.frozen import dataclass

P256, P384, P521, X25519, X448 = 0x17, 0x18, 0x19, 0x1D, 0x1E
ECDSA_P256, ECDSA_P384, ECDSA_P521, ED25519, ED448 = 0x0403, 0x0503, 0x0603, 0x0807, 0x0808
RSA_SHA256, RSA_SHA384, RSA_SHA512, PSS_SHA256, PSS_SHA384, PSS_SHA512 = 0x0401, 0x0501, 0x0601, 0x0804, 0x0805, 0x0806
AES_128_GCM, AES_256_GCM, CHACHA20 = 0x1301, 0x1302, 0x1303
ECDHE_AES_128_CBC, ECDHE_AES_128_GCM, ECDHE_AES_256_GCM = 0xC023, 0xC02B, 0xC02C
ECDHE_RSA_AES_128_GCM, ECDHE_RSA_AES_256_GCM, RSA_AES_128_GCM, RSA_AES_256_GCM = 0xC02F, 0xC030, 0x009C, 0x009D
FALLBACK_SCSV = 0x5600
"""A car that comes again with less than it can (RFC 7507)."""

HANDSHAKE_FAILURE, PROTOCOL_VERSION, INAPPROPRIATE_FALLBACK = 40, 70, 86
SIGNATURE_OF = {"p256": ECDSA_P256, "secp384r1": ECDSA_P384, "p521": ECDSA_P521, "ed448": ED448}
Version: TypeAlias = Literal["1.2", "1.3", "any"]
KeyLog: TypeAlias = Callable[[str], None]
"""Takes one line of a key log as NSS writes them."""
Clock: TypeAlias = Callable[[], float | None]
"""The time of day, POSIX seconds; None while nobody has set it."""
Revocation: TypeAlias = Callable[[], Mapping[str, Status]]
"""What is known now of certificates, by `certs.chain.fingerprint`."""


class TlsFailed(Exception):
    """The connection is over. `alert` went out, `received` came in; None where there was none. `sentence` is for the driver whose certificate is refused."""

    def __init__(self, words: str, alert: int | None = None, received: int | None = None, sentence: str = "") -> None:
        super().__init__(words)
        self.alert, self.received, self.sentence = alert, received, sentence


class TlsMissing(Exception):
    """There is no TLS library; the message says which package brings it."""


@dataclass(frozen=True, slots=True)
class Plan:
    """All that a handshake needs. `roots` are those that the other side's chain has to end at; `revocation` and `policy` are how it is judged beside
    its profile, and `lax` takes keys of all curves.

    `names_roots`: a client says which roots it has, a server that it has chosen by them. `odd_name`: a server is called by no name of a host.
    """

    role: Literal["server", "client"]
    versions: tuple[int, ...]
    ciphers: tuple[int, ...]
    groups: tuple[int, ...]
    signatures: tuple[int, ...]
    chain: Chain | None = None
    roots: tuple[Root, ...] = ()
    ask_client: bool = False
    check_time: bool = True
    names_roots: bool = False
    odd_name: bool = False
    clock: Clock | None = None
    """By which dates are judged; None: by the host's own, or not at all with `check_time` off."""
    lax: bool = False
    revocation: Revocation | None = None
    policy: Policy | None = None
    host: str = ""
    """The CSMS that a client dials, which has to have a certificate for this name; "" for the station that a vehicle dials."""

    @property
    def server_name(self) -> str:
        """What a hello calls the CSMS by (RFC 6066, section 3: an address is none)."""
        try:
            ipaddress.ip_address(self.host)
        except ValueError:
            return self.host.rstrip(".")
        return ""

    @property
    def whose(self) -> str:
        """The certificate that the other side shows, in words."""
        return (
            "the vehicle's certificate" if self.role == "server" else "the CSMS's certificate" if self.host else "the station's certificate"
        )


@dataclass(frozen=True, slots=True)
class Chains:
    """What a station shows, the first being what a vehicle gets that names no root; and the roots of vehicle certificates.

    `lax` lets TLS 1.3 run with P-256 and AES-128 as well: for a bench with peers that know nothing else.
    `clock`: dates are judged by it, and not while nobody has set it (F-3); None: by the host's own clock. `check_time` off: never.
    `policy`: which vehicle certificates `revocation` refuses; None: as the profile has it, those that are known to be revoked.
    """

    iso2: tuple[Chain, ...] = ()
    iso20: tuple[Chain, ...] = ()
    vehicle_roots: tuple[Root, ...] = ()
    version: Version = "any"
    lax: bool = False
    check_time: bool = True
    clock: Clock | None = None
    revocation: Revocation | None = None
    policy: Policy | None = None


ISO_2 = Plan("server", (TLS_1_2,), (ECDHE_AES_128_CBC, ECDHE_AES_128_GCM), (P256,), (ECDSA_P256,))
ISO_20 = Plan("server", (TLS_1_3,), (AES_256_GCM, CHACHA20), (P521, X448), (ECDSA_P521, ED448))
LAX = Plan(
    "server",
    (TLS_1_3,),
    (AES_256_GCM, CHACHA20, AES_128_GCM),
    (P521, X448, P384, X25519, P256),
    (ECDSA_P521, ED448, ECDSA_P384, ECDSA_P256),
    lax=True,
)


def chains_of(pki: Pki, *, version: Version = "any", lax: bool = False, clock: Clock | None = None) -> Chains:
    """What the SECC's side of a folder gives. A folder whose -2 files stand in for -20's works over TLS 1.3 with `lax` only,

    which also takes a vehicle certificate below the OEM roots of -2.
    """
    iso20 = tuple(each for each in (pki.iso20.secc, pki.iso20_ed448.secc) if each)
    roots = tuple(dict.fromkeys((*pki.iso20.oem_roots, *pki.iso20_ed448.oem_roots, *(pki.iso2.oem_roots if lax else ()))))
    return Chains((pki.iso2.secc,) if pki.iso2.secc else (), iso20, roots, version, lax, clock=clock)


def select(hello: Hello, chains: Chains) -> Plan:
    """How to go on with this vehicle. Raises TlsFailed with the alert to send."""
    offered = [each for each in (TLS_1_3, TLS_1_2) if each in hello.versions]
    if not offered:
        raise TlsFailed(f"it offers {_version_words(hello)}, no TLS 1.2 or 1.3", PROTOCOL_VERSION)
    if FALLBACK_SCSV in hello.ciphers and TLS_1_3 not in hello.versions and chains.iso20 and chains.version != "1.2":
        raise TlsFailed("it falls back to less than both sides can", INAPPROPRIATE_FALLBACK)
    reasons: list[str] = []
    if TLS_1_3 in offered and chains.version != "1.2":
        for base in (ISO_20, LAX) if chains.lax else (ISO_20,):
            # Who is served by LAX knows no better: the chain of -2 suits it first.
            plan = _fits(hello, base, (*chains.iso2, *chains.iso20) if base is LAX else chains.iso20, reasons)
            if plan:
                return replace(
                    plan,
                    roots=chains.vehicle_roots,
                    ask_client=True,
                    check_time=chains.check_time and chains.clock is None,
                    clock=chains.clock,
                    revocation=chains.revocation,
                    policy=chains.policy,
                )
    if TLS_1_2 in offered and chains.version != "1.3":
        plan = _fits(hello, ISO_2, chains.iso2, reasons)
        if plan:
            return plan
    raise TlsFailed(f"nothing in common: {'; '.join(reasons) or _version_words(hello)}", HANDSHAKE_FAILURE)


def _fits(hello: Hello, base: Plan, chains: tuple[Chain, ...], reasons: list[str]) -> Plan | None:
    name = "TLS 1.3" if base.versions == (TLS_1_3,) else "TLS 1.2"
    if not set(base.ciphers) & set(hello.ciphers):
        reasons.append(f"{name}: no cipher suite")
        return None
    # A 1.2 hello without these lists leaves the choice to the server (RFC 4492, section 4; RFC 5246, section 7.4.1.4.1).
    if not set(base.groups) & set(hello.groups) and (hello.groups or name == "TLS 1.3"):
        reasons.append(f"{name}: no group")
        return None
    able = [each for each in chains if SIGNATURE_OF.get(each.kind) in base.signatures]
    if hello.signatures or name == "TLS 1.3":
        able = [each for each in able if SIGNATURE_OF[each.kind] in hello.signatures]
    if not able:
        reasons.append(f"{name}: no certificate with a signature that it knows")
        return None
    chain, named = _by_root(able, hello)
    return replace(base, chain=chain, names_roots=named, odd_name=hello.odd_name)


def _by_root(chains: list[Chain], hello: Hello) -> tuple[Chain, bool]:
    """The first one below a root that the vehicle names; the first of all where it names none, or none of ours."""
    for chain in chains:
        if any(_names_it(each, root) for root in chain.roots for each in hello.trusted_ca_keys):
            return chain, True
        if any(root.name in hello.authorities for root in chain.roots):
            return chain, True
    return chains[0], False


def _names_it(named: TrustedCa, root: Root) -> bool:
    return named.octets == {1: root.key_sha1, 2: root.name, 3: root.sha1}.get(named.kind)


def _version_words(hello: Hello) -> str:
    known = {0x0300: "SSL 3.0", 0x0301: "TLS 1.0", 0x0302: "TLS 1.1", TLS_1_2: "TLS 1.2", TLS_1_3: "TLS 1.3"}
    return ", ".join(known.get(each, f"0x{each:04x}") for each in hello.versions[:8])


def client_plan(version: Version, iso2: Side, iso20: Side, *, lax: bool = False) -> Plan:
    """What a simulated vehicle offers. With "any" the hello also names suites and lists that neither edition has: both are in one hello."""
    if version == "1.2":
        return replace(ISO_2, role="client", ciphers=(ECDHE_AES_128_CBC,), roots=iso2.v2g_roots, names_roots=True)
    base = replace(LAX if lax else ISO_20, role="client", chain=iso20.vehicle, roots=iso20.v2g_roots, names_roots=True)
    if version == "1.3":
        return base
    return replace(
        base,
        versions=(TLS_1_3, TLS_1_2),
        ciphers=(*base.ciphers, *ISO_2.ciphers),
        groups=tuple(dict.fromkeys((*base.groups, P256))),
        signatures=tuple(dict.fromkeys((*base.signatures, ECDSA_P256))),
        roots=tuple(dict.fromkeys((*iso20.v2g_roots, *iso2.v2g_roots))),
    )
