"""Asking for access: the form, the confirmed address, questions, decisions, and what is deleted when."""

import datetime as dt
import re
import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import LazySettings
from django.core import mail, signing
from django.db import connection
from django.test import Client
from django.utils import timezone
from redis.exceptions import ConnectionError as RedisDown

from accounts import authorities, request_forms, requests, tasks
from accounts.authorities import AuthorityChoice
from accounts.invitations import hash_of
from accounts.models import AccessRequest, AuditEntry, Authority, Invitation, OutgoingMail, User
from tests.accounts.conftest import Arrivals, link_in
from tests.factories import (
    AccessRequestFactory,
    AuthorityFactory,
    InvitationFactory,
    RegionFactory,
    UserFactory,
    germany,
    land,
)

pytestmark = pytest.mark.django_db
REGISTER = "/landing/register"
Status = AccessRequest.Status
SITE = "http://testserver"


@pytest.fixture
def operator() -> User:
    person: User = UserFactory(first_name="Bernd", last_name="Trieb", is_operations=True)
    return person


@pytest.fixture
def kappeln() -> Authority:
    authority: Authority = AuthorityFactory(name="Stadt Kappeln")
    return authority


def stamp(seconds_ago: float = 60) -> str:
    return signing.dumps(timezone.now().timestamp() - seconds_ago, salt=request_forms.STAMP_SALT)


def filled(**changed: Any) -> dict[str, Any]:
    return {
        "first_name": "Anna", "last_name": "Antrag", "email": "Anna.Antrag@kappeln.example",
        "authority": "Stadt Kappeln", "purpose": "Ich liefere die Zahlen der Hundesteuer.",
        "meant": "Hundesteuer", "privacy": "on", "leer": "", "stamp": stamp(), **changed,
    }  # fmt: skip


def errors_on(client: Client, **changed: Any) -> str:
    """The page that comes back; nothing was stored."""
    answer = client.post(REGISTER, filled(**changed))
    assert answer.status_code == 422
    assert not AccessRequest.objects.exists()
    return answer.content.decode()


# --- The form ----------------------------------------------------------------------------------------


def test_a_request_is_kept_and_waits_for_the_address_to_be_confirmed(
    client: Client, kappeln: Authority, arrivals: Arrivals
) -> None:
    with arrivals() as inbox:
        answer = client.post(REGISTER, filled())
    request = AccessRequest.objects.get()
    assert answer.headers["Location"] == "/landing/register/gesendet"
    assert (request.status, request.authority, request.email) == (
        Status.UNCONFIRMED, kappeln, "anna.antrag@kappeln.example",
    )  # fmt: skip
    assert [message.to for message in inbox] == [["anna.antrag@kappeln.example"]]
    assert str(request.pk) not in str(inbox[0].body)


def test_the_mail_repeats_nothing_that_a_stranger_may_have_typed(
    client: Client, kappeln: Authority, arrivals: Arrivals
) -> None:
    with arrivals() as inbox:
        client.post(REGISTER, filled(first_name="Gewinn", purpose="Klicken Sie auf boese.example"))
    assert "Gewinn" not in str(inbox[0].body)
    assert "boese.example" not in str(inbox[0].body)


@pytest.mark.parametrize("known", ["account", "request", "nothing"])
def test_the_answer_does_not_tell_who_is_known(
    client: Client, kappeln: Authority, arrivals: Arrivals, known: str
) -> None:
    email = "anna.antrag@kappeln.example"
    if known == "account":
        UserFactory(email=email)
    if known == "request":
        AccessRequestFactory(email=email)
    with arrivals() as inbox:
        answer = client.post(REGISTER, filled(), follow=True)
    assert answer.redirect_chain == [("/landing/register/gesendet", 302)]
    page = re.sub(r"[A-Za-z0-9]{64}", "", answer.content.decode())
    assert "Sehen Sie in Ihr Postfach" in page
    assert len(inbox) == 1
    assert ("gibt es schon ein Konto" in str(inbox[0].body)) is (known == "account")
    assert ("schon einen Antrag gestellt" in str(inbox[0].body)) is (known == "request")


