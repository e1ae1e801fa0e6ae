"""The message of a push, read: at once, later by a worker, or once more for its report."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field, replace
from typing import BinaryIO

from django.conf import settings

from services.models import Credential, service_number
from transactions.models import Delivery
from transactions.references import Principal
from transactions.sources import push, push_csv, push_stream


@dataclass(frozen=True)
class Envelope:
    """How a message came: as JSON, or as CSV with what the address says beside it."""

    csv: bool = False
    query: dict[str, list[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, delivery: Delivery) -> Envelope:
        return cls(**delivery.envelope)

    def kept(self) -> dict[str, object]:
        """As it stands with the delivery: nothing for JSON, which says everything itself."""
        if not self.csv:
            return {}
        query = {name: list(map(push_csv.storable, texts)) for name, texts in self.query.items()}
        return asdict(replace(self, query=query))

    def digest(self, content: str) -> str:
        """What an Idempotency-Key stands for: the content's SHA-256, and what is said beside it."""
        if not self.csv:
            return content
        return hashlib.sha256(json.dumps([content, sorted(self.query.items())]).encode()).hexdigest()


def read(file: BinaryIO, envelope: Envelope, *, by: Principal, max_rows: int) -> push.Message:
    """Closes the file. Raises Unreadable where the message as a whole is wrong."""
    own = service_number(by.service_id) if isinstance(by, Credential) and by.service_id else None
    with file:
        if envelope.csv:
            return push_csv.read(file, envelope.query, own=own, max_rows=max_rows)
        if max_rows > settings.MAX_PUSH_ROWS:
            return push_stream.read(file, own=own, max_rows=max_rows)
        return push.read(file.read(), own=own, max_rows=max_rows)
