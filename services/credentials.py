"""API keys: `zsk_` + public id + `_` + secret. Shown once; stored as an HMAC under a numbered pepper."""

import datetime as dt
import hashlib
import hmac
import re
import secrets
import string

from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_variables

from accounts import audit
from accounts.models import User
from portals.models import Portal
from services.models import Credential, Known, OnlineService
from zsk.statements import ask

PREFIX = "zsk_"
KEY = re.compile(r"zsk_([a-z0-9]{12,40})_[A-Za-z0-9_-]{43}", re.ASCII)
PUBLIC_ID_LENGTH = 16
PUBLIC_ID_LETTERS = string.ascii_lowercase + string.digits
SECRET_BYTES = 32  # 43 characters of url-safe base64
# Two may overlap, so that a key can be changed without a gap.
MAX_USABLE_KEYS = 2
LAST_USE_STEP = dt.timedelta(minutes=1)


class CredentialError(Exception):
    """A key cannot be used or made; the text is for people and never holds the key."""


class UnknownCredential(CredentialError):
    """Malformed, or no such key: the sender has proved nothing."""


class ExpiredCredential(CredentialError):
    """The right key, but its time is over."""


class RevokedCredential(CredentialError):
    """The right key, but somebody took it back."""


class TooManyKeys(CredentialError):
    """The service or portal has as many usable keys as are allowed."""


class ClientTaken(CredentialError):
    """The Keycloak client stands for a service or portal already."""


@transaction.atomic
def issue_api_key(
    *,
    service: OnlineService | None = None,
    portal: Portal | None = None,
    name: str,
    by: User | None,
    expires_at: dt.datetime | None = None,
) -> tuple[Credential, str]:
    """Make a key of exactly one service or portal; its text is returned here and can never be read again.

    Locks the owner's row against a second key issued at the same moment (deliveries are not held up).
    Raises `TooManyKeys`.
    """
    owner = _lock_owner(service, portal)
    usable = Credential.objects.usable().filter(kind=Credential.Kind.API_KEY, service=service, portal=portal)
    if usable.count() >= MAX_USABLE_KEYS:
        raise TooManyKeys(
            _("Für %(owner)s gibt es schon zwei gültige Schlüssel. Widerrufen Sie zuerst einen davon.")
            % {"owner": owner}
        )
    public_id = "".join(secrets.choice(PUBLIC_ID_LETTERS) for _index in range(PUBLIC_ID_LENGTH))
    key = f"{PREFIX}{public_id}_{secrets.token_urlsafe(SECRET_BYTES)}"
    number = max(settings.KEY_PEPPERS)
    credential = Credential.objects.create(
        service=service,
        portal=portal,
        name=name,
        public_id=public_id,
        hash=_hash(key, settings.KEY_PEPPERS[number]),
        pepper_number=number,
        created_by=by,
        expires_at=expires_at,
    )
    audit.record(by=by, action=_("Zugangsschlüssel ausgestellt"), target=owner, detail=str(credential))
    return credential, key


@transaction.atomic
def register_client(
    *,
    service: OnlineService | None = None,
    portal: Portal | None = None,
    name: str,
    client_id: str,
    by: User | None,
) -> Credential:
    """Let a client of Keycloak deliver for exactly one service or portal; its secret stays with Keycloak.

    Raises `ClientTaken`, also for one that was revoked: what it delivered names it.
    """
    owner = _lock_owner(service, portal)
    taken = _(
        "Diese Client-ID ist schon eingetragen. Jeder Client steht für genau einen Service oder ein Portal."
    )
    if Credential.objects.filter(public_id=client_id).exists():
        raise ClientTaken(taken)
    try:
        with transaction.atomic():
            credential = Credential.objects.create(
                service=service, portal=portal, kind=Credential.Kind.OIDC_CLIENT,
                name=name, public_id=client_id, created_by=by,
            )  # fmt: skip
    except IntegrityError as error:  # somebody else's at the same moment
        raise ClientTaken(taken) from error
    audit.record(by=by, action=_("Keycloak-Client eingetragen"), target=owner, detail=str(credential))
    return credential


