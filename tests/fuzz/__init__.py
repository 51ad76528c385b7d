"""docs/erp-openapi.yaml held against servers of it, by schemathesis: `make contract-fuzz`."""
