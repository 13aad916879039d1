"""What no type can say: values of a configuration that do not go together."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from chargepoint.config import EvseConfig, StationConfig, identity_of
from chargepoint.config_file import certificate_rules, tariff_rules, v2g_rules
from chargepoint.config_file.reader import Finding
from chargepoint.ocpp import profiles, schemas
from chargepoint.ocpp.blocks.security import PASSWORD_LENGTHS
from chargepoint.ocpp.csms_url import UrlError, check_url
from chargepoint.ocpp.device_model import DeviceModel
from chargepoint.ocpp.dialects import IMPLEMENTED, offer
from chargepoint.ocpp.dialects.v21 import V21
from chargepoint.ocpp.id_tokens import TYPES
from chargepoint.ocpp.profiles import MOST_SLOTS, Profile
from chargepoint.wiring import BLOCKS, FIRST_BLOCKS
from hal import options, registry
from hal.errors import OptionError

PASSWORD_KEY = "SecurityCtrlr.BasicAuthPassword"  # noqa: S105 the name of a variable, no password
_OPTION = re.compile(r"([\w.]*)(?:: | = )?(.*)", re.DOTALL)
"""An OptionError begins with the key; what is wrong with it follows a colon, or its value."""
MOST_PHASES = {"cType1": 1, "cType2": 3, "sType2": 3, "cCCS1": 1, "cCCS2": 3}
"""Phases of IEC 62196-2: type 1 has one."""


def broken(config: StationConfig, given: Mapping[str, Any]) -> Iterator[Finding]:
    """Every rule that this configuration breaks. `given` are the values of the file."""
    yield from _board(config)
    yield from _evses(config)
    yield from tariff_rules.broken(config.tariff, tariff if isinstance(tariff := given.get("tariff", {}), Mapping) else {})
    yield from _csms(config)
    yield from certificate_rules.broken(config.certificates)
    yield from _slots(config)
    yield from _seeds(config)
    for i, token in enumerate(config.local_tokens):
        kind, colon, _ = token.partition(":")
        if colon and kind not in TYPES:
            yield Finding(("local_tokens", i), f"there is no token type {kind!r}; there are {', '.join(TYPES)}")
        elif not token.rpartition(":")[2]:
            yield Finding(("local_tokens", i), "the token is empty")


def _board(config: StationConfig) -> Iterator[Finding]:
    try:
        module = registry.find(config.board).load()
    except registry.UnknownDriver as error:
        yield Finding(("board",), str(error))
        return
    try:
        options.read(module.Options, config.board_options)
    except OptionError as error:
        match = _OPTION.fullmatch(str(error))
        key, text = match.groups() if match else ("", str(error))
        yield Finding(("board_options", *key.split(".")) if key else ("board_options",), text)


def _evses(config: StationConfig) -> Iterator[Finding]:
    if not config.evses:
        yield Finding(("evses",), "there is none; a station has at least one EVSE")
    counted = Counter(evse.id for evse in config.evses)
    for i, evse in enumerate(config.evses):
        if counted[evse.id] > 1 and any(before.id == evse.id for before in config.evses[:i]):
            yield Finding(("evses", i, "id"), f"{evse.id} is the id of an EVSE above; each has its own")
        yield from _evse(evse, ("evses", i))


def _evse(evse: EvseConfig, at: tuple[str, int]) -> Iterator[Finding]:
    if evse.min_current_A > evse.max_current_A:
        yield Finding((*at, "min_current_A"), f"{evse.min_current_A:g} is more than max_current_A ({evse.max_current_A:g})")
    if evse.phases > MOST_PHASES[evse.connector]:
        yield Finding(
            (*at, "phases"), f"{evse.phases} phases do not go through a {evse.connector}, which has {MOST_PHASES[evse.connector]}"
        )
    if evse.derate_from_C >= evse.derate_stop_C:
        yield Finding((*at, "derate_from_C"), f"{evse.derate_from_C:g} is not below derate_stop_C ({evse.derate_stop_C:g})")
    yield from v2g_rules.broken(evse, at)


def _csms(config: StationConfig) -> Iterator[Finding]:
    csms = config.csms
    if not offer(csms.versions):
        yield Finding(("csms", "versions"), f"none of them is implemented; there is {', '.join(IMPLEMENTED)}")
    if csms.basic_auth_password and not PASSWORD_LENGTHS[0] <= len(csms.basic_auth_password) <= PASSWORD_LENGTHS[1]:
        yield Finding(
            ("csms", "basic_auth_password"), f"a password has {PASSWORD_LENGTHS[0]} to {PASSWORD_LENGTHS[1]} characters (OCPP 2.1 A01)"
        )
    if not csms.url:
        return
    try:
        check_url(csms.url)
    except UrlError as error:
        yield Finding(("csms", "url"), str(error))
        return
    wrong = profiles.problem(Profile(1, csms.url, csms.security_profile))
    if wrong:
        yield Finding(("csms", "security_profile"), f"{wrong}; the url is {csms.url!r}" + _ask(csms.url))
    yield from _credentials(config)


def _ask(url: str) -> str:
    """Nobody ends up without security by leaving something out."""
    return "; without TLS say security_profile = 1 (password) or 0 (none) by name" if url.startswith("ws:") else ""


def _credentials(config: StationConfig) -> Iterator[Finding]:
    csms = config.csms
    if csms.security_profile in (1, 2):
        if not csms.basic_auth_password and PASSWORD_KEY not in config.variables:
            yield Finding(("csms", "basic_auth_password"), f"is needed with security profile {csms.security_profile}")
        if ":" in identity_of(config):
            yield Finding(("csms", "identity"), "a colon cannot stand in the user name of basic authentication (RFC 7617)")
    if csms.security_profile == 3:
        for key in ("client_cert_file", "client_key_file"):
            if not getattr(csms, key):
                yield Finding(("csms", key), "is needed with security profile 3")


def _slots(config: StationConfig) -> Iterator[Finding]:
    seen: set[int] = {1} if config.csms.url else set()
    for i, entry in enumerate(config.network_profiles):
        at = ("network_profiles", i)
        violation = schemas.check(V21.schema_set, "SetNetworkProfileRequest", entry, received=False)
        if violation is not None:
            yield Finding(at, f"is not shaped as SetNetworkProfileRequest: {violation.description}")
            continue
        slot = entry["configurationSlot"]
        if slot in seen:
            yield Finding(at, f"slot {slot} is taken" + (" by [csms]" if slot == 1 else " above"))
        elif not 1 <= slot <= MOST_SLOTS:
            yield Finding(at, f"slots are 1 to {MOST_SLOTS}, not {slot}")
        seen.add(slot)
        wrong = profiles.problem(profiles.from_wire(slot, entry["connectionData"]))
        if wrong:
            yield Finding(at, wrong)


def _seeds(config: StationConfig) -> Iterator[Finding]:
    rows = (row for block in (*FIRST_BLOCKS, *BLOCKS) for row in block.variables)
    model = DeviceModel(rows, {evse.id for evse in config.evses})
    for key, value in config.variables.items():
        for wrong in model.seed({key: value}):
            yield Finding(("variables", *key.split(".")), wrong.removeprefix(f"{key}: "))