def test_nobody_can_fill_a_mailbox_through_us(client: Client, kappeln: Authority) -> None:
    for _try in range(requests.MOST_UNCONFIRMED + 2):
        assert client.post(REGISTER, filled()).status_code == 302
    assert AccessRequest.objects.count() == requests.MOST_UNCONFIRMED
    assert OutgoingMail.objects.count() == requests.MOST_UNCONFIRMED


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("first_name", "", "Nennen Sie Ihren Vornamen."),
        ("last_name", "http://boese.example", "ohne Ziffern und Sonderzeichen"),
        ("email", "", "Nennen Sie Ihre dienstliche E-Mail-Adresse."),
        ("email", "anna@", "keine vollständige E-Mail-Adresse"),
        ("authority", " ", "Nennen Sie die Behörde."),
        ("purpose", "", "wofür Sie den Zugang brauchen"),
        ("privacy", "", "dass Sie den Hinweis gelesen haben"),
    ],
)
def test_each_fault_is_named_at_the_top_and_at_the_field_and_nothing_is_lost(
    client: Client, kappeln: Authority, field: str, value: str, message: str
) -> None:
    page = errors_on(client, **{field: value})
    assert f'<a href="#id_{field}">' in page
    assert page.count(message) >= 2
    assert "Ich liefere die Zahlen der Hundesteuer." in page or field == "purpose"


def test_line_breaks_in_a_name_stay_out_of_mails(client: Client, kappeln: Authority) -> None:
    client.post(
        REGISTER, filled(last_name="Antrag\r\nBcc: alle@example.org".replace(": ", " ").replace("@", " "))
    )
    assert "\n" not in AccessRequest.objects.get().last_name


def test_an_authority_that_is_nearly_there_is_offered(client: Client, kappeln: Authority) -> None:
    page = errors_on(client, authority="Kappelner Stadtverwaltung")
    assert "Ist es eine von diesen Behörden?" in page
    answer = client.post(REGISTER, filled(authority="Kappelner Stadtverwaltung", known=str(kappeln.pk)))
    assert answer.status_code == 302
    assert AccessRequest.objects.get().authority == kappeln


def test_a_new_authority_needs_level_and_region(client: Client) -> None:
    RegionFactory(ars="010590045045", name="Kappeln")
    page = errors_on(client, authority="Hafenamt")
    assert "Wählen Sie die Ebene der neuen Behörde." in page
    assert "Nennen Sie die Region" in page
    answer = client.post(REGISTER, filled(authority="Hafenamt", level="kommune", region=" kappeln "))
    assert answer.status_code == 302
    request = AccessRequest.objects.get()
    assert (request.authority, request.new_authority, request.new_authority_level) == (
        None,
        "Hafenamt",
        "kommune",
    )
    assert request.new_authority_region_id == "010590045045"


def test_of_several_regions_of_a_name_one_is_chosen(client: Client) -> None:
    RegionFactory(ars="064310002002", name="Birkenau")
    RegionFactory(ars="064320003003", name="Birkenau")
    form = {"authority": "Hafenamt", "level": "kommune", "region": "Birkenau"}
    page = errors_on(client, **form)
    assert "Diesen Namen gibt es mehrmals" in page
    assert client.post(REGISTER, filled(**form, region_known="064320003003")).status_code == 302
    assert AccessRequest.objects.get().new_authority_region_id == "064320003003"


@pytest.mark.parametrize("region", ["Nirgendwo", "06 000 000 0000", "60000000000"])
def test_an_unknown_region_or_one_of_another_level_is_refused(client: Client, region: str) -> None:
    land()
    page = errors_on(client, authority="Hafenamt", level="kommune", region=region)
    assert "Diese Region kennen wir auf dieser Ebene nicht" in page


def test_an_authority_of_the_bund_needs_no_region(client: Client) -> None:
    germany()
    assert client.post(REGISTER, filled(authority="Hafenamt", level="bund")).status_code == 302
    assert AccessRequest.objects.get().new_authority_region_id == "000000000000"


# --- Machines ----------------------------------------------------------------------------------------


def test_who_fills_the_hidden_field_is_thanked_and_forgotten(client: Client, kappeln: Authority) -> None:
    answer = client.post(REGISTER, filled(leer="https://boese.example"))
    assert answer.headers["Location"] == "/landing/register/gesendet"
    assert not AccessRequest.objects.exists()
    assert not OutgoingMail.objects.exists()


@pytest.mark.parametrize("seconds", [1, 2 * request_forms.MOST_SECONDS, None])
def test_who_is_too_fast_or_too_slow_sends_once_more(
    client: Client, kappeln: Authority, seconds: float | None
) -> None:
    page = errors_on(client, stamp="" if seconds is None else stamp(seconds))
    assert "Bitte senden Sie noch einmal ab" in page
    assert 'value="Anna"' in page


