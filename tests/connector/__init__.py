"""What any ERP connector has to pass; docs/connectors.md says how to run it against one."""
