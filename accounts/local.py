"""Making local accounts. They arise through invitations, never by signing up."""

from allauth.account.models import EmailAddress
from allauth.utils import generate_unique_username
from django.db import IntegrityError, transaction

from accounts.models import Authority, User


class AddressTaken(Exception):
    """Another account has this e-mail address. Say so only to whoever has proved that it is theirs."""


def create_local_user(
    *, email: str, first_name: str, last_name: str, password: str | None, authority: Authority | None
) -> User:
    """An account whose e-mail address is known to be the person's, as after following an invitation.

    Without a password nobody can log in until one is set by a link. The caller has checked the password
    against the rules. Raises AddressTaken.
    """
    address = email.strip().lower()
    if _is_taken(address):
        raise AddressTaken
    person = User(
        username=generate_unique_username([f"{first_name}.{last_name}", address]),
        email=address, first_name=first_name, last_name=last_name, authority=authority,
    )  # fmt: skip
    person.set_password(password)
    try:
        with transaction.atomic():
            person.save()
            EmailAddress.objects.create(user=person, email=address, primary=True, verified=True)
    except IntegrityError as error:
        if _is_taken(address):
            raise AddressTaken from error
        raise
    return person


def _is_taken(address: str) -> bool:
    """Addresses that somebody has asked to change to do not count before they are confirmed."""
    confirmed = EmailAddress.objects.filter(email=address, verified=True)
    return confirmed.exists() or User.objects.filter(email__iexact=address).exists()


@transaction.atomic
def adopt_address(person: User) -> None:
    """Make the address in the person's master data the one that log-in and password reset go by.

    Operations may have entered or changed it; what they enter counts as confirmed. A change that the person
    has asked for and not yet confirmed stays.
    """
    if not person.email:
        return
    address = person.email.lower()
    owned = EmailAddress.objects.filter(user=person)
    if owned.filter(email=address, verified=True, primary=True).exists():
        return
    owned.filter(verified=True).exclude(email=address).delete()
    entry, _created = EmailAddress.objects.get_or_create(user=person, email=address)
    if entry.set_verified():
        entry.set_as_primary()
