"""What every page's frame needs to know."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest


def page(request: HttpRequest) -> dict[str, Any]:
    """The environment's name for the bar at the top, and whether the numbers are invented."""
    return {"environment": settings.ENVIRONMENT, "synthetic": settings.SYNTHETIC_DATA}
