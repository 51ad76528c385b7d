"""Hypothesis draws the same cases every time, so that CI is stable.

HYPOTHESIS_PROFILE=explore draws new ones, many more; quick draws fewer, for mutation testing.
"""

import os

from hypothesis import settings

settings.register_profile("stable", derandomize=True, database=None, deadline=None)
settings.register_profile("quick", settings.get_profile("stable"), max_examples=25)
settings.register_profile("explore", max_examples=5_000, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "stable"))
