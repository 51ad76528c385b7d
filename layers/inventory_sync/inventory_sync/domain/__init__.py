"""Rules as functions of values: no I/O, no clock, no environment, no logging."""
