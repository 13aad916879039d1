"""Hostile octets for our own decoders: mutations, streams built to be slow, and a search guided by coverage."""
