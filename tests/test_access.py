"""Who may open what: a table for pages, one for the interface; an address without an entry fails."""

import datetime as dt
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, resolve, reverse

from accounts import invitations
from accounts.models import AccessRequest, User
from ozgsync.models import SyncRun
from portals.models import InvitedPortalMember, Portal, PortalMember
from services.credentials import revoke_credential
from services.models import BulkUpload, InvitedMember, OnlineService, PortalMove, RegistrationDraft
from tests.factories import (
    AccessRequestFactory,
    InvitationFactory,
    MemberFactory,
    PortalFactory,
    PortalMemberFactory,
    RegionChangeFactory,
    ServiceFactory,
    UserFactory,
    api_key,
    germany,
    land,
    personas,
)
from transactions import grid, uploads
from transactions.checks import check
from transactions.delivery import deliver
from transactions.models import Delivery, QualityCase
from transactions.publication import publish
from transactions.rows import Rows
from zsk import months

pytestmark = pytest.mark.django_db

ROLES = ("public", "stranger", "supplier", "responsible", "portal_admin", "operations")
# Statuses in the order of ROLES; one number stands for all of them.
Statuses = int | tuple[int, int, int, int, int, int]
SIGNED_IN = (302, 200, 200, 200, 200, 200)
ONLY_SENDER = (302, 404, 404, 200, 404, 404)
OPERATIONS = (302, 403, 403, 403, 403, 200)
# An empty form, sent.
REFUSED_FORM = (302, 403, 403, 403, 403, 422)
# Of `{service}`: all its people and the admins of its portal; those of them who may change it.
SERVICE_PEOPLE = (302, 403, 200, 200, 200, 200)
EDITORS = (302, 403, 403, 200, 200, 200)
EDITORS_POST = (302, 403, 403, 302, 302, 302)
PORTAL_PEOPLE = (302, 403, 403, 403, 200, 200)
PORTAL_FORM = (302, 403, 403, 403, 422, 422)
PORTAL_POST = (302, 403, 403, 403, 302, 302)
PORTAL_SENDER = (302, 403, 403, 403, 200, 404)
NOT_THERE = (302, 403, 403, 403, 403, 404)
# A form that names no service.
NOT_THERE_FORM = (302, 404, 404, 404, 404, 404)
NOT_PUBLIC = (404, 200, 200, 200, 200, 200)


class Entry(NamedTuple):
    """`{service}` is a published service's number, `{hidden}` another one's that is not published."""

    address: str
    statuses: Statuses
    method: str = "get"
    data: dict[str, Any] = {}


