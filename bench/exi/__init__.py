"""EXI seen from outside: another codec as oracle, random instances, and V2G traffic out of captures."""
