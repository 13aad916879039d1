"""Looking into a running station over a socket of its own: what goes on, its variables, and the messages as they pass. Nothing can be changed there.

| file | |
|---|---|
| `asked.py` | what is told: the station's facts as JSON |
| `server.py` | the socket `monitor` in state_dir, for the owner of the process only |
| `shown.py` | `chargepoint status`, `variables` and `ocpp tail` |
"""