E = Entry
PAGES = [
    # reports
    E("/", 200),
    E("/onlineservices/", 200),
    E("/onlineservices/{service}/", 200),
    E("/onlineservices/{hidden}/", NOT_PUBLIC),
    E("/onlineservices/OS-999999/", 404),
    E("/suche/?q=hessen", 200),
    E("/onlineservices/{service}/verlauf.csv", 200),
    E("/onlineservices/{hidden}/verlauf.csv", NOT_PUBLIC),
    E("/onlineservices/{service}/regionen.csv", 200),
    E("/onlineservices/{hidden}/regionen.csv", NOT_PUBLIC),
    E("/api/v1/onlineservices", 200),
    E("/api/v1/regionen", 200),
    E("/api/v1/leistungen", 200),
    E("/api/v1/auswertung?onlineservice={service}&region=060000000000", 200),
    # Signed in or not: the open interface knows nobody.
    E("/api/v1/auswertung?onlineservice={hidden}", 404),
    E("/portale/", 200),
    E("/portale/portal/verlauf.csv", 200),
    E("/portale/gibt-es-nicht/verlauf.csv", 404),
    E("/portale/portal/onlineservices.csv", 200),
    E("/portale/portal/onlineservices.svg", 404),
    E("/regionen/060000000000/", 200),
    E("/regionen/060000000000/?gebietsstand=heute", 200),
    E("/regionen/aenderungen/", 200),
    E("/regionen/aenderungen/06/2026/1-R/", 200),
    E("/regionen/aenderungen/gibt/es/nicht/", 404),
    E("/daten/", 200),
    E("/daten/vollstaendigkeit/", 200),
    E("/daten/transaktionszahlen.csv", 200),
    E("/daten/verlauf.csv", 200),
    E("/daten/laender.csv", 200),
    E("/daten/rangfolge.csv", 200),
    E("/daten/onlineservices.csv", 200),
    # accounts
    E("/anmelden/", (200, 302, 302, 302, 302, 302)),
    E("/abmelden/", 200),
    E("/abmelden/", 302, "post"),
    # Without Keycloak there is none of its addresses; tests/accounts/test_oidc.py has it.
    E("/anmelden/keycloak/", 404),
    E("/anmelden/keycloak/zurueck/", 404),
    E("/anmelden/weiter/unbekannt/", (302, 404, 404, 404, 404, 404)),
    E("/konto/", SIGNED_IN),
    E("/konto/erinnerungen", 302, "post"),
    E("/landing/", 200),
    E("/landing/register", 200),
    E("/landing/register", 422, "post"),
    E("/landing/register/gesendet", 200),
    E("/landing/bestaetigen/{confirm_token}/", 200),
    E("/landing/bestaetigen/{confirm_token}/", 302, "post"),
    E("/landing/bestaetigen/unbekannt/", 404),
    # Whoever has the address, which is not guessable; not before the e-mail address is confirmed.
    E("/landing/antrag/{request}/", 200),
    E("/landing/antrag/{request}/", 422, "post"),
    E("/landing/antrag/{unconfirmed}/", 404),
    E("/anmelden/notfall/", 404),
    E("/anmelden/code/", 302),
    E("/demo/post/", 404),
    E("/konto/passwort/", SIGNED_IN),
    E("/konto/passwort/", SIGNED_IN, "post"),
    E("/konto/passwort-vergessen/", 200),
    E("/konto/passwort-vergessen/gesendet/", 200),
    E("/konto/passwort-vergessen/fertig/", 200),
    E("/konto/passwort-vergessen/abc-def/", 200),
    E("/konto/email/", SIGNED_IN),
    E("/konto/email/", 302, "post"),
    E("/konto/email/kein-link/", 200),
    E("/konto/email/kein-link/", 404, "post"),
    E("/konto/bestaetigen/", SIGNED_IN),
    E("/konto/bestaetigen/code/", 302),
    E("/konto/zweiter-faktor/", SIGNED_IN),
    E("/konto/zweiter-faktor/einrichten/", 302),
    E("/konto/zweiter-faktor/abschalten/", (302, 404, 404, 404, 404, 404)),
    E("/konto/zweiter-faktor/ersatzcodes/", (302, 404, 404, 404, 404, 404)),
    E("/konto/zweiter-faktor/ersatzcodes/neu/", 302),
    E("/konto/zweiter-faktor/ersatzcodes/datei/", (302, 404, 404, 404, 404, 404)),
    E("/admin/login/", (302, 403, 403, 403, 403, 302)),
    E("/admin/logout/", 200),
    E("/admin/password_change/", SIGNED_IN),
    # services
    E("/einladung/{invitation_token}/", 200),
    E("/einladung/{invitation_token}/", (422, 302, 302, 302, 302, 302), "post"),
    E("/einladung/unbekannt/", 404),
    # members, keys and portals
    E("/meine/onlineservices/neu", SIGNED_IN),
    E("/meine/onlineservices/neu", (302, 422, 422, 422, 422, 422), "post"),
    E("/meine/onlineservices/neu/auswahl/leistung?suche_leistung=hund", (401, 200, 200, 200, 200, 200)),
    E("/meine/onlineservices/neu/auswahl/area?suche_area=hessen", (401, 200, 200, 200, 200, 200)),
    E("/meine/onlineservices/neu/auswahl/anderes", (401, 404, 404, 404, 404, 404)),
    E("/meine/onlineservices/neu/{draft}/", (302, 404, 404, 302, 404, 404)),
    E("/meine/onlineservices/neu/{draft}/leistung", ONLY_SENDER),
    E("/meine/onlineservices/neu/{draft}/leistung", (302, 404, 404, 422, 404, 404), "post"),
    E("/meine/onlineservices/neu/{draft}/gebiet", ONLY_SENDER),
    # Not ready: back to the step that is missing.
    E("/meine/onlineservices/neu/{draft}/pruefen", (302, 404, 404, 302, 404, 404)),
    E("/meine/onlineservices/neu/{draft}/pruefen", (302, 404, 404, 302, 404, 404), "post"),
    E("/meine/onlineservices/neu/{draft}/gibt-es-nicht", (302, 404, 404, 404, 404, 404)),
    E("/meine/onlineservices/neu/{draft}/verwerfen", ONLY_SENDER),
    E("/meine/onlineservices/neu/{draft}/verwerfen", (302, 404, 404, 302, 404, 404), "post"),
    E("/meine/onlineservices/{service}/", SERVICE_PEOPLE),
    E("/meine/onlineservices/{hidden}/", PORTAL_PEOPLE),
    E("/meine/onlineservices/OS-999999/", (302, 404, 404, 404, 404, 404)),
    E("/meine/onlineservices/{service}/stammdaten", EDITORS),
    E("/meine/onlineservices/{service}/stammdaten", (302, 403, 403, 422, 422, 422), "post"),
    E("/meine/onlineservices/{hidden}/stammdaten", (302, 403, 403, 403, 422, 422), "post"),
    # By POST only; a successor that is none changes nothing and leads back.
    E("/meine/onlineservices/{service}/nachfolger", (302, 405, 405, 405, 405, 405)),
    E("/meine/onlineservices/{service}/nachfolger", EDITORS_POST, "post"),
    E("/meine/onlineservices/{service}/verlauf", SERVICE_PEOPLE),
    E("/meine/onlineservices/{service}/beenden", EDITORS),
    E("/meine/onlineservices/{service}/beenden", (302, 403, 403, 422, 422, 422), "post"),
    E("/meine/onlineservices/{service}/loeschen", EDITORS),
    # It has counts.
    E("/meine/onlineservices/{service}/loeschen", (302, 403, 403, 409, 409, 409), "post"),
    E("/meine/onlineservices/{service}/mitglieder", SERVICE_PEOPLE),
    E("/meine/onlineservices/{hidden}/mitglieder", PORTAL_PEOPLE),
    E("/meine/onlineservices/OS-999999/mitglieder", (302, 404, 404, 404, 404, 404)),
    E("/meine/onlineservices/{service}/mitglieder", (302, 403, 403, 422, 422, 422), "post"),
    E("/meine/onlineservices/{service}/mitglieder/{member}/", EDITORS),
    E("/meine/onlineservices/{service}/mitglieder/{member}/", (302, 403, 403, 422, 422, 422), "post"),
    # One's own membership may be ended by everybody.
    E("/meine/onlineservices/{service}/mitglieder/{member}/entfernen", SERVICE_PEOPLE),
    E("/meine/onlineservices/{service}/mitglieder/{first_member}/entfernen", EDITORS),
    E(
        "/meine/onlineservices/{service}/mitglieder/{member}/entfernen",
        (302, 403, 302, 302, 302, 302),
        "post",
    ),
    E(
        "/meine/onlineservices/{service}/mitglieder/{first_member}/entfernen",
        (302, 403, 403, 409, 409, 409),
        "post",
    ),
    E("/meine/onlineservices/{service}/mitglieder/einladungen/{invited}/erneut", EDITORS_POST, "post"),
    E("/meine/onlineservices/{service}/mitglieder/einladungen/{invited}/zurueckziehen", EDITORS_POST, "post"),
    E("/meine/onlineservices/{service}/schluessel", EDITORS),
    E("/meine/onlineservices/{service}/schluessel", (302, 403, 403, 422, 422, 422), "post"),
    E("/meine/onlineservices/{service}/schluessel/{key}/widerrufen", EDITORS),
    E("/meine/onlineservices/{service}/schluessel/{key}/widerrufen", EDITORS_POST, "post"),
    E("/meine/onlineservices/{hidden}/schluessel/{key}/widerrufen", (302, 403, 403, 403, 404, 404)),
    # Without Keycloak there is no client of it.
    E("/meine/onlineservices/{service}/schluessel/keycloak", (302, 403, 403, 404, 404, 404)),
    E("/meine/onlineservices/{lone}/portalanfrage", (302, 403, 403, 200, 403, 200)),
    E(
        "/meine/onlineservices/{lone}/portalanfrage",
        (302, 403, 403, 302, 403, 302),
        "post",
        {"antwort": "nein"},
    ),
    # The portal's admins let go instead.
    E("/meine/onlineservices/{service}/portal-verlassen", (302, 403, 403, 200, 403, 200)),
    E("/meine/onlineservices/{service}/portal-verlassen", (302, 403, 403, 422, 403, 422), "post"),
    # In no portal.
    E("/meine/onlineservices/{lone}/portal-verlassen", (302, 403, 403, 302, 403, 302)),
    E("/meine/portale/portal/", PORTAL_PEOPLE),
    E("/meine/portale/gibt-es-nicht/", (302, 404, 404, 404, 404, 404)),
    E("/meine/portale/portal/services", PORTAL_PEOPLE),
    E("/meine/portale/portal/services/aufnehmen", PORTAL_PEOPLE),
    E("/meine/portale/portal/services/aufnehmen", PORTAL_FORM, "post"),
    E("/meine/portale/portal/services/{service}/abgeben", PORTAL_PEOPLE),
    E("/meine/portale/portal/services/{service}/abgeben", PORTAL_FORM, "post"),
    E("/meine/portale/portal/services/{lone}/abgeben", (302, 403, 403, 403, 404, 404)),
    E("/meine/portale/portal/anfragen/{move}/zurueckziehen", PORTAL_POST, "post"),
    E("/meine/portale/portal/mitglieder", PORTAL_PEOPLE),
    E("/meine/portale/portal/mitglieder", PORTAL_FORM, "post"),
    E("/meine/portale/portal/mitglieder/{admin}/entfernen", PORTAL_PEOPLE),
    E("/meine/portale/portal/mitglieder/{admin}/entfernen", (302, 403, 403, 403, 409, 409), "post"),
    E("/meine/portale/portal/mitglieder/einladungen/{portal_invited}/erneut", PORTAL_POST, "post"),
    E("/meine/portale/portal/mitglieder/einladungen/{portal_invited}/zurueckziehen", PORTAL_POST, "post"),
    E("/meine/portale/portal/schluessel", PORTAL_PEOPLE),
    E("/meine/portale/portal/schluessel", PORTAL_FORM, "post"),
    E("/meine/portale/portal/schluessel/{portal_key}/widerrufen", PORTAL_PEOPLE),
    E("/meine/portale/portal/schluessel/{portal_key}/widerrufen", PORTAL_POST, "post"),
    E("/meine/portale/portal/schluessel/{key}/widerrufen", (302, 403, 403, 403, 404, 404)),
    E("/meine/portale/portal/schluessel/keycloak", (302, 403, 403, 403, 404, 404)),
    E("/meine/portale/portal/sammelregistrierung", PORTAL_PEOPLE),
    E("/meine/portale/portal/sammelregistrierung", PORTAL_FORM, "post"),
    E("/meine/portale/portal/sammelregistrierung/vorlage.csv", PORTAL_PEOPLE),
    E("/meine/portale/portal/sammelregistrierung/vorlage.xlsx", PORTAL_PEOPLE),
    E("/meine/portale/portal/sammelregistrierung/{bulk}/", PORTAL_SENDER),
    E("/meine/portale/portal/sammelregistrierung/{bulk}/bericht", PORTAL_SENDER),
    E("/meine/portale/portal/sammelregistrierung/{bulk}/nachfolger", (302, 405, 405, 405, 405, 405)),
    E("/meine/portale/portal/sammelregistrierung/{bulk}/nachfolger", (302, 403, 403, 403, 302, 404), "post"),
    E("/meine/portale/portal/sammelregistrierung/{bulk}/registrieren", PORTAL_POST, "post"),
    E("/meine/portale/portal/sammelregistrierung/{bulk}/verwerfen", PORTAL_SENDER),
    E("/meine/portale/portal/sammelregistrierung/{bulk}/verwerfen", (302, 403, 403, 403, 302, 404), "post"),
    E("/portale/portal/", 200),
    E("/portale/gibt-es-nicht/", 404),
    # operations
    E("/betrieb/portale/", OPERATIONS),
    E("/betrieb/portale/neu", OPERATIONS),
    E("/betrieb/portale/neu", REFUSED_FORM, "post"),
    E("/betrieb/portale/portal/", OPERATIONS),
    E("/betrieb/portale/portal/", REFUSED_FORM, "post"),
    E("/betrieb/", OPERATIONS),
    E("/betrieb/antraege/", OPERATIONS),
    E("/betrieb/antraege/{request}/", OPERATIONS),
    E("/betrieb/antraege/{request}/rueckfrage", OPERATIONS),
    E("/betrieb/antraege/{request}/rueckfrage", REFUSED_FORM, "post"),
    E("/betrieb/antraege/{request}/bewilligen", OPERATIONS),
    E("/betrieb/antraege/{request}/bewilligen", REFUSED_FORM, "post"),
    E("/betrieb/antraege/{request}/ablehnen", OPERATIONS),
    E("/betrieb/antraege/{request}/ablehnen", REFUSED_FORM, "post"),
    E("/betrieb/abgleich/", OPERATIONS),
    E("/betrieb/abgleich/{sync_run}/", OPERATIONS),
    E("/betrieb/abgleich/{sync_run}/zuruecknehmen", OPERATIONS),
    E("/betrieb/abgleich/{sync_run}/zuruecknehmen", (302, 403, 403, 403, 403, 302), "post"),
    E("/betrieb/abgleich/{sync_run}/uebernehmen", (302, 403, 403, 403, 403, 302), "post"),
    E("/betrieb/abgleich/{sync_run}/verwerfen", (302, 403, 403, 403, 403, 302), "post"),
    E("/betrieb/abgleich/quelle/fim/starten", (302, 403, 403, 403, 403, 302), "post"),
    E("/betrieb/einladungen/", OPERATIONS),
    E("/betrieb/einladungen/{invitation}/erneut", (302, 403, 403, 403, 403, 302), "post"),
    E("/betrieb/einladungen/{invitation}/zurueckziehen", (302, 403, 403, 403, 403, 302), "post"),
    E("/betrieb/personen/", OPERATIONS),
    E("/betrieb/personen/{person}/", OPERATIONS),
    E("/betrieb/personen/{person}/", (302, 403, 403, 403, 403, 302), "post"),
    E("/betrieb/behoerden/", OPERATIONS),
    E("/betrieb/behoerden/neu", OPERATIONS),
    E("/betrieb/behoerden/neu", REFUSED_FORM, "post"),
    E("/betrieb/behoerden/{authority}/", OPERATIONS),
    E("/betrieb/behoerden/{authority}/", REFUSED_FORM, "post"),
    E("/betrieb/veroeffentlichung/", OPERATIONS),
    E("/betrieb/veroeffentlichung/veroeffentlichen?service={hidden}", OPERATIONS),
    # A service that does not exist.
    E("/betrieb/veroeffentlichung/veroeffentlichen", NOT_THERE, "post", {"service": "OS-999999"}),
    E("/betrieb/veroeffentlichung/zuruecknehmen", NOT_THERE, "post", {"service": "OS-999999"}),
    E("/betrieb/veroeffentlichung/zuruecknehmen?service={service}", OPERATIONS),
    E("/betrieb/veroeffentlichung/regeln/", OPERATIONS),
    E("/betrieb/veroeffentlichung/regeln/pruefen?2=5", OPERATIONS),
    E("/betrieb/veroeffentlichung/regeln/pruefen", (302, 403, 403, 403, 403, 302), "post"),
    E("/betrieb/qualitaet/", OPERATIONS),
    E("/betrieb/qualitaet/{case}/", OPERATIONS),
    E("/betrieb/qualitaet/{case}/", REFUSED_FORM, "post"),
    E("/betrieb/qualitaet/{foreign}/", NOT_THERE),
    E("/betrieb/monate/", OPERATIONS),
    E("/betrieb/monate/2025-01/abschliessen", OPERATIONS),
    E("/betrieb/monate/2025-01/abschliessen", REFUSED_FORM, "post"),
    E("/betrieb/monate/2025-13/abschliessen", NOT_THERE),
    E("/betrieb/monate/1025-01/abschliessen", NOT_THERE),
    E("/betrieb/monate/2025-01/oeffnen", OPERATIONS),
    E("/betrieb/monate/2025-01/oeffnen", REFUSED_FORM, "post"),
    E("/betrieb/protokoll/", OPERATIONS),
    E("/betrieb/protokoll.csv", OPERATIONS),
    # transactions
    E("/meine/", SIGNED_IN),
    E("/meine/onlineservices.csv", SIGNED_IN),
    E("/liefern/", SIGNED_IN),
    E("/liefern/datei", SIGNED_IN),
    E("/liefern/datei", (302, 200, 422, 422, 422, 422), "post"),
    E("/liefern/formular", SIGNED_IN),
    E("/liefern/formular?service={service}", SERVICE_PEOPLE),
    E("/liefern/formular?lieferung={form}", ONLY_SENDER),
    E("/liefern/formular", NOT_THERE_FORM, "post"),
    E("/liefern/vorlage", SIGNED_IN),
    E("/liefern/vorlage.xlsx", SIGNED_IN),
    E("/liefern/vorlage.csv", SIGNED_IN),
    E("/liefern/{upload}/", ONLY_SENDER),
    E("/liefern/{form}/", ONLY_SENDER),
    E("/liefern/{upload}/uebernehmen", (302, 404, 404, 302, 404, 404)),
    E("/liefern/{upload}/uebernehmen", (302, 404, 404, 302, 404, 404), "post"),
    E("/liefern/{upload}/abbrechen", (302, 404, 404, 302, 404, 404), "post"),
    E("/liefern/{upload}/verwerfen", ONLY_SENDER),
    E("/liefern/{upload}/verwerfen", (302, 404, 404, 302, 404, 404), "post"),
    E("/liefern/{upload}/bericht", ONLY_SENDER),
    E("/lieferungen/", SIGNED_IN),
    E("/lieferungen.csv", SIGNED_IN),
    E("/meine/onlineservices/{service}/lieferungen", SERVICE_PEOPLE),
    E("/meine/onlineservices/{hidden}/lieferungen", PORTAL_PEOPLE),
    E("/meine/onlineservices/{service}/lieferungen.csv", SERVICE_PEOPLE),
    E("/meine/onlineservices/{hidden}/lieferungen.csv", PORTAL_PEOPLE),
    E("/meine/portale/portal/lieferungen", PORTAL_PEOPLE),
    E("/meine/portale/portal/lieferungen.csv", PORTAL_PEOPLE),
    E("/meine/onlineservices/{service}/zahlen/2025-05/", SERVICE_PEOPLE),
    E("/meine/onlineservices/{hidden}/zahlen/2025-05/", PORTAL_PEOPLE),
    E("/meine/onlineservices/{service}/zahlen/2025-05.csv", SERVICE_PEOPLE),
    E("/meine/onlineservices/{hidden}/zahlen/2025-05.csv", PORTAL_PEOPLE),
    E("/meine/onlineservices/{service}/keine-transaktionen", SERVICE_PEOPLE),
    E("/meine/onlineservices/{hidden}/keine-transaktionen", PORTAL_PEOPLE),
    # Something is stored for the last full month, nothing for the one asked for here.
    E("/meine/onlineservices/{service}/keine-transaktionen", (302, 403, 409, 409, 409, 409), "post"),
    E(
        "/meine/onlineservices/{service}/keine-transaktionen?monat=2025-05",
        (302, 403, 302, 302, 302, 302),
        "post",
    ),
    E("/meine/onlineservices/{hidden}/keine-transaktionen?monat=2025-05", PORTAL_POST, "post"),
    E("/meine/vollstaendigkeit/", SIGNED_IN),
    E("/meine/vollstaendigkeit.csv", SIGNED_IN),
    E("/meine/portale/portal/vollstaendigkeit", PORTAL_PEOPLE),
    E("/meine/portale/portal/vollstaendigkeit.csv", PORTAL_PEOPLE),
    E("/betrieb/vollstaendigkeit/", OPERATIONS),
    E("/betrieb/vollstaendigkeit.csv", OPERATIONS),
    E("/lieferungen/{delivery}/werte/", (302, 404, 200, 200, 200, 200)),
    E("/lieferungen/{foreign}/werte/", (302, 404, 404, 404, 200, 200)),
    E("/lieferungen/{delivery}/werte.csv", (302, 404, 200, 200, 200, 200)),
    E("/lieferungen/{foreign}/werte.csv", (302, 404, 404, 404, 200, 200)),
    E("/lieferungen/{delivery}/", (302, 404, 200, 200, 200, 200)),
    E("/lieferungen/{foreign}/", (302, 404, 404, 404, 200, 200)),
    E("/lieferungen/{delivery}/bericht", (302, 404, 410, 410, 410, 410)),
    E("/lieferungen/{foreign}/bericht", (302, 404, 404, 404, 410, 410)),
    E("/lieferungen/{delivery}/zuruecknehmen", (302, 404, 200, 200, 200, 200)),
    E("/lieferungen/{delivery}/zuruecknehmen", (302, 404, 302, 302, 302, 302), "post"),
    E("/lieferungen/{foreign}/zuruecknehmen", (302, 404, 404, 404, 302, 302), "post"),
    E("/hilfe/fehler/", 200),
    E("/hilfe/fehler/ars_unbekannt/", 200),
    E("/hilfe/fehler/gibt-es-nicht/", 404),
    # zsk
    E("/api/docs/", 200),
    E("/api/docs/beispiele/liefern.py", 200),
    E("/api/docs/beispiele/settings.py", 404),
    E("/api/schema/", 200),
    E("/api/gibt-es-nicht", 404),
    E("/impressum/", 200),
    E("/datenschutz/", 200),
    E("/barrierefreiheit/", 200),
    E("/leichte-sprache/", 200),
    E("/gebaerdensprache/", 200),
    E("/daten/lizenz/", 200),
    E("/hilfe/", 200),
    E("/hilfe/ueber/", 200),
    E("/hilfe/transaktion/", 200),
    E("/hilfe/fragen/", 200),
    E("/hilfe/dateiformat/", 200),
    E("/hilfe/dateiformat/beispiel.csv", 200),
    E("/hilfe/dateiformat/schema.json", 200),
    E("/hilfe/schnittstelle/", 200),
    E("/hilfe/schnittstelle/beispiel.json", 200),
    E("/hilfe/kontakt/", 200),
    E("/robots.txt", 200),
    E("/health/live", 200),
    E("/health/ready", 200),
]


