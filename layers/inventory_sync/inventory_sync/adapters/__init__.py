"""One file for each outside system, each behind a port."""
