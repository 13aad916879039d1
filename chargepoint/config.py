"""What a site and its hardware are: the declarations behind `chargepoint.toml`. Immutable while the station runs.

Ranges stand in the types; the loader (`config_file`), the JSON Schema and the reference page all come from these lines.
Money, tokens and everything that a CSMS may change live in the device model, which `variables` here only seeds.
"""

from __future__ import annotations

from dataclasses import field
from typing import Annotated, Any, Literal

from iso15118 import protocols
from iso15118.frozen import dataclass
from iso15118.slac import times


@dataclass(frozen=True, slots=True)
class Range:
    """Bounds of a number, both included."""

    min: float
    max: float


@dataclass(frozen=True, slots=True)
class Text:
    """Bounds of a text: its length, and a regular expression that it matches whole."""

    max_length: int
    pattern: str = ""
    min_length: int = 0


@dataclass(frozen=True, slots=True)
class Secret:
    """Never logged, never exported."""


@dataclass(frozen=True, slots=True)
class CsmsConfig:
    """How the CSMS is reached: network profile slot 1."""

    url: Annotated[str, Text(2000)] = ""
    """ws:// or wss://; the identity is appended as the last path segment unless `{identity}` stands in the URL. "" = none: offline."""
    identity: Annotated[str, Text(48, r"[A-Za-z0-9*\-_=:+|@.]*")] = ""
    """The station's identity at the CSMS; "" = the station's serial number."""
    security_profile: Annotated[int, Range(0, 3)] = 2
    """0 = no security (must be asked for), 1 = basic auth, 2 = TLS + basic auth, 3 = TLS with client certificate."""
    basic_auth_password: Annotated[str, Text(64), Secret()] = field(default="", repr=False)
    ca_file: str = ""
    """PEM roots for the CSMS; "" = the system's."""
    client_cert_file: str = ""
    client_key_file: str = ""
    versions: tuple[Literal["ocpp2.1", "ocpp2.0.1", "ocpp1.6"], ...] = ("ocpp2.1", "ocpp2.0.1", "ocpp1.6")
    """Subprotocols that may be offered, in order of preference; what is not implemented is left out of the offer."""


@dataclass(frozen=True, slots=True)
class CertificatesConfig:
    """Where what the CSMS installs, and the keys that are made here, lie. Certificates that `[csms]` and `[evses.v2g]` name are what the station begins
    with: they are used as long as nothing newer is there, and their files are never changed.
    """

    folder: str = ""
    """"" = `certificates` in state_dir. Of this station alone, mode 0700."""
    backend: Literal["files", "pkcs11", "tpm2"] = "files"
    """Where private keys are made and stay: "files" in the folder, unencrypted and for the owner's eyes; "pkcs11" in a token, "tpm2" in a TPM 2.0 (by
    tpm2-pkcs11; P-256 only, so not for ISO 15118-20)."""
    module: str = ""
    """PKCS#11 library of the token, with its path, as /usr/lib/softhsm/libsofthsm2.so; "" = the one of tpm2-pkcs11 with "tpm2", needed with "pkcs11"."""
    token: Annotated[str, Text(200, r"(pkcs11:[A-Za-z0-9\-._~%=;:@&/+]+)?")] = ""
    """URI of the token (RFC 7512), as `pkcs11:token=chargepoint`; needed with "pkcs11" and "tpm2"."""
    pin_file: str = ""
    """Absolute path of a file that holds the token's PIN and nothing else, no end of line either, for the owner's eyes; needed with "pkcs11" and "tpm2"."""
    tree: str = ""
    """A folder of more certificates to begin with: *.pem in ca/csms, ca/v2g, ca/mo, ca/mf and ca/oem, *.pem with *.key in client/csms and client/cso; "" = none."""
    expiring_days: Annotated[float, Range(1, 365)] = 30.0
    """So long ahead of its end a certificate is reported, and then daily."""


