"""Synthetic demo data: invented counts of plausible services, delivered as every count is delivered.

`catalogue.py` and `services.py` name authorities, portals and services, `counts.py` invents their numbers,
`deliveries.py` says who delivered what when, `loading.py` puts it all in. Types, Themenfelder and
OZG-Leistungen are assumptions of the demo; their OZG-IDs begin with `DEMO-`.
"""

import uuid
from typing import NamedTuple

_SUBJECTS = uuid.UUID("5a4b3c2d-0000-4000-8000-00000000005a")


def subject(username: str) -> str:
    """A demo person's id at Keycloak: fixed, so that accounts stay bound when the realm is made anew."""
    return str(uuid.uuid5(_SUBJECTS, username))


class LogIn(NamedTuple):
    username: str
    password: str
    first_name: str
    last_name: str
    role: str


# Fixed and public: the demo refuses to load into a production installation.
LOGINS = (
    LogIn("petra.lindner", "demo-lieferung-1", "Petra", "Lindner", "verantwortlich für BAföG Digital"),
    LogIn("miriam.koch", "demo-portal-22", "Miriam", "Koch", "Portal-Admin des Serviceportals Hessen"),
    LogIn("betrieb", "demo-betrieb-333", "Bernd", "Trieb", "ZSK-Betrieb, auch /admin/"),
)
