"""What every open address of the interface has in common. Who may: everyone, so many times in a minute."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from rest_framework.request import Request
from rest_framework.response import Response

from reports.caching import Version, versioned
from transactions import api_parameters as parameters
from transactions.api import ApiView
from zsk import limits, site


class OpenView(ApiView):
    """Kept by shared caches under the data version, as the public pages are; problems are not."""

    query_fields: frozenset[str] = frozenset()

    def take(self, request: Request) -> limits.Taken | None:
        sender = site.client_address(request._request)
        return limits.take("adresse", sender, settings.REQUESTS_PER_ADDRESS)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        self.refuse_unknown(request, self.query_fields)

    def answer(self, request: Request, version: Version) -> dict[str, Any]:
        """The body of a 200; in one snapshot of the database with the version."""
        raise NotImplementedError

    def respond(self, request: Request) -> HttpResponseBase:
        def view(_request: HttpRequest, version: Version) -> HttpResponseBase:
            return Response(self.answer(request, version))

        return versioned(view)(request._request)


def page(
    request: Request,
    found: Iterable[Any],
    *,
    limit: int,
    line: Callable[[Any], dict[str, Any]],
    cursor: Callable[[Any], str],
) -> dict[str, Any]:
    """A piece of a list from one row more than it shows; `cursor` names where the next begins."""
    rows = list(found)
    more = None
    if len(rows) > limit:
        more = parameters.next_page(request, request.path, nach=cursor(rows[limit - 1]))
    return {"ergebnisse": [line(row) for row in rows[:limit]], "weiter": more}
