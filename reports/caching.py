"""The version of everything a page shows: its ETag, and the name under which results are kept."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache as for_process
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar

from django.conf import settings
from django.core.cache import cache
from django.db import connection, transaction
from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone, translation
from django.utils.cache import get_conditional_response, patch_cache_control, patch_vary_headers

from zsk.middleware import has_session

# Short: old versions are never asked for again, and a crawler of every region should not fill the server.
KEEP_SECONDS = 600
# Names that stand in Redis and in ETags: short, and without meaning to others.
NAME_LENGTH = 24

Result = TypeVar("Result")
Params = ParamSpec("Params")


@dataclass(frozen=True, slots=True)
class Version:
    """`data` counts changing deliveries and publications, as people may cite it; `key` names everything."""

    data: int
    key: str


def current_version() -> Version:
    """One statement. Whoever writes reference data raises its version; master data may change in place, so
    the rows themselves of services and portals and of what they are sorted by are in the key.
    """
    statement = """
        SELECT (SELECT coalesce(sum(version), 0) FROM service_state)::bigint,
               (SELECT coalesce(sum(hashtextextended(s::text || l::text || a.name, 0)::numeric), 0)
                FROM services_onlineservice s
                JOIN ozgsync_leistung l ON l.schluessel = s.leistung_id
                JOIN accounts_authority a ON a.id = s.authority_id)::text,
               (SELECT version FROM ozgsync_referenceversion),
               (SELECT max(id) FROM ozgsync_regionversion),
               (SELECT sum(hashtextextended(h::text, 0)::numeric) FROM services_portalservice h)::text,
               (SELECT sum(hashtextextended(p::text || a.name, 0)::numeric)
                FROM portals_portal p JOIN accounts_authority a ON a.id = p.authority_id)::text,
               (SELECT sum(hashtextextended(o::text, 0)::numeric) FROM ozgsync_ozgleistung o)::text,
               (SELECT sum(hashtextextended(t::text, 0)::numeric) FROM ozgsync_themenfeld t)::text
    """
    with connection.cursor() as cursor:
        cursor.execute(statement)
        data, *others = cursor.fetchone()
    parts = [
        data, *others, release(), translation.get_language(), timezone.localdate(),
        settings.SYNTHETIC_DATA, settings.ENVIRONMENT, settings.DUE_DAY,
    ]  # fmt: skip
    return Version(data, _digest(repr(parts).encode()))


@for_process
def release() -> str:
    """Names the code, templates and styles that make pages.

    A new release must not answer 304 for an old page, nor read results that other code has pickled.
    """
    digest = hashlib.sha256()
    folders = ["reports", "zsk", "templates", "locale", "static", "ozgsync/data"]
    for folder in folders:
        for path in sorted((settings.BASE_DIR / folder).rglob("*")):
            if path.suffix in {".py", ".html", ".mo", ".css", ".json"} and "vendor" not in path.parts:
                digest.update(path.read_bytes())
    return digest.hexdigest()[:NAME_LENGTH]


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:NAME_LENGTH]


def remembered(version: Version, name: str, compute: Callable[[], Result]) -> Result:
    """The result under the version, computed when it is not kept. Without Redis everything is computed.

    `name` holds every argument of `compute`; nothing in the result may depend on a person. None is not kept:
    it is quickly found again, and made-up addresses must not fill the cache.
    """
    key = f"reports:{version.key}:{_digest(name.encode())}"
    kept = cache.get(key)
    if kept is not None:
        found: Result = kept
        return found
    result = compute()
    if result is not None:
        cache.set(key, result, KEEP_SECONDS)
    return result


@contextmanager
def snapshot() -> Iterator[None]:
    """One state of the database for the version and all figures of a page, whatever comes in meanwhile."""
    if connection.in_atomic_block:
        yield
        return
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield


def versioned(
    view: Callable[Concatenate[HttpRequest, Version, Params], HttpResponseBase],
) -> Callable[Concatenate[HttpRequest, Params], HttpResponseBase]:
    """Answers 304 from the version alone; gives the view the version; says who may keep the answer.

    Who brings a session gets an answer of their own and always a full one: it holds their navigation and the
    messages that wait for them.
    """

    @wraps(view)
    def answer(request: HttpRequest, *args: Params.args, **kwargs: Params.kwargs) -> HttpResponseBase:
        with snapshot():
            version = current_version()
            if has_session(request):
                response: HttpResponseBase = view(request, version, *args, **kwargs)
                patch_cache_control(response, private=True, no_cache=True)
                return response
            etag = f'W/"{version.key}"'
            unchanged = get_conditional_response(request, etag=etag)
            response = unchanged if unchanged is not None else view(request, version, *args, **kwargs)
        response.headers["ETag"] = etag
        # Kept by everyone, but asked for again each time: a delivery shows at once, and asking costs little.
        patch_cache_control(response, public=True, max_age=0, must_revalidate=True)
        patch_vary_headers(response, ("Cookie",))
        return response

    return answer
