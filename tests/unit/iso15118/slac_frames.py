"""One frame of each management message, octets by hand beside the message that they mean; and any message, for Hypothesis."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from iso15118.slac import layout, mme, vendor
from iso15118.slac.layout import KNOWN, Mme

EV, EVSE, MODEM = (bytes.fromhex(each) for each in ("00019A1B2C3D", "98ED5C0A0B0C", "00B0524E4D01"))
RUN = bytes.fromhex("1122334455667788")
NMK = bytes.fromhex("50D3E4933F855B7040784DF815AA8DB7")
NID = bytes.fromhex("B0F2E695666B03")
RANDOM = bytes(range(0xA0, 0xB0))
AAG = bytes(range(5, 63))
_AAG = AAG.hex()
_ZEROS17 = "00" * 17

GOLDEN: list[tuple[Mme, str]] = [
    (
        mme.SetKeyReq(nid=NID, new_key=NMK),
        "01 0860 0000  01 00000000 00000000 04 0000 00 00 B0F2E695666B03 01 50D3E4933F855B7040784DF815AA8DB7",
    ),
    (mme.SetKeyCnf(result=1, my_nonce=b"\xaa" * 4, prn=0x0102), "01 0960 0000  01 AAAAAAAA 00000000 04 0201 00 00"),
    (mme.AmpMapReq(amplitudes=b"\x0c\x00\x0b"), "01 1C60 0000  0300 0C 0B"),
    (mme.AmpMapCnf(result=0), "01 1D60 0000  00"),
    (mme.NwStatsReq(), "01 4860 0000"),
    (mme.NwStatsCnf(stations=(mme.Rate(EV, 9, 7),)), "01 4960 0000  01 00019A1B2C3D 09 07"),
    (mme.SlacParmReq(run_id=RUN), "01 6460 0000  00 00 1122334455667788"),
    (mme.SlacParmCnf(forwarding_sta=EV, run_id=RUN), "01 6560 0000  FFFFFFFFFFFF 0A 06 01 00019A1B2C3D 00 00 1122334455667788"),
    (mme.StartAttenCharInd(forwarding_sta=EV, run_id=RUN), "01 6A60 0000  00 00 0A 06 01 00019A1B2C3D 1122334455667788"),
    (
        mme.MnbcSoundInd(count=9, run_id=RUN, random=RANDOM),
        f"01 7660 0000  00 00 {_ZEROS17} 09 1122334455667788 0000000000000000 {RANDOM.hex()}",
    ),
    (mme.AttenProfileInd(pev_mac=EV, aag=AAG), f"01 8660 0000  00019A1B2C3D 3A 00 {_AAG}"),
    (
        mme.AttenCharInd(source_address=EV, run_id=RUN, num_sounds=10, aag=AAG),
        f"01 6E60 0000  00 00 00019A1B2C3D 1122334455667788 {_ZEROS17} {_ZEROS17} 0A 3A {_AAG}",
    ),
    (mme.AttenCharRsp(source_address=EV, run_id=RUN), f"01 6F60 0000  00 00 00019A1B2C3D 1122334455667788 {_ZEROS17} {_ZEROS17} 00"),
    (mme.ValidateReq(timer=5), "01 7860 0000  00 05 01"),
    (mme.ValidateCnf(toggle_num=3, result=2), "01 7960 0000  00 03 02"),
    (
        mme.SlacMatchReq(pev_mac=EV, evse_mac=EVSE, run_id=RUN),
        f"01 7C60 0000  00 00 3E00 {_ZEROS17} 00019A1B2C3D {_ZEROS17} 98ED5C0A0B0C 1122334455667788 0000000000000000",
    ),
    (
        mme.SlacMatchCnf(pev_mac=EV, evse_mac=EVSE, run_id=RUN, nid=NID, nmk=NMK),
        (
            f"01 7D60 0000  00 00 5600 {_ZEROS17} 00019A1B2C3D {_ZEROS17} 98ED5C0A0B0C 1122334455667788 0000000000000000"
            " B0F2E695666B03 00 50D3E4933F855B7040784DF815AA8DB7"
        ),
    ),
    (vendor.VsSwVerReq(), "00 00A0 00B052"),
    (
        vendor.VsSwVerCnf(device_class=0x20, version="MAC-QCA7000-1.1"),
        f"00 01A0 00B052  00 20 0F 4D41432D514341373030302D312E31 {'00' * 50}",
    ),
    (vendor.VsGetNvmReq(), "00 10A0 00B052"),
    (
        vendor.VsGetNvmCnf(nvm_type=0x14, page_octets=256, block_octets=65536, size_octets=1 << 21),
        "00 11A0 00B052  00 14000000 00010000 00000100 00002000",
    ),
    (vendor.VsRsDevReq(), "00 1CA0 00B052"),
    (vendor.VsRsDevCnf(), "00 1DA0 00B052  00"),
    (vendor.VsNwInfoReq(), "01 38A0 0000 00B052"),
    (
        vendor.VsNwInfoCnf(networks=(vendor.Network(NID, 4, 1, 2, MODEM, 1, (vendor.Station(EV, 2, EVSE, 9, 258),)),)),
        (
            "01 39A0 0000 00B052  00 00 3A00  00 01  B0F2E695666B03 0000 04 01 00000000 02 00B0524E4D01 01 000000 01 0000000000"
            "  00019A1B2C3D 02 000000 98ED5C0A0B0C 0900 00 00 0201 0000"
        ),
    ),
    (vendor.VsSetKeyReq(nmk=NMK), f"00 50A0 00B052  01 50D3E4933F855B7040784DF815AA8DB7 0F 000000000000 {'00' * 16}"),
    (vendor.VsSetKeyCnf(), "00 51A0 00B052  00"),
    (vendor.VsOpAttributesReq(cookie=0x12345), "00 68A0 00B052  45230100 00"),
    (
        vendor.VsOpAttributesCnf(
            cookie=0x12345,
            hardware=b"QCA7000".ljust(16, b"\0"),
            software=b"MAC".ljust(16, b"\0"),
            major=1,
            minor=2,
            pib=3,
            build=4,
            build_date=b"20200101",
            release_type=b"FINAL".ljust(12, b"\0"),
            line_frequency=5,
        ),
        (
            "00 69A0 00B052  0000 45230100 00 7600 51434137303030000000000000000000 4D414300000000000000000000000000"
            " 01000000 02000000 03000000 04000000 00000000 3230323030313031 46494E414C00000000000000 00 00 05 00000000 00"
        ),
    ),
    (vendor.VsPlLnkStatusReq(), "00 B8A0 00B052"),
    (vendor.VsPlLnkStatusCnf(link_status=1), "00 B9A0 00B052  00 01"),
    (vendor.VsAttenCharInd(pev_mac=EV, aag=AAG), f"00 4EA1 00B052  00019A1B2C3D 3A 00 00000000000000 {_AAG}"),
    (vendor.NscmGetVersionReq(), f"00 6CAC 0016E8  {'00' * 19}"),
    (vendor.NscmGetVersionCnf(major=1, minor=2, patch=3, build=4), f"00 6DAC 0016E8  {'00' * 19} 0100 0200 0300 0400"),
    (vendor.NscmResetDeviceReq(), f"00 70AC 0016E8  {'00' * 19} 00"),
    (vendor.NscmGetDLinkStatusReq(), f"00 9CAC 0016E8  {'00' * 19}"),
    (vendor.NscmGetDLinkStatusCnf(link_status=1), f"00 9DAC 0016E8  {'00' * 19} 01"),
]


def whole(body: str) -> bytes:
    """The frame around octets from MMV on, not padded."""
    return EVSE + EV + bytes.fromhex("88E1" + body)


def padded(body: str) -> bytes:
    return whole(body).ljust(layout.LEAST, b"\0")


# ---- any message

_MAC = st.binary(min_size=6, max_size=6)
_TAILS: dict[str, st.SearchStrategy[Any]] = {
    "amplitudes": st.binary(min_size=1, max_size=2990).map(lambda octets: bytes(octet & 15 for octet in octets)),
    "stations": st.lists(st.builds(mme.Rate, _MAC, st.integers(0, 255), st.integers(0, 255)), max_size=180).map(tuple),
    "aag": st.binary(min_size=58, max_size=58),
    "version": st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=255),
    "networks": st.lists(
        st.builds(
            vendor.Network,
            st.binary(min_size=7, max_size=7),
            *[st.integers(0, 255)] * 3,
            _MAC,
            st.integers(0, 255),
            st.lists(
                st.builds(vendor.Station, _MAC, st.integers(0, 255), _MAC, st.integers(0, 65535), st.integers(0, 65535)), max_size=8
            ).map(tuple),
        ),
        max_size=6,
    ).map(tuple),
}


def _field(name: str, mark: object) -> st.SearchStrategy[Any]:
    match mark:
        case layout.Octets(size):
            return st.binary(min_size=size, max_size=size)
        case layout.Number(size):
            return st.integers(0, (1 << 8 * size) - 1)
        case _:
            return _TAILS[name]


def messages() -> st.SearchStrategy[Mme]:
    """Any message of any known type."""
    return st.sampled_from(sorted(KNOWN)).flatmap(
        lambda mmtype: st.builds(
            KNOWN[mmtype].made, **{name: _field(name, mark) for name, mark in layout.fields(KNOWN[mmtype].made) if not name.isupper()}
        )
    )
