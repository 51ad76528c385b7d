"""AWS's list prices in us-east-1, on demand, in US dollars, as known in early 2025; no free tier.

They cannot be looked up where this was written: check them before you rely on a sum.
"""

API_CALLS = 3.50 / 1e6
"""REST API, the first 333 million calls."""
FUNCTION_GB_SECONDS = 0.0000166667
"""x86_64."""
FUNCTION_CALLS = 0.20 / 1e6
WRITE_UNITS = 0.625 / 1e6
READ_UNITS = 0.125 / 1e6
TABLE_GB_MONTH = 0.25 + 0.20
"""Stored, and with point-in-time recovery."""
PUTS = 0.005 / 1e3
GETS = 0.0004 / 1e3
BUCKET_GB_MONTH = 0.023
LOG_GB = 0.50
TRANSITIONS = 25 / 1e6
"""Of a standard workflow of Step Functions."""
METRIC = 0.30
"""A month: a name with its dimensions, up to 10,000 of them."""
ALARM = 0.10
"""A month, on one metric. By metric math it is this for each metric in it."""
COMPOSITE = 0.50
DASHBOARD = 3.00
SECRET = 0.40
