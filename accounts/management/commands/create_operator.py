"""`manage.py create_operator`: the first account of operations, or a new link for one that exists."""

from argparse import ArgumentParser
from typing import Any

from allauth.account.forms import default_token_generator
from allauth.account.utils import user_pk_to_url_str
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.core.validators import validate_email
from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts import audit
from accounts.local import AddressTaken, create_local_user
from accounts.models import User
from accounts.ways_in import may_use_password
from zsk import site


class Command(BaseCommand):
    help = "Legt ein Konto des ZSK-Betriebs an und gibt einen Link aus, mit dem sein Passwort gesetzt wird."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username", help="Benutzername")
        parser.add_argument("--email", help="E-Mail-Adresse; für ein neues Konto nötig")
        parser.add_argument("--first-name", default="", help="Vorname")
        parser.add_argument("--last-name", default="", help="Nachname")
        parser.add_argument("--new-link", action="store_true", help="neuer Link für ein Konto, das es gibt")

    def handle(self, *args: Any, username: str, new_link: bool, **options: Any) -> None:
        if not may_use_password(User(username=username)):
            raise CommandError(
                "Wo Keycloak eingerichtet ist, meldet sich nur das Notfallkonto mit Passwort an; "
                f"es heißt {settings.BREAK_GLASS_USER or '… setzen Sie BREAK_GLASS_USER'}."
            )
        person = _existing(username) if new_link else self._create(username, options)
        self.stdout.write("Passwort setzen (einmal, innerhalb von drei Tagen):")
        self.stdout.write(_link(person))

    def _create(self, username: str, options: dict[str, Any]) -> User:
        if not options["email"]:
            raise CommandError("--email fehlt.")
        try:
            return _create(username=username, **{key: options[key] for key in NEEDED})
        except AddressTaken as error:
            raise CommandError(f"{options['email']} gehört schon zu einem Konto.") from error
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error


NEEDED = ("email", "first_name", "last_name")


@transaction.atomic
def _create(*, username: str, email: str, first_name: str, last_name: str) -> User:
    validate_email(email)
    User.username_validator(username)
    if User.objects.filter(username__iexact=username).exists():
        raise CommandError(f"{username} gibt es schon; --new-link gibt einen neuen Link aus.")
    person = create_local_user(
        email=email, first_name=first_name, last_name=last_name, password=None, authority=None
    )
    person.username = username
    person.is_operations = person.is_staff = person.is_superuser = True
    person.save()
    audit.record(by=None, action=_("Person angelegt"), target=person, detail=_("ZSK-Betrieb: ja"))
    return person


def _existing(username: str) -> User:
    try:
        return User.objects.get(username=username, is_active=True)
    except User.DoesNotExist as error:
        raise CommandError(f"Ein Konto {username} gibt es nicht, oder es ist gesperrt.") from error


def _link(person: User) -> str:
    key = default_token_generator.make_token(person)
    uid = user_pk_to_url_str(person)
    path = reverse("account_reset_password_from_key", kwargs={"uidb36": uid, "key": key})
    return site.local_address() + path
