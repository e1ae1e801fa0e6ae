"""Liveness and readiness of the web process, for supervisors, containers and load balancers."""

from django.core.cache import caches
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache

from zsk.cache import ForgivingRedisCache


@never_cache
def live(request: HttpRequest) -> HttpResponse:
    """The process answers; restarting it would help if this failed."""
    return HttpResponse("ok", content_type="text/plain")


@never_cache
def ready(request: HttpRequest) -> JsonResponse:
    """Whether requests should be sent here: 503 while the database or the cache does not answer.

    Open to all, so it names what is down but never why.
    """
    checks = {"datenbank": _database_answers(), "zwischenspeicher": _cache_answers()}
    words = {name: "ok" if works else "nicht erreichbar" for name, works in checks.items()}
    return JsonResponse(words, status=200 if all(checks.values()) else 503)


def _database_answers() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return False
    return True


def _cache_answers() -> bool:
    cache = caches["default"]
    return isinstance(cache, ForgivingRedisCache) and cache.answers()
