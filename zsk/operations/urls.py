from django.urls import path

from zsk.operations import authorities, invitations, log, people, portals, reference, requests, start

app_name = "operations"
urlpatterns = [
    path("betrieb/", start.start, name="start"),
    path("betrieb/antraege/", requests.queue, name="requests"),
    path("betrieb/antraege/<uuid:pk>/", requests.detail, name="request"),
    path("betrieb/antraege/<uuid:pk>/rueckfrage", requests.ask, name="request_ask"),
    path("betrieb/antraege/<uuid:pk>/bewilligen", requests.approve, name="request_approve"),
    path("betrieb/antraege/<uuid:pk>/ablehnen", requests.decline, name="request_decline"),
    path("betrieb/einladungen/", invitations.invitations, name="invitations"),
    path("betrieb/einladungen/<int:pk>/erneut", invitations.resend, name="invitation_resend"),
    path("betrieb/einladungen/<int:pk>/zurueckziehen", invitations.withdraw, name="invitation_withdraw"),
    path("betrieb/personen/", people.people, name="people"),
    path("betrieb/personen/<int:pk>/", people.detail, name="person"),
    path("betrieb/behoerden/", authorities.authorities, name="authorities"),
    path("betrieb/behoerden/neu", authorities.new, name="authority_new"),
    path("betrieb/behoerden/<int:pk>/", authorities.edit, name="authority"),
    path("betrieb/portale/", portals.portals, name="portals"),
    path("betrieb/portale/neu", portals.new, name="portal_new"),
    path("betrieb/portale/<slug:kuerzel>/", portals.edit, name="portal"),
    path("betrieb/abgleich/", reference.runs, name="syncs"),
    path("betrieb/abgleich/quelle/<slug:name>/starten", reference.start, name="sync_start"),
    path("betrieb/abgleich/<int:pk>/", reference.run, name="sync"),
    path("betrieb/abgleich/<int:pk>/uebernehmen", reference.confirm, name="sync_confirm"),
    path("betrieb/abgleich/<int:pk>/verwerfen", reference.discard, name="sync_discard"),
    path("betrieb/abgleich/<int:pk>/zuruecknehmen", reference.roll_back, name="sync_roll_back"),
    path("betrieb/protokoll/", log.log, name="log"),
    path("betrieb/protokoll.csv", log.log_csv, name="log_csv"),
]
