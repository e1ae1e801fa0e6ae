"""Where the data lives: the servers that the environment names, or the embedded ones."""

from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

from zsk import embedded


def database(url: str, data_dir: Path, *, pool_size: int, prepare: bool) -> dict[str, Any]:
    """Django's settings for a PostgreSQL address; without one the embedded server is started.

    `prepare`: statements that come again are planned once per connection, which halves the database's part of
    a small delivery; to be switched off behind a pooler that hands out connections by transaction.
    """
    parts = urlsplit(url or embedded.postgres_url(data_dir))
    if parts.scheme not in {"postgres", "postgresql"}:
        raise ImproperlyConfigured("DATABASE_URL muss mit postgresql:// beginnen.")
    options: dict[str, Any] = dict(parse_qsl(parts.query))
    host = options.pop("host", None) or unquote(parts.hostname or "")
    # Binding on the server is what pipelines and prepared statements need.
    options |= {"server_side_binding": True, "prepare_threshold": 5 if prepare else None}
    if pool_size:
        options["pool"] = {"min_size": 1, "max_size": pool_size, "timeout": 10}
    return {
        "ENGINE": "zsk.postgresql",
        "NAME": unquote(parts.path.lstrip("/")) or "zsk",
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": host,
        "PORT": str(parts.port or ""),
        "OPTIONS": options,
    }


def redis(url: str, data_dir: Path) -> tuple[str, str]:
    """Addresses of the cache and of Celery's broker: two databases of one server."""
    address = url or embedded.redis_url(data_dir)
    if address.startswith("unix://"):
        path = address.removeprefix("unix://").partition("?")[0]
        return f"unix://{path}?db=1", f"redis+socket://{path}?virtual_host=0"
    if not address.startswith(("redis://", "rediss://")):
        raise ImproperlyConfigured("REDIS_URL muss mit redis:// oder rediss:// beginnen.")
    base = address.rstrip("/")
    return f"{base}/1", f"{base}/0"
