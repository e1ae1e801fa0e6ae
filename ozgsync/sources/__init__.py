"""The foreign registers that the ZSK keeps in step with, by name."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings

from ozgsync.sources.aenderungen import Changes
from ozgsync.sources.fim import FimPortal
from ozgsync.sources.gemeinden import Gemeinden
from ozgsync.sources.gv100ad import Gemeindeverzeichnis
from ozgsync.sources.ozg import OzgDatabase
from ozgsync.sources.xrepository import Regions
from ozgsync.sync.protocol import Source
from zsk.feeds import Feed

_MAKERS: dict[str, Callable[[Feed], Source]] = {
    "ozg": OzgDatabase, "fim": FimPortal, "gebietsaenderungen": Changes, "regionen": Regions,
    "gv100ad": Gemeindeverzeichnis, "gemeinden": Gemeinden,
}  # fmt: skip


def names() -> list[str]:
    return list(_MAKERS)


def source(name: str) -> Source:
    """Raises KeyError for a name that is none."""
    return _MAKERS[name](settings.SYNC_FEEDS[name])