@dataclass(frozen=True, slots=True)
class DcConfig:
    """What a site lets its DC stage give; the board's own ratings count as well, the lower ones win."""

    max_power_W: Annotated[float, Range(1_000, 1_000_000)] = 60_000.0
    max_current_A: Annotated[float, Range(1, 1_500)] = 200.0
    max_voltage_V: Annotated[float, Range(100, 1_250)] = 1_000.0
    min_voltage_V: Annotated[float, Range(50, 1_000)] = 150.0
    max_discharge_W: Annotated[float, Range(0, 1_000_000)] = 0.0
    """From the vehicle; 0 = one way only."""
    max_discharge_A: Annotated[float, Range(0, 1_500)] = 0.0


@dataclass(frozen=True, slots=True)
class SlacConfig:
    """How the vehicle on the cable is found among those on the power line (ISO 15118-3)."""

    modem: Literal["none", "auto", "qualcomm", "lumissil", "key_only"] = "none"
    """What hangs on the interface. "none": no modem that has to be told anything; whoever is on the interface is the vehicle. "auto": it is asked;
    "key_only": it takes keys, and says nothing of itself."""
    modem_mac: Annotated[str, Text(17, r"([0-9A-Fa-f]{2}:){5}[0-9A-Fa-f]{2}|")] = ""
    """The modem's own address, as it stands on its label. "" = whoever answers first is it, and until then somebody on the line could."""
    validation: bool = False
    """A vehicle that is heard with more than 10 dB has to show itself on the pilot (CM_VALIDATE) before it gets the key, and so has whoever asks to: for
    places where one cable's signal reaches the next."""
    correction_dB: Annotated[float, Range(-40, 40)] = 0.0
    """What this modem and its wiring add to each attenuation; it is taken off. Vehicles take what is below 10 dB for their own cable."""
    autocharge: bool = False
    """The MAC address that a vehicle has on the power line is its token, of type MacAddress: whose token the CSMS, the list or the cache knows charges
    without a card. Anybody can take anybody's MAC address: say yes only where somebody else's charge on the bill can be borne."""

    @property
    def address(self) -> bytes | None:
        """Of the modem, where it is configured."""
        return bytes.fromhex(self.modem_mac.replace(":", "")) or None


@dataclass(frozen=True, slots=True)
class ParkingConfig:
    """A parking service that the vehicle may choose."""

    service: Literal["check-in", "check-out"] = "check-in"
    status: Literal["auto, internal", "auto, external", "manual, internal", "manual, external"] = "manual, external"
    """Whether the vehicle parks by itself, and whether it is guided by itself or from outside."""


@dataclass(frozen=True, slots=True)
class V2gConfig:
    """How an EVSE talks with the vehicle by ISO 15118."""

    interface: Annotated[str, Text(15, r"[A-Za-z0-9_.\-]*")] = ""
    """The network interface of its power-line modem; "" = it does not talk (IEC 61851-1 only)."""
    pki_dir: str = ""
    """Where its certificates and keys are."""
    tls: Literal["required", "optional", "none"] = "optional"
    """Whether a vehicle has to connect with TLS; "optional": as it asks. ISO 15118-20 and contracts are never taken without TLS, whatever stands here; ISO 15118-2
    and DIN 70121 are, with "optional" or "none": most DC vehicles on the road know no TLS, and find no charger at one that requires it."""
    protocols: tuple[Literal["iso20-dc", "iso20-ac", "iso2-dc", "iso2-ac", "din"], ...] = ()
    """What may be spoken; the vehicle's priorities decide. None named = all that charge the EVSE's kind of current: most vehicles on the road speak DIN 70121
    ("din", DC) or ISO 15118-2 ("iso2-dc", "iso2-ac"). DIN 70121 has no TLS: it needs tls = "optional" or "none", and unnamed it is left out with "required"."""
    evse_id: Annotated[str, Text(37, r"[A-Za-z]{2}\*?[A-Za-z0-9]{3}\*?[Ee][A-Za-z0-9*]{1,30}", 7)] = "DE*ICE*E00001*1"
    """EVSEID as the vehicle is told it (DIN SPEC 91286)."""
    ac_discharge_W: Annotated[float, Range(0, 100_000)] = 0.0
    """AC: so much a vehicle may feed back; 0 = one way only. DC has it in its own section."""
    unverified_vehicles: bool = False
    """A bench may speak ISO 15118-20 with vehicles whose certificate nobody has judged; `run` refuses it."""
    p256_contracts: bool = False
    """A bench may take contracts and vehicles with keys of ISO 15118-2 (P-256) in ISO 15118-20, as some stacks have them; `run` refuses it."""
    pausing: bool = True
    """The vehicle may pause its session."""
    standby: bool = True
    """The vehicle may stay in its loop without energy; where it may not, it is told to go on or to end."""
    internet: tuple[Literal["ftp:20", "ftp:21", "http:80", "https:443"], ...] = ()
    """What the value-added service Internet offers (ServiceID 65), protocol and port; none = it is not offered. The vehicle gets the offer: the way into the
    network is the site's."""
    parking: tuple[ParkingConfig, ...] = ()
    """What the value-added service Parking offers (ServiceID 66); none = it is not offered."""
    parking_methods: tuple[Literal["AutoParking", "MVGuideManual", "Manual"], ...] = ()
    """How a vehicle that checks in may park; none = in whatever way."""
    confirm_metering_s: Annotated[float, Range(0, 86_400)] = 0.0
    """So often a vehicle in its loop is asked to confirm the meter; 0 = never."""
    slac: SlacConfig = SlacConfig()


