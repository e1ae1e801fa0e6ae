"""`/api/v1/transaktionszahlen`: a credential reads back what is stored for its services."""

from __future__ import annotations

import re
from typing import Any, cast

from django.urls import reverse
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from services.models import Credential, OnlineService, service_number
from transactions import api_parameters as parameters
from transactions.api import CredentialView
from transactions.api_counts_description import COUNTS
from transactions.checks import service_ids
from transactions.problems import ApiProblem
from transactions.queries.stored import Key, StoredValue, Wanted, stored
from zsk import months

_CURSOR = re.compile(r"(\d{1,18})-(\d{4}-\d{2})-(\d{12})", re.ASCII)


class CountsView(CredentialView):
    query_fields = frozenset({"onlineservice", "von", "bis", "ars", "geaendert_seit", "limit", "nach"})

    @extend_schema(**COUNTS)
    def get(self, request: Request) -> Response:
        """In the order of service, month and region; a page reads no more than it returns."""
        limit = parameters.limit(request)
        first, last = parameters.span(request)
        wanted = Wanted(
            _services(request), first, last, parameters.ars_within(request), parameters.moment(request)
        )
        found = stored(wanted, after=_after(request), limit=limit + 1)
        more = None
        if len(found) > limit:
            service, month, ars = found[limit - 1].key
            address = reverse("transactions:api_counts")
            more = parameters.next_page(request, address, nach=f"{service}-{month:%Y-%m}-{ars}")
        return Response({"ergebnisse": [_line(value) for value in found[:limit]], "weiter": more})


def _services(request: Request) -> list[int]:
    credential = cast(Credential, request.auth)
    named = parameters.text(request, "onlineservice")
    if not named:
        return list(
            OnlineService.objects.deliverable_by(credential).order_by("pk").values_list("pk", flat=True)
        )
    pk = service_ids({named}, by=credential).get(named)
    if pk is None:
        detail = _("Den Onlineservice „%(name)s“ gibt es unter Ihren Onlineservices nicht.")
        raise ApiProblem("nicht_gefunden", detail % {"name": named})
    return [pk]


def _after(request: Request) -> Key | None:
    given = parameters.text(request, "nach")
    if not given:
        return None
    match = _CURSOR.fullmatch(given)
    month = months.parse(match[2]) if match else None
    if match is None or month is None:
        raise ApiProblem("nicht_lesbar", _("nach muss so bleiben, wie es in „weiter“ steht."))
    return int(match[1]), month, match[3]


def _line(value: StoredValue) -> dict[str, Any]:
    return {
        "onlineservice": service_number(value.service),
        "ars": value.ars,
        "monat": f"{value.month:%Y-%m}",
        "anzahl": value.count,
        "status": "zurueckgenommen" if value.count is None else "gespeichert",
        "geaendert_am": parameters.zulu(value.changed_at),
        "lieferung": str(value.delivery),
    }
