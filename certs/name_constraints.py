"""Which names a CA may give (RFC 5280, 4.2.1.10): hosts, addresses and names of the directory. A CA that limits others is not understood."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

from cryptography import x509

UNDERSTOOD = (x509.DNSName, x509.IPAddress, x509.DirectoryName)


def understood(constraints: x509.NameConstraints) -> bool:
    """Whether all of it can be judged here."""
    return all(isinstance(each, UNDERSTOOD) for each in (*(constraints.permitted_subtrees or ()), *(constraints.excluded_subtrees or ())))


def outside(constraints: x509.NameConstraints, subject: x509.Name, hosts: Iterable[str]) -> str:
    """The first name that the CA may not give; "" where there is none. `hosts` are names of the DNS and addresses."""
    names: list[str | x509.Name] = [*([subject] if list(subject) else []), *hosts]
    for name in names:
        told = name if isinstance(name, str) else name.rfc4514_string()
        permitted = [each for each in constraints.permitted_subtrees or () if _speaks_of(each, name)]
        if permitted and not any(_within(each, name) for each in permitted):
            return told
        if any(_within(each, name) for each in constraints.excluded_subtrees or () if _speaks_of(each, name)):
            return told
    return ""


def _address(name: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(name)
    except ValueError:
        return None


def _speaks_of(subtree: x509.GeneralName, name: str | x509.Name) -> bool:
    if isinstance(name, x509.Name):
        return isinstance(subtree, x509.DirectoryName)
    return isinstance(subtree, x509.DNSName if _address(name) is None else x509.IPAddress)


def _within(subtree: x509.GeneralName, name: str | x509.Name) -> bool:
    if isinstance(name, x509.Name):
        wanted = list(subtree.value.rdns) if isinstance(subtree, x509.DirectoryName) else []
        return list(name.rdns)[: len(wanted)] == wanted
    address = _address(name)
    if address is not None:
        return isinstance(subtree.value, ipaddress.IPv4Network | ipaddress.IPv6Network) and address in subtree.value
    wanted_host, host = str(subtree.value).lower().rstrip("."), name.lower().rstrip(".")
    return not wanted_host or host == wanted_host or host.endswith(f".{wanted_host.lstrip('.')}")
