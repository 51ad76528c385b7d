"""A real Odoo 19 from Debian's package over a throwaway PostgreSQL; `make test-odoo`."""
