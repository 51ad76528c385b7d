"""The local stack: simulators of NewStore and of an ERP, and the runner of the real code."""