class World(NamedTuple):
    people: dict[str, User | None]
    names: dict[str, str]
    service: OnlineService
    portal: Portal


def _deliver(service: OnlineService, by: User) -> Delivery:
    month = f"{months.last_full():%Y-%m}"
    rows = Rows.of(service=[service.number], ars=["060000000000"], month=[month], count=["12"])
    delivery = Delivery(channel=Delivery.Channel.FORM, user=by, actor="Test", service=service)
    return deliver(check(rows, by=by, service=service), delivery)


def _upload(service: OnlineService, by: User) -> Delivery:
    """A file that waits for its sender's confirmation."""
    content = f"ars;monat;anzahl\n060000000000;{months.last_full():%Y-%m};34\n".encode()
    return uploads.receive(lambda: [content], name="Zahlen.csv", by=by, service=service)


def _form(service: OnlineService, by: User) -> Delivery:
    """A form that waits for its sender's confirmation."""
    sheet = grid.opened(service, [months.last_full()])[0]
    filled = grid.filled(sheet, {("060000000000", months.last_full()): "35"})
    return grid.submit(filled, by=by, instead_of=None)


def _asking() -> dict[str, str]:
    """Requests for access, one with a question and one not confirmed, and an invitation."""
    asked = AccessRequestFactory(status=AccessRequest.Status.ASKED)
    unconfirmed = AccessRequestFactory(
        status=AccessRequest.Status.UNCONFIRMED, token_hash=invitations.hash_of("token")
    )
    invitation = InvitationFactory(token_hash=invitations.hash_of("token"))
    sync_run = SyncRun.objects.create(source="fim", status=SyncRun.Status.APPLIED)
    return {
        "sync_run": str(sync_run.pk),
        "request": str(asked.pk), "unconfirmed": str(unconfirmed.pk), "confirm_token": "token",
        "invitation": str(invitation.pk), "invitation_token": "token",
    }  # fmt: skip