def test_after_a_stale_stamp_the_page_holds_a_fresh_one(
    client: Client, kappeln: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = errors_on(client, stamp="falsch")
    found = re.search(r'name="stamp" value="([^"]+)"', page)
    assert found
    monkeypatch.setattr(request_forms, "LEAST_SECONDS", 0)
    assert client.post(REGISTER, filled(stamp=found[1])).status_code == 302


def test_too_many_from_one_address_wait(client: Client, kappeln: Authority, settings: LazySettings) -> None:
    settings.ACCOUNT_RATE_LIMITS = {"request_access": "2/h/ip"}
    for number in range(2):
        assert client.post(REGISTER, filled(email=f"a{number}@example.org")).status_code == 302
    answer = client.post(REGISTER, filled(email="a3@example.org"))
    assert answer.status_code == 429
    assert "in einer Stunde" in answer.content.decode()
    assert "Ich liefere die Zahlen der Hundesteuer." in answer.content.decode()
    other = client.post(REGISTER, filled(email="a3@example.org"), REMOTE_ADDR="192.0.2.7")
    assert other.status_code == 302


def test_without_the_cache_everybody_may_ask(
    client: Client, kappeln: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    def down(*args: object, **kwargs: object) -> object:
        raise RedisDown

    monkeypatch.setattr("redis.connection.ConnectionPool.get_connection", down)
    assert client.post(REGISTER, filled()).status_code == 302


# --- The link ----------------------------------------------------------------------------------------


@pytest.fixture
def link(client: Client, kappeln: Authority, arrivals: Arrivals) -> str:
    with arrivals() as inbox:
        client.post(REGISTER, filled())
    return link_in(inbox[0])


def test_opening_the_link_alone_confirms_nothing(client: Client, link: str) -> None:
    page = client.get(link)
    assert "E-Mail-Adresse bestätigen" in page.content.decode()
    assert AccessRequest.objects.get().status == Status.UNCONFIRMED
    assert page.headers["Referrer-Policy"] == "strict-origin"
    assert "no-store" in page.headers["Cache-Control"]


def test_the_button_puts_the_request_before_operations(client: Client, link: str, arrivals: Arrivals) -> None:
    with arrivals() as inbox:
        answer = client.post(link)
    request = AccessRequest.objects.get()
    assert request.status == Status.OPEN
    assert answer.headers["Location"] == f"/landing/antrag/{request.pk}/?bestaetigt=neu"
    assert f"/landing/antrag/{request.pk}/" in str(inbox[0].body)
    entry = AuditEntry.objects.get(action="Zugang beantragt")
    assert (entry.actor, entry.target) == ("Anna Antrag (Antrag)", "Anna Antrag, Stadt Kappeln")


@pytest.mark.parametrize("method", ["get", "post"])
def test_a_link_opened_twice_leads_to_where_the_request_stands(
    client: Client, link: str, method: str
) -> None:
    client.post(link)
    answer = getattr(client, method)(link, follow=True)
    assert "war schon bestätigt" in answer.content.decode()
    assert AuditEntry.objects.filter(action="Zugang beantragt").count() == 1


def test_an_unknown_link_says_what_helps(client: Client) -> None:
    answer = client.get("/landing/bestaetigen/unbekannt/")
    assert answer.status_code == 404
    assert "Dieser Link gilt nicht" in answer.content.decode()


# --- Questions and decisions -------------------------------------------------------------------------


def ask(request: AccessRequest, by: User, text: str = "Für welchen Onlineservice?") -> None:
    requests.ask(request=request, text=text, by=by, seen=requests.standing(request), site=SITE)
    request.refresh_from_db()


def approve(request: AccessRequest, by: User, choice: AuthorityChoice | None = None) -> Invitation:
    chosen = choice or AuthorityChoice(existing=request.authority)
    return requests.approve(request=request, choice=chosen, by=by, seen=requests.standing(request), site=SITE)


def test_a_question_is_mailed_and_answered_on_the_page(
    client: Client, operator: User, arrivals: Arrivals
) -> None:
    request = AccessRequestFactory()
    with arrivals() as inbox:
        ask(request, operator)
    assert "Für welchen Onlineservice?" in str(inbox[0].body)
    address = link_in(inbox[0])
    assert "Wir haben eine Frage an Sie" in client.get(address).content.decode()
    with arrivals() as inbox:
        client.post(address, {"text": "Für die Hundesteuer."})
    request.refresh_from_db()
    assert request.status == Status.OPEN
    assert [message.text for message in request.messages.all()] == [
        "Für welchen Onlineservice?", "Für die Hundesteuer.",
    ]  # fmt: skip
    assert inbox[0].subject.endswith("Ihre Antwort ist bei uns")
    assert set(AuditEntry.objects.values_list("action", flat=True)) == {
        "Rückfrage gestellt", "Rückfrage beantwortet",
    }  # fmt: skip


def test_a_second_answer_is_refused_and_kept_in_the_form(client: Client, operator: User) -> None:
    request = AccessRequestFactory()
    ask(request, operator)
    address = f"/landing/antrag/{request.pk}/"
    client.post(address, {"text": "Erste Antwort."})
    answer = client.post(address, {"text": "Zweite Antwort."})
    assert answer.status_code == 409
    assert "schon geantwortet" in answer.content.decode()
    assert "Zweite Antwort." in answer.content.decode()
    assert request.messages.count() == 2


def test_an_empty_answer_is_refused(client: Client, operator: User) -> None:
    request = AccessRequestFactory()
    ask(request, operator)
    answer = client.post(f"/landing/antrag/{request.pk}/", {"text": " "})
    assert answer.status_code == 422
    assert "Schreiben Sie Ihre Antwort." in answer.content.decode()


def test_approval_sends_an_invitation_and_keeps_the_authority(
    client: Client, operator: User, arrivals: Arrivals
) -> None:
    request = AccessRequestFactory(email="anna@kappeln.example")
    with arrivals() as inbox:
        invitation = approve(request, operator)
    request.refresh_from_db()
    assert (request.status, request.decided_by) == (Status.APPROVED, operator)
    assert (invitation.email, invitation.authority) == ("anna@kappeln.example", request.authority)
    days = (invitation.expires_at - timezone.now()).total_seconds() / 86_400
    assert days == pytest.approx(14, abs=0.01)
    assert inbox[0].subject.endswith("Ihr Zugang zur ZSK ist bewilligt")
    assert link_in(inbox[0]).startswith("/einladung/")
    assert "Ihr Antrag ist bewilligt" in client.get(f"/landing/antrag/{request.pk}/").content.decode()
    assert AuditEntry.objects.filter(action="Zugang bewilligt", user=operator).count() == 1


def test_approval_enters_a_new_authority(operator: User) -> None:
    region = RegionFactory()
    request = AccessRequestFactory(authority=None, new_authority="Hafenamt")
    approve(request, operator, AuthorityChoice(name="Hafenamt Kappeln", level="kommune", region=region))
    request.refresh_from_db()
    assert request.authority == Authority.objects.get(name="Hafenamt Kappeln", level="kommune", region=region)
    assert AuditEntry.objects.filter(action="Behörde eingetragen", target="Hafenamt Kappeln").exists()


def test_an_authority_entered_meanwhile_undoes_the_approval(operator: User, kappeln: Authority) -> None:
    request = AccessRequestFactory(authority=None, new_authority="Stadt Kappeln")
    choice = AuthorityChoice(name="Stadt Kappeln", level="kommune", region=kappeln.region)
    with pytest.raises(authorities.NameTaken):
        approve(request, operator, choice)
    request.refresh_from_db()
    assert request.status == Status.OPEN
    assert not Invitation.objects.exists()


def test_declining_gives_the_reason(client: Client, operator: User, arrivals: Arrivals) -> None:
    request = AccessRequestFactory()
    with arrivals() as inbox:
        requests.decline(
            request=request, reason="Sie haben schon ein Konto.", by=operator,
            seen=requests.standing(request), site=SITE,
        )  # fmt: skip
    assert "Sie haben schon ein Konto." in str(inbox[0].body)
    page = client.get(f"/landing/antrag/{request.pk}/").content.decode()
    assert "Ihr Antrag ist abgelehnt" in page
    assert "Sie haben schon ein Konto." in page
    assert AuditEntry.objects.get(action="Zugang abgelehnt").detail == "Sie haben schon ein Konto."


def test_what_is_not_confirmed_or_decided_already_takes_no_decision(operator: User) -> None:
    for status in (Status.UNCONFIRMED, Status.APPROVED, Status.DECLINED):
        request = AccessRequestFactory(status=status)
        with pytest.raises(requests.NotWaiting):
            approve(request, operator)
    assert not Invitation.objects.exists()


def test_a_decision_on_an_older_state_is_refused(operator: User) -> None:
    request = AccessRequestFactory()
    seen = requests.standing(request)
    ask(request, operator)
    with pytest.raises(requests.RequestChanged):
        requests.decline(request=request, reason="Nein.", by=operator, seen=seen, site=SITE)


@pytest.mark.django_db(transaction=True)
def test_of_two_approvals_at_once_one_counts() -> None:
    """With connections of their own, so that the lock decides and not the order of the calls."""
    request = AccessRequestFactory()
    operators = [UserFactory(is_operations=True) for _number in range(2)]
    seen, barrier = requests.standing(request), threading.Barrier(2)
    results: list[str] = []

    def decide(by: User) -> None:
        try:
            barrier.wait()
            choice = AuthorityChoice(existing=request.authority)
            requests.approve(request=request, choice=choice, by=by, seen=seen, site=SITE)
            results.append("bewilligt")
        except requests.NotWaiting as late:
            results.append(f"zu spät: {late.request.decided_by in operators}")
        finally:
            connection.close()

    _run_together(decide, operators)
    assert sorted(results) == ["bewilligt", "zu spät: True"]
    assert Invitation.objects.count() == 1
    assert AuditEntry.objects.filter(action="Zugang bewilligt").count() == 1


def _run_together(work: Callable[[User], None], people: list[User]) -> None:
    threads = [threading.Thread(target=work, args=(person,)) for person in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


# --- Deleting ----------------------------------------------------------------------------------------


def test_requests_and_invitations_are_deleted_when_their_time_is_over(settings: LazySettings) -> None:
    settings.ACCESS_REQUEST_DAYS = 30
    now = timezone.now()

    def ago(days: int) -> dt.datetime:
        return now - dt.timedelta(days=days)

    old = AccessRequestFactory(status=Status.UNCONFIRMED)
    AccessRequest.objects.filter(pk=old.pk).update(created_at=ago(8))
    AccessRequestFactory(status=Status.DECLINED, decided_at=ago(31))
    waiting = AccessRequestFactory()
    AccessRequest.objects.filter(pk=waiting.pk).update(created_at=ago(400))
    kept = [
        AccessRequestFactory(status=Status.UNCONFIRMED),
        AccessRequestFactory(status=Status.APPROVED, decided_at=ago(29)),
        waiting,
    ]
    InvitationFactory(accepted_at=ago(31), expires_at=ago(20))
    InvitationFactory(withdrawn_at=ago(31))
    InvitationFactory(expires_at=ago(31))
    held = [
        InvitationFactory(),
        InvitationFactory(expires_at=ago(29)),
        InvitationFactory(accepted_at=ago(29)),
    ]
    assert tasks.expire_access() == 5
    assert set(AccessRequest.objects.all()) == set(kept)
    assert set(Invitation.objects.all()) == set(held)


def test_a_request_deleted_leaves_its_invitation(operator: User) -> None:
    request = AccessRequestFactory()
    invitation = approve(request, operator)
    request.delete()
    invitation.refresh_from_db()
    assert invitation.request is None


def test_beat_deletes_every_day(settings: LazySettings) -> None:
    assert settings.CELERY_BEAT_SCHEDULE["expire-access"]["task"] == tasks.expire_access.name


def test_mails_of_every_step_are_written_with_their_cause(operator: User) -> None:
    """Rolled back together: no mail about what never happened."""
    request = AccessRequestFactory()
    ask(request, operator)
    assert OutgoingMail.objects.count() == 1
    with pytest.raises(requests.NotWaiting):
        requests.confirm(request=request, site=SITE)
    assert OutgoingMail.objects.count() == 1
    assert mail.outbox == []


# --- Operations hear of it ---------------------------------------------------------------------------


def confirmed(arrivals: Arrivals) -> list[Any]:
    """The mails that confirming a request's address sends."""
    AccessRequestFactory(status=Status.UNCONFIRMED, email="anna@example.org", token_hash=hash_of("token"))
    with arrivals() as inbox:
        Client().post("/landing/bestaetigen/token/")
    return [message for message in inbox if message.to != ["anna@example.org"]]


def test_operations_are_told_of_a_new_request_once_its_address_is_confirmed(arrivals: Arrivals) -> None:
    for name, more in [("eins", {}), ("zwei", {}), ("gesperrt", {"is_active": False}), ("", {"email": ""})]:
        UserFactory(**{"email": f"{name}@example.org", "is_operations": True, **more})
    UserFactory(email="niemand@example.org")
    told = confirmed(arrivals)
    assert [message.to for message in told] == [["eins@example.org"], ["zwei@example.org"]]
    request = AccessRequest.objects.get()
    assert told[0].subject == "[ZSK Test] Neuer Antrag auf Zugang"
    assert f"/betrieb/antraege/{request.pk}/" in told[0].body


def test_their_mailbox_is_told_instead_where_there_is_one(arrivals: Arrivals, settings: LazySettings) -> None:
    settings.OPERATIONS_EMAIL = "zsk-betrieb@example.org"
    UserFactory(is_operations=True)
    assert [message.to for message in confirmed(arrivals)] == [["zsk-betrieb@example.org"]]
