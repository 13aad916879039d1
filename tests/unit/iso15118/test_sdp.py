"""SDP: only well-formed requests are answered (S-23), by the policy table."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iso15118.sdp import POLICY, Request, Response, SdpError, Security, TlsPolicy, read_request, read_response
from iso15118.v2gtp import SDP_REQUEST, SDP_WIRELESS_REQUEST, Frame


@pytest.mark.parametrize(("security", "octets"), [(Security.TLS, "01FE9000000000020000"), (Security.NONE, "01FE9000000000021000")])
def test_the_request_on_the_wire(security: Security, octets: str) -> None:
    assert Request(security).octets().hex().upper() == octets
    assert read_request(bytes.fromhex(octets)) == Request(security)


def test_the_response_on_the_wire() -> None:
    response = Response(ipaddress.IPv6Address("fe80::1"), 50000, Security.NONE)
    octets = "01FE900100000014" + "FE80000000000000" + "0000000000000001" + "C350" + "10" + "00"
    assert response.octets().hex().upper() == octets
    assert read_response(bytes.fromhex(octets)) == response


@pytest.mark.req("S-23", "S-1")
@pytest.mark.parametrize(
    "datagram",
    [
        b"",
        Request(Security.TLS).octets()[:-1],
        Request(Security.TLS).octets() + b"\0",
        Frame(SDP_REQUEST, b"").octets(),
        Frame(SDP_REQUEST, b"\x00").octets(),
        Frame(SDP_REQUEST, b"\x00\x00\x00").octets(),
        Frame(SDP_REQUEST, b"\x01\x00").octets(),
        Frame(SDP_REQUEST, b"\x00\x10").octets(),
        Frame(SDP_WIRELESS_REQUEST, b"\x00\x00").octets(),
        Frame(0x8001, b"\x00\x00").octets(),
        b"\x01\xff\x90\x00\x00\x00\x00\x02\x00\x00",
        *(
            b"\x01\xfe\x90\x00" + length.to_bytes(4, "big") + b"\x00\x00"
            for length in (0, 1, 3, 65535, 1 << 31, *(2**32 - n for n in range(1, 9)))
        ),
    ],
)
def test_what_is_not_exactly_a_request_is_left_alone(datagram: bytes) -> None:
    with pytest.raises(SdpError):
        read_request(datagram)


@given(st.binary(max_size=40))
def test_anything_gives_a_message_or_sdp_error(datagram: bytes) -> None:
    for read in (read_request, read_response):
        try:
            assert read(datagram).octets() == datagram
        except SdpError:
            continue


@pytest.mark.req("S-14")
def test_the_policy_decides_every_case_and_never_less_than_is_wanted() -> None:
    assert set(POLICY) == {(policy, asked) for policy in TlsPolicy for asked in Security}
    assert all(offered is not Security.NONE for (policy, _), offered in POLICY.items() if policy is TlsPolicy.REQUIRED)
    assert POLICY[TlsPolicy.OPTIONAL, Security.TLS] is Security.TLS