def _people_and_keys(service: OnlineService, portal: Portal, admin: PortalMember) -> dict[str, str]:
    """What hangs on a service and a portal; `{lone}` is in no portal, and asked whether it will be."""
    owner, supplier = service.memberships.order_by("pk")
    lone = ServiceFactory()
    MemberFactory(service=lone, user=owner.user, role=owner.role)
    move = PortalMove.objects.create(
        portal=portal, service=lone, since=dt.date(2026, 1, 1), asked_by=admin.user
    )
    invited = InvitedMember.objects.create(invitation=InvitationFactory(), service=service, role="lieferant")
    portal_invited = InvitedPortalMember.objects.create(invitation=InvitationFactory(), portal=portal)
    bulk = BulkUpload.objects.create(
        portal=portal, user=admin.user, file_name="a.csv", content=b"name;x\na;b"
    )
    return {
        "lone": lone.number, "first_member": str(owner.pk), "member": str(supplier.pk), "move": str(move.pk),
        "invited": str(invited.pk), "portal_invited": str(portal_invited.pk), "admin": str(admin.pk),
        "key": str(api_key(service)[0].pk), "portal_key": str(api_key(portal=portal)[0].pk),
        "bulk": str(bulk.pk),
    }  # fmt: skip


@pytest.fixture
def world() -> World:
    """One portal with a published service and one that is not, a delivery for each, and a person per role."""
    germany(), land()
    RegionChangeFactory(change_id="06/2026/1-R")
    portal = PortalFactory(kuerzel="portal")
    service, hidden = ServiceFactory(portal=portal), ServiceFactory(portal=portal)
    owner, colleague, stranger = personas(service)
    operations = UserFactory(is_operations=True, is_staff=True, is_superuser=True)
    admin = PortalMemberFactory(portal=portal)
    delivery, foreign = _deliver(service, owner), _deliver(hidden, operations)
    publish(service, by=None)
    people = {
        "public": None, "stranger": stranger, "supplier": colleague, "responsible": owner,
        "portal_admin": admin.user, "operations": operations,
    }  # fmt: skip
    names = {
        "service": service.number, "hidden": hidden.number,
        "case": str(QualityCase.objects.create(delivery=delivery, kinds=["wie_vormonat"]).pk),
        "delivery": str(delivery.pk), "foreign": str(foreign.pk), "upload": str(_upload(service, owner).pk),
        "form": str(_form(service, owner).pk),
        "person": str(stranger.pk), "authority": str(service.authority_id), **_asking(),
        **_people_and_keys(service, portal, admin),
        "draft": str(RegistrationDraft.objects.create(user=owner, data={"name": "Halb fertig"}).pk),
    }  # fmt: skip
    return World(people, names, service, portal)


