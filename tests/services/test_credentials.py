"""API keys: what is stored, what is refused, and that the key itself is nowhere to be found."""

import datetime as dt
import logging
import re
import traceback
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from accounts.models import AuditEntry
from services import credentials
from services.credentials import (
    ExpiredCredential,
    RevokedCredential,
    TooManyKeys,
    UnknownCredential,
    issue_api_key,
    revoke_credential,
    verify_api_key,
)
from services.models import Credential
from tests.factories import PortalFactory, ServiceFactory, UserFactory, api_key

pytestmark = pytest.mark.django_db
MINUTE = dt.timedelta(minutes=1)


NEVER_ISSUED = f"zsk_{'a' * 16}_{'b' * 43}"


@pytest.mark.parametrize("text", ["", "zsk_", "hallo", "zsk_abc_def", NEVER_ISSUED, "ß" * 64])
def test_a_key_that_was_never_issued_is_unknown(text: str) -> None:
    api_key(ServiceFactory())
    with pytest.raises(UnknownCredential):
        verify_api_key(text)


def test_a_wrong_secret_behind_a_real_public_id_is_unknown() -> None:
    _credential, key = api_key(ServiceFactory())
    wrong = key[:-1] + ("A" if key[-1] != "A" else "B")
    with pytest.raises(UnknownCredential):
        verify_api_key(wrong)
    with pytest.raises(UnknownCredential):
        verify_api_key(key + "x")


def test_an_issued_key_leads_to_its_service() -> None:
    service = ServiceFactory()
    credential, key = api_key(service)
    assert re.fullmatch(r"zsk_[a-z0-9]{12,}_[A-Za-z0-9_-]{43}", key)
    found = verify_api_key(key)
    assert (found, found.service, found.portal) == (credential, service, None)


def test_a_portals_key_leads_to_the_portal() -> None:
    portal = PortalFactory()
    assert verify_api_key(api_key(portal=portal)[1]).portal == portal


def test_an_expired_key_is_refused_with_the_day() -> None:
    _credential, key = api_key(ServiceFactory(), expires_at=dt.datetime(2025, 3, 1, tzinfo=dt.UTC))
    with pytest.raises(ExpiredCredential, match=r"01\.03\.2025"):
        verify_api_key(key)


def test_a_revoked_key_is_refused() -> None:
    credential, key = api_key(ServiceFactory())
    revoke_credential(credential=credential, by=None)
    with pytest.raises(RevokedCredential):
        verify_api_key(key)


def test_a_wrong_secret_does_not_tell_that_the_key_is_revoked() -> None:
    credential, key = api_key(ServiceFactory())
    revoke_credential(credential=credential, by=None)
    with pytest.raises(UnknownCredential):
        verify_api_key(key[:-2] + "__")


def test_a_client_id_is_no_api_key() -> None:
    credential, key = api_key(ServiceFactory())
    Credential.objects.filter(pk=credential.pk).update(kind=Credential.Kind.OIDC_CLIENT)
    with pytest.raises(UnknownCredential):
        verify_api_key(key)


def test_a_new_key_uses_the_highest_pepper_and_old_keys_stay_valid(settings: Settings) -> None:
    settings.KEY_PEPPERS = {1: "eins"}
    old, old_key = api_key(ServiceFactory())
    settings.KEY_PEPPERS = {1: "eins", 2: "zwei"}
    new, new_key = api_key(ServiceFactory())
    assert (old.pepper_number, new.pepper_number) == (1, 2)
    assert verify_api_key(old_key) == old
    assert verify_api_key(new_key) == new


def test_without_its_pepper_a_key_is_worth_nothing(settings: Settings) -> None:
    settings.KEY_PEPPERS = {1: "eins"}
    _credential, key = api_key(ServiceFactory())
    for peppers in ({1: "anderer"}, {2: "eins"}):
        settings.KEY_PEPPERS = peppers
        with pytest.raises(UnknownCredential):
            verify_api_key(key)


def test_a_third_usable_key_is_refused_until_one_is_revoked() -> None:
    service = ServiceFactory()
    first, _key = api_key(service)
    api_key(service)
    api_key(ServiceFactory())
    with pytest.raises(TooManyKeys, match="zwei gültige Schlüssel"):
        api_key(service)
    revoke_credential(credential=first, by=None)
    api_key(service)


def test_an_expired_key_does_not_count_as_usable() -> None:
    portal = PortalFactory()
    for _index in range(3):
        api_key(portal=portal, expires_at=timezone.now() - MINUTE)
    api_key(portal=portal)


def test_a_key_belongs_to_exactly_one() -> None:
    with pytest.raises(ValueError, match="Exactly one"):
        api_key(ServiceFactory(), PortalFactory())
    with pytest.raises(ValueError, match="Exactly one"):
        api_key()


def test_issuing_and_revoking_are_in_the_audit_log() -> None:
    person, service = UserFactory(first_name="Petra", last_name="Lindner"), ServiceFactory()
    credential, key = issue_api_key(service=service, name="Fachverfahren", by=person)
    revoke_credential(credential=credential, by=person)
    revoke_credential(credential=credential, by=person)
    entries = list(AuditEntry.objects.order_by("pk").values_list("actor", "action", "target"))
    assert entries == [
        ("Petra Lindner", "Zugangsschlüssel ausgestellt", str(service)),
        ("Petra Lindner", "Zugangsschlüssel widerrufen", str(service)),
    ]
    assert not AuditEntry.objects.filter(detail__contains=key[-20:]).exists()


def test_verifying_takes_one_query_and_notes_the_use_at_most_once_a_minute(
    django_assert_num_queries: DjangoAssertNumQueries, monkeypatch: pytest.MonkeyPatch
) -> None:
    credential, key = api_key(ServiceFactory())
    now = timezone.now()
    with django_assert_num_queries(2):
        verify_api_key(key)
    with django_assert_num_queries(1):
        assert verify_api_key(key).service_id is not None
    credential.refresh_from_db()
    first = credential.last_used_at
    assert first is not None
    assert first >= now
    monkeypatch.setattr(credentials.timezone, "now", lambda: now + 2 * MINUTE)
    with django_assert_num_queries(2):
        verify_api_key(key)
    credential.refresh_from_db()
    assert credential.last_used_at == now + 2 * MINUTE


def test_a_use_noted_by_another_process_meanwhile_is_not_noted_again() -> None:
    credential, _key = api_key(ServiceFactory())
    noted = timezone.now()
    Credential.objects.filter(pk=credential.pk).update(last_used_at=noted)
    credentials._note_use(credential, noted + dt.timedelta(seconds=30))
    assert Credential.objects.get(pk=credential.pk).last_used_at == noted


def test_the_key_is_neither_stored_nor_shown_anywhere(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    service = ServiceFactory()
    with CaptureQueriesContext(connection) as queries:
        credential, key = api_key(service)
        verify_api_key(key)
        revoke_credential(credential=credential, by=None)
        with pytest.raises(RevokedCredential) as revoked:
            verify_api_key(key)
        with pytest.raises(UnknownCredential) as unknown:
            verify_api_key(key[:-1] + "!")
    seen: list[Any] = [repr(credential), str(credential), vars(credential), caplog.text]
    seen += [query["sql"] for query in queries.captured_queries]
    seen += [traceback.format_exception(error.value) for error in (revoked, unknown)]
    assert key[-43:-1] not in str(seen)
