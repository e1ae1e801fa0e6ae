"""The way of a request for access: sent, confirmed by e-mail, asked about, approved or declined, deleted.

Every step locks the request, mails the applicant and is in the audit log, in one transaction.
"""

import datetime as dt
import secrets
import uuid
from dataclasses import dataclass

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import audit, invitations, mail
from accounts.authorities import AuthorityChoice, chosen_authority
from accounts.invitations import hash_of
from accounts.models import AccessMessage, AccessRequest, Invitation, User

Status = AccessRequest.Status
UNCONFIRMED_DAYS = 7
# So that nobody has us fill somebody else's mailbox.
MOST_UNCONFIRMED = 3


class NotWaiting(Exception):
    """The request is at another step than this one needs; `request` is as it stands now."""

    def __init__(self, request: AccessRequest) -> None:
        super().__init__(request.get_status_display())
        self.request = request


class RequestChanged(NotWaiting):
    """Somebody has written or asked something since the page was opened."""


@dataclass(frozen=True)
class Application:
    """What somebody has filled in."""

    first_name: str
    last_name: str
    email: str
    authority: AuthorityChoice
    purpose: str
    meant: str = ""


# --- The applicant -----------------------------------------------------------------------------------


@transaction.atomic
def submit(*, application: Application, site: str) -> AccessRequest | None:
    """Keep the request and mail a link that proves the address; None where too many wait for theirs.

    The caller's answer is the same in every case: it must not tell who has an account or a request.
    """
    email = application.email.lower()
    day_ago = timezone.now() - dt.timedelta(days=1)
    waiting = AccessRequest.objects.filter(email=email, status=Status.UNCONFIRMED, created_at__gt=day_ago)
    if waiting.count() >= MOST_UNCONFIRMED:
        return None
    token = secrets.token_urlsafe(32)
    request = AccessRequest.objects.create(email=email, token_hash=hash_of(token), **_columns(application))
    # Without a word of what was typed: it may be a stranger's, sent to somebody's mailbox through us.
    context = {
        "link": site + reverse("accounts:landing_confirm", args=[token]),
        "days": UNCONFIRMED_DAYS,
        "has_account": User.objects.filter(email__iexact=email, is_active=True).exists(),
        "earlier": _undecided(email),
        "site": site,
    }
    mail.send("access_confirm", to=email, context=context)
    return request


def _columns(application: Application) -> dict[str, object]:
    choice = application.authority
    return {
        "first_name": application.first_name,
        "last_name": application.last_name,
        "authority": choice.existing,
        "new_authority": choice.name,
        "new_authority_level": choice.level,
        "new_authority_region": choice.region,
        "purpose": application.purpose,
        "meant": application.meant,
    }


def _undecided(email: str) -> AccessRequest | None:
    return AccessRequest.objects.filter(email=email, status__in=[Status.OPEN, Status.ASKED]).first()


def by_token(token: str) -> AccessRequest | None:
    return AccessRequest.objects.filter(token_hash=hash_of(token)).first()


@transaction.atomic
def confirm(*, request: AccessRequest, site: str) -> AccessRequest:
    """The address is the applicant's: operations may look at it. Raises NotWaiting when it is already."""
    locked = _locked(request.pk)
    if locked.status != Status.UNCONFIRMED:
        raise NotWaiting(locked)
    locked.status, locked.confirmed_at = Status.OPEN, timezone.now()
    locked.save(update_fields=["status", "confirmed_at"])
    _tell(locked, "access_received", site)
    _tell_operations(locked, site)
    audit.record(
        by=None, actor=_applicant(locked), action=_("Zugang beantragt"), target=locked, detail=locked.email
    )
    return locked


def _tell_operations(request: AccessRequest, site: str) -> None:
    """To their mailbox, else to each of them: somebody waits for an answer."""
    people = User.objects.filter(is_operations=True, is_active=True).exclude(email="")
    mailbox = [settings.OPERATIONS_EMAIL] if settings.OPERATIONS_EMAIL else []
    link = site + reverse("operations:request", args=[request.pk])
    for address in mailbox or people.order_by("pk").values_list("email", flat=True):
        mail.send("access_new", to=address, context={"access_request": request, "link": link, "site": site})