def routes(patterns: list[Any], prefix: str = "") -> Iterator[str]:
    """Every address of the project but those of the admin, as registered."""
    for pattern in patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver) and pattern.app_name != "admin":
            yield from routes(pattern.url_patterns, route)
        elif isinstance(pattern, URLPattern):
            yield route


def test_every_address_has_an_entry() -> None:
    ids = dict.fromkeys(("delivery", "foreign", "upload", "form", "request", "unconfirmed", "bulk"), SOME_ID)
    ids["case"] = SOME_ID
    ids |= dict.fromkeys(("person", "authority", "invitation", "confirm_token", "invitation_token"), "1")
    ids |= dict.fromkeys(("first_member", "member", "move", "invited", "portal_invited", "admin"), "1")
    ids |= dict.fromkeys(("key", "portal_key", "draft", "sync_run"), "1")
    names = {"service": "OS-000001", "hidden": "OS-000002", "lone": "OS-000003", **ids}
    entries = [*PAGES, *INTERFACE]
    addresses = [entry.address.format(portal="portal", **names) for entry in entries]
    covered = {resolve(address.partition("?")[0]).route for address in addresses}
    assert set(routes(get_resolver().url_patterns)) - covered == set()


@pytest.mark.parametrize("entry", PAGES, ids=lambda entry: f"{entry.method} {entry.address}")
def test_pages_answer_each_role_as_the_table_says(world: World, entry: Entry) -> None:
    expected = entry.statuses if isinstance(entry.statuses, tuple) else (entry.statuses,) * len(ROLES)
    assert _answers(world, entry) == dict(zip(ROLES, expected, strict=True))