@transaction.atomic
def revoke_credential(*, credential: Credential, by: User | None) -> None:
    """Make a credential unusable at once and for good; a second time changes nothing."""
    now = timezone.now()
    if Credential.objects.filter(pk=credential.pk, revoked_at=None).update(revoked_at=now):
        credential.revoked_at = now
        owner = credential.service or credential.portal
        audit.record(by=by, action=_("Zugangsschlüssel widerrufen"), target=owner, detail=str(credential))


@sensitive_variables("text")
def verify_api_key(text: str) -> Credential:
    """The credential that a key belongs to.

    One query, and at most once a minute a second one that notes the use.
    Raises `UnknownCredential`, `ExpiredCredential` or `RevokedCredential`.
    """
    match = KEY.fullmatch(text)
    found = find(match[1], Credential.Kind.API_KEY) if match else None
    if not found or not _matches(text, found):
        raise UnknownCredential(_("Dieser Zugangsschlüssel ist unbekannt."))
    # Only after the secret was right: a stranger must not learn which public ids exist.
    judge(found, timezone.now())
    return found


def judge(found: Credential, now: dt.datetime) -> None:
    """For whoever has proved to hold the credential: whether it may be used. Notes the use."""
    if found.revoked_at:
        raise RevokedCredential(_("Dieser Zugangsschlüssel wurde widerrufen."))
    if found.expires_at and found.expires_at <= now:
        raise ExpiredCredential(
            _("Dieser Zugangsschlüssel ist am %(day)s abgelaufen.")
            % {"day": f"{timezone.localtime(found.expires_at):%d.%m.%Y}"}
        )
    _note_use(found, now)


_COLUMNS = [str(field.column) for field in Credential._meta.concrete_fields]
# With what a delivery needs to know: another round trip would be a good part of a small push.
_FIND = f"""
    SELECT o.reporting_level, coalesce(s.version, 0), (SELECT regions FROM ozgsync_referenceversion),
           {", ".join(f"c.{name}" for name in _COLUMNS)}
      FROM services_credential c
      LEFT JOIN services_onlineservice o ON o.id = c.service_id
      LEFT JOIN service_state s ON s.service_id = c.service_id
     WHERE c.public_id = %s AND c.kind = %s
"""


def find(public_id: str, kind: Credential.Kind) -> Credential | None:
    """The credential, with what is `known` at this moment."""
    for level, version, regions, *row in ask(_FIND, [public_id, kind.value])():
        found = Credential.from_db(connection.alias, _COLUMNS, row)
        found.known = Known(level, version, regions)
        return found
    return None


def _lock_owner(service: OnlineService | None, portal: Portal | None) -> OnlineService | Portal:
    if service and not portal:
        return OnlineService.objects.select_for_update(no_key=True).get(pk=service.pk)
    if portal and not service:
        return Portal.objects.select_for_update(no_key=True).get(pk=portal.pk)
    raise ValueError("Exactly one of service and portal is needed.")


@sensitive_variables()
def _hash(key: str, pepper: str) -> str:
    return hmac.new(pepper.encode(), key.encode(), hashlib.sha256).hexdigest()


@sensitive_variables("text", "pepper")
def _matches(text: str, credential: Credential) -> bool:
    """False as well where the operator no longer has the pepper that the key was hashed with."""
    pepper = settings.KEY_PEPPERS.get(credential.pepper_number or 0)
    return pepper is not None and hmac.compare_digest(_hash(text, pepper), credential.hash)


def _note_use(credential: Credential, now: dt.datetime) -> None:
    """The condition is asked twice: here to save the query, in the query because others push as well."""
    before = now - LAST_USE_STEP
    if credential.last_used_at and credential.last_used_at > before:
        return
    stale = Q(last_used_at=None) | Q(last_used_at__lte=before)
    Credential.objects.filter(stale, pk=credential.pk).update(last_used_at=now)
    credential.last_used_at = now
