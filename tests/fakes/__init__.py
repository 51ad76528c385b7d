"""In-memory stand-ins for ports; each passes the same contract suite as the real one."""
