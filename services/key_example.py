"""The command that tries a new key: a dry run that stores nothing and is answered with 200."""

from __future__ import annotations

import json

from ozgsync.models import GERMANY, Level, Region
from portals.models import Portal
from services.models import OnlineService, PortalService, ReportingLevel
from zsk import months
from zsk.oidc import Provider


def command(*, key: str, site: str, service: OnlineService | None, portal: Portal | None) -> str:
    """A `curl` line for a shell, in several lines; without a service there is only the list to ask for."""
    service = service or _first_service(portal)
    login = f'-H "Authorization: Bearer {key}"'
    if service is None:
        return f"curl {site}/api/v1/lieferungen \\\n  {login}"
    message = json.dumps(_message(service), ensure_ascii=False)
    return (
        f"curl -X POST {site}/api/v1/lieferungen \\\n  {login} \\\n"
        f"  -H \"Content-Type: application/json\" \\\n  -d '{message}'"
    )


def token_command(provider: Provider) -> str:
    """A `curl` line that puts a token of Keycloak into `$TOKEN`, for `command(key="$TOKEN")`."""
    return (
        f"TOKEN=$(curl --silent {provider.public_token_endpoint} \\\n"
        "  --data grant_type=client_credentials \\\n"
        '  --data client_id="$CLIENT_ID" --data-urlencode client_secret="$CLIENT_SECRET" \\\n'
        "  | python3 -c 'import json, sys; print(json.load(sys.stdin)[\"access_token\"])')"
    )


def _first_service(portal: Portal | None) -> OnlineService | None:
    held = PortalService.objects.current().filter(portal=portal).select_related("service")
    first = held.order_by("service").first() if portal else None
    return first.service if first else None


def _message(service: OnlineService) -> dict[str, object]:
    row = {
        "onlineservice": service.number, "ars": example_region(service),
        "monat": f"{months.last_full():%Y-%m}", "anzahl": 0,
    }  # fmt: skip
    return {"probelauf": True, "zeilen": [row]}


def example_region(service: OnlineService) -> str:
    """A key that the service may report for last month: in its area, at its level, if there is any."""
    valid = Region.objects.valid_in(months.last_full())
    level = ReportingLevel(service.reporting_level).level
    if level == Level.BUND:
        return GERMANY
    if level is not None:
        valid = valid.at_level(level)
    areas = list(service.area.order_by("ars"))
    for area in areas:
        if inside := valid.filter(ars__startswith=area.prefix).order_by("ars").first():
            return inside.ars
    # An area that lies below the level of reporting, or none at all.
    for area in areas:
        if level == Level.LAND:
            return area.ars[:2].ljust(12, "0")
    first = valid.order_by("ars").first()
    return first.ars if first else GERMANY
