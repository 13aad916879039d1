"""Names in the folder of a store."""

from __future__ import annotations

INDEX = "index.json"
ROOTS, OWN, ASIDE = "roots", "own", "aside"
ROOT, CHAIN, REQUEST, KEY = ".pem", ".pem", ".csr", ".key"
