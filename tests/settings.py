"""Settings of the tests: the real ones, on a cluster of their own that trades durability for speed."""

import os
from pathlib import Path

from zsk import embedded

_DATA_DIR = Path(__file__).resolve().parent.parent / ".zsk" / "test"
os.environ["ZSK_DATA_DIR"] = str(_DATA_DIR)
os.environ["ZSK_ENVIRONMENT"] = "test"
# Tests that start processes of ours want these addresses there too.
if not os.environ.get("DATABASE_URL"):
    os.environ["DATABASE_URL"] = embedded.postgres_url(_DATA_DIR, durable=False)
if not os.environ.get("REDIS_URL"):
    os.environ["REDIS_URL"] = embedded.redis_url(_DATA_DIR, durable=False)

from zsk.settings import *  # noqa: E402, F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
CELERY_TASK_ALWAYS_EAGER = True
CELERY_TASK_EAGER_PROPAGATES = True
# Files straight from their sources: a test must not depend on an earlier collectstatic.
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = True
