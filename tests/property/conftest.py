"""Hypothesis draws the same cases every time, so that CI is stable; 100, or 25 in `make test`.

HYPOTHESIS_PROFILE=explore draws new ones, many more.
"""

import os

from hypothesis import settings

settings.register_profile("stable", derandomize=True, database=None, deadline=None)
settings.register_profile("quick", settings.get_profile("stable"), max_examples=25)
settings.register_profile("explore", max_examples=5_000, deadline=None)
USUAL = "stable" if os.environ.get("SWEEPS") == "full" else "quick"
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", USUAL))
