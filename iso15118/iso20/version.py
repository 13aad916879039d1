"""What supportedAppProtocol says of ISO 15118-20; no message is imported for it."""

from iso15118.v2gtp import ISO20_AC, ISO20_DC, SCHEMA_SETS

MAJOR, MINOR = 1, 0
"""Version of the namespaces in supportedAppProtocol."""
AC, DC = SCHEMA_SETS[ISO20_AC], SCHEMA_SETS[ISO20_DC]