@dataclass(frozen=True, slots=True)
class EvseConfig:
    """One EVSE: its ratings and how it is wired."""

    id: Annotated[int, Range(1, 99)] = 1
    max_current_A: Annotated[float, Range(6, 80)] = 16.0
    """What supply, wiring and hardware carry; nothing raises it (S-20)."""
    min_current_A: Annotated[float, Range(6, 80)] = 6.0
    phases: Literal[1, 3] = 3
    connector: Literal["cType2", "sType2", "cType1", "cCCS1", "cCCS2"] = "cType2"
    """c = tethered cable, s = socket (with PP coding and a lock), as in ConnectorEnumStringType."""
    mode: Literal["ac", "dc"] = "ac"
    ventilation: bool = False
    """Whether the place is ventilated, so that an EV in state D may charge."""
    nominal_V: Annotated[float, Range(100, 260)] = 230.0
    on_meter_silence: Literal["goes_on", "stops"] = "goes_on"
    """What a silent meter means for a running charge (F-13); "stops" where nothing may be sold unmeasured."""
    derate_from_C: Annotated[float, Range(30, 120)] = 60.0
    """From this temperature on the current goes down [K]; the sensor's place and the enclosure decide what is right."""
    derate_stop_C: Annotated[float, Range(40, 140)] = 80.0
    """At this temperature nothing is offered any more [K]."""
    residual_reclose_attempts: Annotated[int, Range(0, 10)] = 0
    """How often in one plug-in the residual-current device is re-armed by itself; 0 = a person has to (F-15)."""
    dc: DcConfig = DcConfig()
    v2g: V2gConfig = V2gConfig()

    @property
    def has_modem(self) -> bool:
        """A power-line modem finds the vehicle on its cable (SLAC)."""
        return bool(self.v2g.interface) and self.v2g.slac.modem != "none"

    @property
    def protocols(self) -> tuple[str, ...]:
        """What is spoken with its vehicles: as named, or all that serve them."""
        return self.v2g.protocols or protocols.usual(self.mode, plain=self.v2g.tls != "required")

    @property
    def tls(self) -> Literal["required", "optional", "none"]:
        """`v2g.tls` as it works out: where ISO 15118-20 alone is spoken, nobody is served without; where DIN 70121 alone is, nobody with it."""
        if self.v2g.tls == "optional" and all(each.startswith("iso20-") for each in self.protocols):
            return "required"
        return "none" if self.v2g.tls == "optional" and set(self.protocols) == {"din"} else self.v2g.tls


@dataclass(frozen=True, slots=True)
class TariffTime:
    """A stretch of each day with a price of its own."""

    from_: Annotated[str, Text(5, r"(?!2[4-9])[0-2][0-9]:[0-5][0-9]", 5)]
    """Local time; until the next one begins, or until midnight."""
    price_per_kWh: Annotated[float, Range(0, 100_000)]


