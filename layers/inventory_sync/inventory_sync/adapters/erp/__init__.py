"""One file for each ERP connector."""
