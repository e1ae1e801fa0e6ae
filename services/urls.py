from django.urls import URLPattern, path

from services.views import (
    bulk,
    history,
    invitations,
    keys,
    master_data,
    members,
    portal_members,
    portals,
    registration,
)
from zsk.kinds import CSV, XLSX

app_name = "services"
SERVICE = "meine/onlineservices/<str:number>/"
PORTAL = "meine/portale/<slug:kuerzel>/"
NEW = "meine/onlineservices/neu"
urlpatterns: list[URLPattern] = [
    path("einladung/<str:token>/", invitations.invitation, name="invitation"),
    path(NEW, registration.start, name="register"),
    path(f"{NEW}/auswahl/<slug:name>", registration.picker, name="picker"),
    path(f"{NEW}/<int:pk>/", registration.draft, name="draft"),
    path(f"{NEW}/<int:pk>/verwerfen", registration.discard, name="discard_draft"),
    path(f"{NEW}/<int:pk>/<slug:slug>", registration.step, name="register_step"),
    path(SERVICE, master_data.manage, name="manage"),
    path(f"{SERVICE}stammdaten", master_data.edit, name="edit"),
    path(f"{SERVICE}nachfolger", master_data.take_over, name="take_successor"),
    path(f"{SERVICE}verlauf", history.history, name="history"),
    path(f"{SERVICE}beenden", master_data.end, name="end"),
    path(f"{SERVICE}loeschen", master_data.delete, name="delete"),
    path(f"{SERVICE}mitglieder", members.members, name="members"),
    path(f"{SERVICE}mitglieder/<int:pk>/", members.member, name="member"),
    path(f"{SERVICE}mitglieder/<int:pk>/entfernen", members.remove, name="member_remove"),
    path(f"{SERVICE}mitglieder/einladungen/<int:pk>/erneut", members.resend, name="invitation_resend"),
    path(
        f"{SERVICE}mitglieder/einladungen/<int:pk>/zurueckziehen",
        members.withdraw,
        name="invitation_withdraw",
    ),
    path(f"{SERVICE}schluessel", keys.service_keys, name="keys"),
    path(f"{SERVICE}schluessel/keycloak", keys.service_client, name="key_client"),
    path(f"{SERVICE}schluessel/<int:pk>/widerrufen", keys.service_revoke, name="key_revoke"),
    path(f"{SERVICE}portal-verlassen", portals.leave, name="portal_leave"),
    path(f"{SERVICE}portalanfrage", portals.question, name="portal_question"),
    path(PORTAL, portals.start, name="portal"),
    path(f"{PORTAL}services", portals.services, name="portal_services"),
    path(f"{PORTAL}services/aufnehmen", portals.take_in, name="portal_take_in"),
    path(f"{PORTAL}services/<str:number>/abgeben", portals.let_go, name="portal_let_go"),
    path(f"{PORTAL}anfragen/<int:pk>/zurueckziehen", portals.take_back, name="portal_take_back"),
    path(f"{PORTAL}mitglieder", portal_members.members, name="portal_members"),
    path(f"{PORTAL}mitglieder/<int:pk>/entfernen", portal_members.remove, name="portal_member_remove"),
    path(
        f"{PORTAL}mitglieder/einladungen/<int:pk>/erneut",
        portal_members.resend,
        name="portal_invitation_resend",
    ),
    path(
        f"{PORTAL}mitglieder/einladungen/<int:pk>/zurueckziehen",
        portal_members.withdraw,
        name="portal_invitation_withdraw",
    ),
    path(f"{PORTAL}schluessel", keys.portal_keys, name="portal_keys"),
    path(f"{PORTAL}schluessel/keycloak", keys.portal_client, name="portal_key_client"),
    path(f"{PORTAL}schluessel/<int:pk>/widerrufen", keys.portal_revoke, name="portal_key_revoke"),
    path(f"{PORTAL}sammelregistrierung", bulk.upload, name="bulk"),
    path(f"{PORTAL}sammelregistrierung/vorlage.csv", bulk.template, {"kind": CSV}, name="bulk_template"),
    path(
        f"{PORTAL}sammelregistrierung/vorlage.xlsx", bulk.template, {"kind": XLSX}, name="bulk_template_xlsx"
    ),
    path(f"{PORTAL}sammelregistrierung/<uuid:pk>/", bulk.review, name="bulk_review"),
    path(f"{PORTAL}sammelregistrierung/<uuid:pk>/bericht", bulk.report, name="bulk_report"),
    path(
        f"{PORTAL}sammelregistrierung/<uuid:pk>/nachfolger",
        bulk.take_successors,
        name="bulk_take_successors",
    ),
    path(f"{PORTAL}sammelregistrierung/<uuid:pk>/registrieren", bulk.register, name="bulk_register"),
    path(f"{PORTAL}sammelregistrierung/<uuid:pk>/verwerfen", bulk.discard, name="bulk_discard"),
]