def _answers(world: World, entry: Entry) -> dict[str, int]:
    found = {}
    for role, person in world.people.items():
        # A page that breaks is an answer too: 500.
        client = Client(raise_request_exception=False)
        if person:
            client.force_login(person)
        address = entry.address.format(**world.names)
        with transaction.atomic():
            found[role] = getattr(client, entry.method)(address, entry.data).status_code
            # Each role finds the same world, whatever the one before it did.
            transaction.set_rollback(True)
    return found


def test_the_admin_is_open_to_operations_only(world: World) -> None:
    addresses = [
        reverse("admin:index"),
        reverse("admin:services_onlineservice_changelist"),
        reverse("admin:services_onlineservice_change", args=[world.service.pk]),
        reverse("admin:services_credential_changelist"),
        reverse("admin:portals_portal_changelist"),
        reverse("admin:accounts_user_changelist"),
        reverse("admin:accounts_auditentry_changelist"),
        reverse("admin:ozgsync_region_changelist"),
    ]
    for address in addresses:
        answers = _answers(world, Entry(address, 0))
        assert answers.pop("operations") == 200, address
        assert set(answers.values()) <= {302, 403}, address


# --- The interface -----------------------------------------------------------------------------------

KEYS = ("none", "unknown", "expired", "revoked", "foreign", "own", "portal")
SOME_ID = "01890000-0000-7000-8000-000000000000"


