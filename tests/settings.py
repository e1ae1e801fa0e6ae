"""Settings of the tests: the real ones, on servers of their own that trade durability for speed."""

import fcntl
import os
from itertools import count
from pathlib import Path

from zsk import embedded

_HOME = Path(__file__).resolve().parent.parent / ".zsk"


def _free_folder() -> Path:
    """A data folder that no other test run in this checkout uses now; ours until this process ends."""
    for number in count(1):
        folder = _HOME / f"test-{number}"
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(folder / "run.lock", os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
        else:
            return folder
    raise AssertionError


_DATA_DIR = _free_folder()
os.environ["ZSK_DATA_DIR"] = str(_DATA_DIR)
os.environ["ZSK_ENVIRONMENT"] = "test"
# In the environment, because processes that a test starts want the same servers.
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
