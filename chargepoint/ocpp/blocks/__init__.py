"""One file for each OCPP functional block, or a clear part of one. Blocks do not import each other."""