@dataclass(frozen=True, slots=True)
class TariffConfig:
    """What a kWh costs here. A vehicle that talks (ISO 15118-20) is told it, for the next 24 h, as amounts or as levels, as it chooses."""

    currency: Annotated[str, Text(3, r"([A-Z]{3})?")] = ""
    """ISO 4217; "" = no tariff: vehicles are told one price level all day."""
    price_per_kWh: Annotated[float, Range(0, 100_000)] = 0.0
    """From midnight on; all day where there are no `times`. 0 = free of charge, which has to be said."""
    times: tuple[TariffTime, ...] = ()
    """Other prices later in the day: `times = [{ from = "06:00", price_per_kWh = 0.35 }, { from = "22:00", price_per_kWh = 0.19 }]`. Until the station
    knows the time they are not told."""
    time_zone: Annotated[str, Text(64, r"[A-Za-z0-9_+\-/]+")] = "UTC"
    """Of `times`: an IANA name, as Europe/Berlin. Summer time follows from it."""
    description: Annotated[str, Text(160, r"[^\x00-\x1f\x7f-\x9f]*")] = ""
    """For the vehicle to show (PriceScheduleDescription)."""


@dataclass(frozen=True, slots=True)
class Timings:
    """Times of IEC 61851-1 and house rules that a site may have to change."""

    permit_ttl_s: Annotated[float, Range(0.1, 2.0)] = 0.4
    """Lease on power: the hardware opens this long after the last renewal (F-16: 500 ms at most for a hung process)."""
    boot_jitter_s: Annotated[float, Range(0, 600)] = 30.0
    """BootNotification and first closing wait a random time up to this after a start (F-17)."""
    close_after_boot_s: Annotated[float, Range(0, 600)] = 10.0
    """Nothing closes sooner than this after a power loss (F-17)."""
    overcurrent_delay_s: Annotated[float, Range(1, 60)] = 7.0
    meter_silence_s: Annotated[float, Range(2, 120)] = 10.0
    meter_interval_s: Annotated[float, Range(0.2, 10)] = 1.0
    pilot_open_debounce_s: Annotated[float, Range(0, 0.08)] = 0.02
    """How long a level that ends the supply has to stand [K]; the supply is off within 100 ms of it (IEC 61851-1 Table A.5)."""
    pilot_debounce_s: Annotated[float, Range(0, 0.15)] = 0.05
    """How long any other level has to stand [K]; shorter than the 200 ms of a BCB toggle."""
    ev_opens_s2_s: Annotated[float, Range(0, 5)] = 3.0
    """The EV's time to stop by itself after the PWM went away, when the authorisation ended (IEC 61851-1 [K]; S-11 wants under 5 s)."""
    open_under_load_s: Annotated[float, Range(3, 6)] = 6.0
    """How long C1 holds the contactor closed in a pause before it opens under load (IEC 61851-1 Table A.6)."""
    duty_spacing_s: Annotated[float, Range(5, 60)] = 5.0
    """Between two changes of the PWM (IEC 61851-1: the EV follows within 5 s); reductions for safety do not wait."""
    old_limit_s: Annotated[float, Range(5, 10)] = 6.0
    """How long the old limit still counts after a reduction (S-20: the EV has 5 s to follow)."""
    x1_s: Annotated[float, Range(3, 30)] = times.T_STEP_X1_S
    """T_step_X1: the least time without PWM between two offers (IEC 61851-1 A.5.3)."""
    ef_pulse_s: Annotated[float, Range(4, 10)] = times.T_STEP_EF_S
    """T_step_EF: length of the wake-up pulse in state F (IEC 61851-1 A.5.3)."""
    x1_after_ef_s: Annotated[float, Range(0.5, 1)] = 1.0
    """X1 between the wake-up pulse and the PWM (0.5 to 1 s, IEC 61851-1 A.5.3)."""
    state_f_s: Annotated[float, Range(0.3, 10)] = 0.3
    """State F after a fault lasts at least this long (IEC 61851-1 Table A.5)."""
    wake_up_after_s: Annotated[float, Range(0, 600)] = 30.0
    """B2 without C for this long: one wake-up pulse for old EVs (IEC 61851-1 A.5.3); 0 = none."""
    paused_after_wake_up_s: Annotated[float, Range(1, 60)] = 10.0
    """Still B2 this long after the pulse: the EV does not want."""
    phase_switch_wait_s: Annotated[float, Range(5, 120)] = 10.0
    """Contactors open and no PWM for this long between one and three phases: live changes destroy on-board chargers."""
    close_timeout_s: Annotated[float, Range(0.1, 3)] = 1.0
    """The feedback shows closed by then, or the contactor failed to close [K]; IEC 61851-1 wants power within 3 s."""
    weld_after_s: Annotated[float, Range(0.1, 1)] = 0.2
    """The feedback still shows closed so long after opening: welded (F-14)."""
    reclose_after_s: Annotated[float, Range(0, 60)] = 10.0
    """From one closing to the next: spares the contactor when an EV toggles [K]."""
    residual_reclose_s: Annotated[float, Range(10, 3600)] = 300.0
    """From a trip of the residual-current device to re-arming it by itself, where configured [K]."""
    link_s: Annotated[float, Range(10, 120)] = times.TT_EVSE_SLAC_INIT_S[0]
    """From 5 % on the pilot to D-LINK_READY at most (TT_EVSE_SLAC_init, ISO 15118-3: 20 to 50 s). A vehicle that cannot talk waits for it as often as it is
    asked."""
    setup_s: Annotated[float, Range(5, 60)] = 20.0
    """From D-LINK_READY to the vehicle's session at most (V2G_SECC_CommunicationSetup_Timeout)."""
    hlc_attempts: Annotated[int, Range(1, 10)] = 1 + times.C_SEQU_RETRY
    """How often a vehicle is asked to talk; then AC goes on with the PWM alone, and DC gives up until a sign of the vehicle: once, and C_sequ_retry
    times more (V2G3-M06-07)."""
    dc_ramp_s: Annotated[float, Range(0.2, 3)] = 1.0
    """When DC goes off, the contactor waits so long for less than 5 A (IEC 61851-23 [K]); then it opens under load."""
    dc_rise_s: Annotated[float, Range(1, 20)] = 7.0
    """The stage reaches the voltage of cable check and precharge by then (V2G_EVCC_PreCharge_Timeout)."""
    insulation_s: Annotated[float, Range(1, 35)] = 20.0
    """The insulation monitor answers by then; the cable check as a whole has 38 s (V2G_SECC_CableCheck_Performance_Time)."""
    lock_timeout_s: Annotated[float, Range(1, 30)] = 5.0
    """The lock shows its new position by then [K]."""


