"""Seeded runs of the real use cases against a world in which everything goes wrong."""
