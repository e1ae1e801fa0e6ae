"""The product's settings, and one view that does nothing, to compare with."""

from zsk.settings import *  # noqa: F403

ROOT_URLCONF = "bench.urls"
LOGGING["root"]["level"] = "WARNING"  # noqa: F405
# Pages of errors must not need collected files.
STORAGES["staticfiles"]["BACKEND"] = "django.contrib.staticfiles.storage.StaticFilesStorage"  # noqa: F405
# Counted as in production, but never too many.
REQUESTS_PER_KEY = 10**9