@dataclass(frozen=True, slots=True)
class StationConfig:
    """The whole of `chargepoint.toml`."""

    vendor: Annotated[str, Text(50)] = "chargepoint"
    model: Annotated[str, Text(20)] = "AC wallbox"
    serial: Annotated[str, Text(25)] = ""
    state_dir: str = "/var/lib/chargepoint"
    board: Annotated[str, Text(40, r"[a-z][a-z0-9_]*")] = "sim"
    """Name of the hardware driver."""
    board_options: dict[str, Any] = field(default_factory=dict)
    """The driver's own section; each driver declares its keys and ranges."""
    accept_on_silence: Literal["opens", "falls_back", "goes_on"] = "opens"
    """The weakest behaviour of the board on the station's silence that this site accepts."""
    csms: CsmsConfig = CsmsConfig()
    certificates: CertificatesConfig = CertificatesConfig()
    evses: tuple[EvseConfig, ...] = (EvseConfig(),)
    tariff: TariffConfig = TariffConfig()
    timings: Timings = Timings()
    variables: dict[str, str] = field(default_factory=dict)
    """Start values of device-model variables: "Component.Variable" or "Component.Variable[instance]" -> value."""
    network_profiles: tuple[dict[str, Any], ...] = ()
    """More slots, shaped as SetNetworkProfileRequest; slot 1 is `csms`."""
    local_tokens: tuple[str, ...] = ()
    """"type:value" tokens that may always charge here (the owner's)."""
    keep_disk_MB: Annotated[int, Range(8, 4096)] = 64
    """Bound of outbox and journal together."""


def identity_of(config: StationConfig) -> str:
    """The identity on the wire."""
    return config.csms.identity or config.serial or "chargepoint"
