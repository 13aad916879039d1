"""A network interface as the kernel has it, by netlink: what it is, and bringing it up. This is all that pyroute2 (the extra `plc`) is for.

It takes 13 MB, so that the station itself does not import it: where an interface has to be brought up, it runs `python -m chargepoint.runtime.plc_link up IF`
for a moment. `chargepoint doctor` has all of it.
"""

from __future__ import annotations

import asyncio
import errno
import ipaddress
import socket
import subprocess
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from iso15118.frozen import dataclass

EXTRA = "pip install 'chargepoint[plc]'"
NETWORKS = Path("/sys/class/net")
IPV6 = Path("/proc/sys/net/ipv6/conf")
IFF_UP, ARPHRD_ETHER = 1, 1
TENTATIVE, DAD_FAILED = 0x40, 0x08
LIFTED_S = 10.0
LOOK_S = 0.25


class NoLink(Exception):
    """The interface is not there, or this process may not do that with it; the message says which."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Of one interface."""

    name: str
    index: int
    mac: bytes
    """b"" where it is no Ethernet."""
    up: bool
    carrier: bool
    driver: str
    """Of the kernel, or its kind where it is virtual; "" where it does not say."""
    mtu: int
    other_names: tuple[str, ...] = ()
    link_local: tuple[ipaddress.IPv6Address, ...] = ()
    tentative: tuple[ipaddress.IPv6Address, ...] = ()
    """Addresses that cannot be used yet, or not at all, because another host has them."""
    ipv6: bool = True
    """It is not switched off there."""


def facts(interface: str) -> Facts:
    """Of this interface, which may be given by another of its names. Raises NoLink, ModuleNotFoundError."""
    from pyroute2 import IPRoute

    with IPRoute() as route:
        found = _found(route, interface)
        index, name = int(found["index"]), str(found.get_attr("IFLA_IFNAME"))
        addresses = list(route.get_addr(index=index, family=socket.AF_INET6))
    local = [(ipaddress.IPv6Address(each.get_attr("IFA_ADDRESS")), each.get_attr("IFA_FLAGS") or each["flags"]) for each in addresses]
    local = [each for each in local if each[0].is_link_local]
    unready = TENTATIVE | DAD_FAILED
    return Facts(
        name=name,
        index=index,
        mac=bytes.fromhex((found.get_attr("IFLA_ADDRESS") or "").replace(":", "")) if found["ifi_type"] == ARPHRD_ETHER else b"",
        up=bool(found["flags"] & IFF_UP),
        carrier=bool(found.get_attr("IFLA_CARRIER")) and bool(found["flags"] & IFF_UP),
        driver=driver(name) or _kind(found),
        mtu=int(found.get_attr("IFLA_MTU") or 0),
        other_names=_other_names(found),
        link_local=tuple(address for address, flags in local if not flags & unready),
        tentative=tuple(address for address, flags in local if flags & unready),
        ipv6=ipv6_on(name),
    )


def up(interface: str) -> None:
    """Bring it up. Raises NoLink, ModuleNotFoundError."""
    from pyroute2 import IPRoute, NetlinkError

    with IPRoute() as route:
        index = int(_found(route, interface)["index"])
        try:
            route.link("set", index=index, state="up")
        except NetlinkError as error:
            if error.code in (errno.EPERM, errno.EACCES):
                raise NoLink(f"{interface}: bringing it up needs the capability CAP_NET_ADMIN") from None
            raise NoLink(f"{interface}: {error}") from None


def names() -> dict[str, str]:
    """All interfaces that are there: name -> driver."""
    return {each.name: driver(each.name) for each in sorted(NETWORKS.iterdir())}


def driver(name: str) -> str:
    """Of the kernel; "" where there is none, as with virtual ones."""
    try:
        return (NETWORKS / name / "device" / "driver").resolve(strict=True).name
    except OSError:
        return ""


def ipv6_on(name: str) -> bool:
    """IPv6 is there, and not switched off for this interface."""
    try:
        return (IPV6 / name / "disable_ipv6").read_text("ascii").strip() == "0"
    except OSError:
        return False


def _found(route: Any, interface: str) -> Any:
    for each in route.get_links():
        if interface == each.get_attr("IFLA_IFNAME") or interface in _other_names(each):
            return each
    raise NoLink(f"there is no network interface {interface!r}")


def _other_names(link: Any) -> tuple[str, ...]:
    """As udev gives them, so that a name from before goes on to be good."""
    found = link.get_attr("IFLA_PROP_LIST")
    return tuple(found.get_attrs("IFLA_ALT_IFNAME")) if found is not None else ()


def _kind(link: Any) -> str:
    found = link.get_attr("IFLA_LINKINFO")
    return str(found.get_attr("IFLA_INFO_KIND") or "") if found is not None else ""


class Lift:
    """Brings an interface up without pyroute2 in this process; says in words what it does for it."""

    def __init__(self, interface: str) -> None:
        self.interface = interface
        self._process: subprocess.Popen[bytes] | None = None
        self._ends_at = 0.0

    def __call__(self) -> str:
        """Returns at once."""
        by_hand = f"ip link set {self.interface} up"
        if find_spec("pyroute2") is None:
            return f"bring it up: {by_hand} (with {EXTRA} the station does)"
        if self._process is not None:
            return ""
        loop = asyncio.get_running_loop()
        self._ends_at = loop.time() + LIFTED_S
        self._process = subprocess.Popen([sys.executable, "-m", __name__, "up", self.interface], stdin=subprocess.DEVNULL)
        loop.call_later(LOOK_S, self._look)
        return f"the station brings it up; where it may not: {by_hand}"

    def _look(self) -> None:
        """Whether it has ended, which leaves nothing behind."""
        loop, process = asyncio.get_running_loop(), self._process
        if process is None:
            return
        if process.poll() is not None:
            self._process = None
            return
        if loop.time() > self._ends_at:
            process.kill()
        loop.call_later(LOOK_S, self._look)


def main(arguments: Sequence[str]) -> str:
    """`up IF`. What is wrong, in words."""
    if len(arguments) != 2 or arguments[0] != "up":
        return "usage: python -m chargepoint.runtime.plc_link up IF"
    try:
        up(arguments[1])
    except NoLink as error:
        return str(error)
    except ModuleNotFoundError:
        return f"this needs the package pyroute2: {EXTRA}"
    return ""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]) or 0)
