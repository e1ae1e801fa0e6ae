"""Why nobody is signed in, said as pages: what happened, and what to do next."""

from dataclasses import dataclass
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from accounts.binding import SomebodyElses
from accounts.invitations import InvitationUnusable, State


@dataclass(frozen=True)
class Problem:
    status: int
    heading: str | Promise
    lead: str | Promise
    # What to offer: "again", "access", "account" (another one), "local" (without Keycloak).
    ways: tuple[str, ...]


UNREACHABLE = Problem(
    503,
    _("Die Anmeldung ist gerade nicht möglich"),
    _(
        "Der Anmeldedienst (Keycloak) antwortet nicht. Die veröffentlichten Zahlen sehen Sie weiterhin, und "
        "Lieferungen über die Schnittstelle werden angenommen."
    ),
    ("again", "local"),
)
STALE = Problem(
    400,
    _("Die Anmeldung ist abgelaufen"),
    _(
        "Bis zu Ihrer Anmeldung ist zu viel Zeit vergangen, oder die Seite war schon benutzt. "
        "Beginnen Sie noch einmal."
    ),
    ("again",),
)
CANCELLED = Problem(
    403, _("Die Anmeldung wurde abgebrochen"), _("Sie sind nicht angemeldet."), ("again", "local")
)
BROKEN = Problem(
    502,
    _("Die Anmeldung ist gescheitert"),
    _(
        "Die Antwort des Anmeldedienstes (Keycloak) war nicht gültig. Der Fehler ist aufgezeichnet; "
        "bleibt er, wenden Sie sich an den ZSK-Betrieb."
    ),
    ("again", "local"),
)
UNKNOWN = Problem(
    403,
    _("Sie sind angemeldet, haben aber noch keinen Zugang"),
    _(
        "Ihr Konto bei Keycloak ist gültig, gehört aber noch zu keiner Person in der ZSK. Beantragen Sie den "
        "Zugang. Haben Sie schon eine Einladung bekommen, öffnen Sie den Link darin."
    ),
    ("access", "account"),
)
LOCKED = Problem(
    403,
    _("Ihr Konto ist gesperrt"),
    _("Sie sind bei Keycloak angemeldet, in der ZSK aber gesperrt. Wenden Sie sich an den ZSK-Betrieb."),
    ("account",),
)


INVITATION_STATES = {
    State.ACCEPTED: _("Die Einladung ist schon angenommen worden, von einer anderen Person."),
    State.WITHDRAWN: _("Die Einladung wurde zurückgezogen."),
    State.EXPIRED: _("Die Einladung ist abgelaufen. Bitten Sie um eine neue."),
}


class LogInFailed(Exception):
    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.heading)
        self.problem = problem


def unusable(refused: InvitationUnusable) -> Problem:
    lead = INVITATION_STATES[refused.state]
    return Problem(403, _("Die Einladung gilt nicht mehr"), lead, ("access", "account"))


def somebody_elses(refused: SomebodyElses) -> Problem:
    lead = _now(
        "Die Einladung gilt für %(invited)s. Ihr Konto bei Keycloak hat die Adresse %(own)s. Melden Sie sich "
        "mit dem anderen Konto an, oder bitten Sie um eine Einladung an diese Adresse."
    )
    lead %= {"invited": refused.invited, "own": refused.own}
    return Problem(403, _("Die Einladung gilt für eine andere Adresse"), lead, ("account", "access"))


def problem_page(request: HttpRequest, problem: Problem, target: str) -> HttpResponse:
    query = f"?{urlencode({'next': target})}" if target else ""
    emergency = settings.BREAK_GLASS_USER and "local" in problem.ways
    context = {
        "problem": problem,
        "again": reverse("accounts:oidc_login") + query,
        "emergency": reverse("accounts:emergency_login") + query if emergency else "",
    }
    response = render(request, "accounts/oidc_problem.html", context, status=problem.status)
    if problem.status == 503:
        response["Retry-After"] = "60"
    return response