class Call(NamedTuple):
    """A request of a machine; statuses in the order of KEYS. `{delivery}` is of `{service}`."""

    address: str
    statuses: tuple[int, int, int, int, int, int, int]
    method: str = "get"
    service: str = ""  # whose number a message of one row names; no message without


def refused(*rest: int) -> tuple[int, int, int, int, int, int, int]:
    """Without a usable key every address of the interface answers alike."""
    foreign, own, portal = rest
    return (401, 401, 403, 403, foreign, own, portal)


INTERFACE = [
    Call("/api/v1/lieferungen", refused(200, 200, 200)),
    Call("/api/v1/lieferungen", refused(422, 200, 200), "post", "service"),
    Call("/api/v1/lieferungen", refused(422, 422, 200), "post", "hidden"),
    Call("/api/v1/lieferungen/{delivery}", refused(404, 200, 200)),
    Call("/api/v1/lieferungen/{foreign}", refused(404, 404, 200)),
    Call("/api/v1/lieferungen/{delivery}", refused(404, 200, 200), "delete"),
    Call("/api/v1/lieferungen/{delivery}/bericht", refused(404, 410, 410)),
    Call("/api/v1/transaktionszahlen", refused(200, 200, 200)),
    Call("/api/v1/transaktionszahlen?onlineservice={service}", refused(404, 200, 200)),
    Call("/api/v1/transaktionszahlen?onlineservice={hidden}", refused(404, 404, 200)),
]


