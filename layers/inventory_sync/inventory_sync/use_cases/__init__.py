"""What the adapter does: each verb reads ports, calls the domain and writes ports."""