@transaction.atomic
def answer(*, request: AccessRequest, text: str, site: str) -> AccessRequest:
    """The applicant's answer to a question. Raises NotWaiting when none is open."""
    locked = _locked(request.pk)
    if locked.status != Status.ASKED:
        raise NotWaiting(locked)
    AccessMessage.objects.create(request=locked, from_operations=False, text=text)
    locked.status = Status.OPEN
    locked.save(update_fields=["status"])
    _tell(locked, "access_answered", site)
    audit.record(by=None, actor=_applicant(locked), action=_("Rückfrage beantwortet"), target=locked)
    return locked


# --- Operations --------------------------------------------------------------------------------------


def standing(request: AccessRequest) -> str:
    """What an operator has seen of a request; a form that carries an older one is refused."""
    return f"{request.status}.{request.messages.count()}"


@transaction.atomic
def ask(*, request: AccessRequest, text: str, by: User, seen: str, site: str) -> AccessRequest:
    """Raises NotWaiting, RequestChanged."""
    locked = _undecided_now(request.pk, seen)
    AccessMessage.objects.create(request=locked, from_operations=True, text=text)
    locked.status = Status.ASKED
    locked.save(update_fields=["status"])
    _tell(locked, "access_question", site, question=text)
    audit.record(by=by, action=_("Rückfrage gestellt"), target=locked, detail=text)
    return locked


@transaction.atomic
def approve(*, request: AccessRequest, choice: AuthorityChoice, by: User, seen: str, site: str) -> Invitation:
    """Give access: enter the authority where it is new, and send the invitation.

    Raises NotWaiting, RequestChanged, NameTaken.
    """
    locked = _undecided_now(request.pk, seen)
    locked.authority = chosen_authority(choice, by=by)
    _decide(locked, Status.APPROVED, by)
    audit.record(by=by, action=_("Zugang bewilligt"), target=locked, detail=locked.email)
    return invitations.invite(
        email=locked.email, first_name=locked.first_name, last_name=locked.last_name,
        authority=locked.authority, request=locked, by=by, site=site,
    )  # fmt: skip


@transaction.atomic
def decline(*, request: AccessRequest, reason: str, by: User, seen: str, site: str) -> AccessRequest:
    """Raises NotWaiting, RequestChanged."""
    locked = _undecided_now(request.pk, seen)
    locked.reason = reason
    _decide(locked, Status.DECLINED, by)
    _tell(locked, "access_declined", site)
    audit.record(by=by, action=_("Zugang abgelehnt"), target=locked, detail=reason)
    return locked


@transaction.atomic
def expire(*, now: dt.datetime | None = None) -> int:
    """Delete what nobody confirmed, and what was decided long ago; how many."""
    now = now or timezone.now()
    unconfirmed = Q(status=Status.UNCONFIRMED, created_at__lt=now - dt.timedelta(days=UNCONFIRMED_DAYS))
    decided = Q(decided_at__lt=now - dt.timedelta(days=settings.ACCESS_REQUEST_DAYS))
    _total, counts = AccessRequest.objects.filter(unconfirmed | decided).delete()
    return counts.get("accounts.AccessRequest", 0)


def _locked(pk: uuid.UUID) -> AccessRequest:
    """Without what it refers to: a join would show that as it was before the wait for the lock."""
    return AccessRequest.objects.select_for_update().get(pk=pk)


def _undecided_now(pk: uuid.UUID, seen: str) -> AccessRequest:
    """Locked, and as the operator has seen it."""
    locked = _locked(pk)
    if locked.status not in {Status.OPEN, Status.ASKED}:
        raise NotWaiting(locked)
    if standing(locked) != seen:
        raise RequestChanged(locked)
    return locked


def _decide(request: AccessRequest, status: Status, by: User) -> None:
    request.status, request.decided_at, request.decided_by = status, timezone.now(), by
    request.save(update_fields=["status", "decided_at", "decided_by", "authority", "reason"])


def _tell(request: AccessRequest, template: str, site: str, **more: object) -> None:
    link = site + reverse("accounts:landing_status", args=[request.pk])
    context = {"access_request": request, "link": link, "site": site, **more}
    mail.send(template, to=request.email, context=context)


def _applicant(request: AccessRequest) -> str:
    return _("%(first)s %(last)s (Antrag)") % {"first": request.first_name, "last": request.last_name}