@pytest.fixture
def keys(world: World) -> dict[str, str]:
    credential, revoked_key = api_key(ServiceFactory())
    revoke_credential(credential=credential, by=None)
    return {
        "none": "",
        "unknown": f"zsk_{'a' * 16}_{'b' * 43}",
        "expired": api_key(ServiceFactory(), expires_at=dt.datetime(2025, 1, 1, tzinfo=dt.UTC))[1],
        "revoked": revoked_key,
        "foreign": api_key(ServiceFactory())[1],
        "own": api_key(world.service)[1],
        "portal": api_key(portal=world.portal)[1],
    }


@pytest.mark.parametrize("call", INTERFACE, ids=lambda call: f"{call.method} {call.address} {call.service}")
def test_the_interface_answers_each_key_as_the_table_says(
    world: World, keys: dict[str, str], call: Call
) -> None:
    assert {name: _status(world, keys[name], call) for name in KEYS} == dict(
        zip(KEYS, call.statuses, strict=True)
    )


def _status(world: World, key: str, call: Call) -> int:
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    options: dict[str, Any] = {"headers": headers}
    if call.service:
        row = {"ars": "060000000000", "monat": f"{months.last_full():%Y-%m}", "anzahl": 7}
        rows = [{"onlineservice": world.names[call.service], **row}]
        options |= {"data": {"probelauf": True, "zeilen": rows}, "content_type": "application/json"}
    with transaction.atomic():
        response = getattr(Client(), call.method)(call.address.format(**world.names), **options)
        # Each key finds the same world, whatever the one before it did.
        transaction.set_rollback(True)
    return int(response.status_code)
