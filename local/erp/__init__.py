"""A simulator of an ERP behind docs/erp-openapi.yaml: `ErpModel` (pure), `erp_server` (HTTP)."""
