"""Synthetic demo data: invented counts of plausible services, delivered as every count is delivered.

`catalogue.py` and `services.py` name authorities, portals and services, `counts.py` invents their numbers,
`deliveries.py` says who delivered what when, `loading.py` puts it all in. Types, Themenfelder and
OZG-Leistungen are assumptions of the demo; their OZG-IDs begin with `DEMO-`.
"""

from typing import NamedTuple


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
