"""The control room: a read-only page over a stack."""
