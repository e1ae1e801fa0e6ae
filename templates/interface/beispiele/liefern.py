"""Liefert Transaktionszahlen an die ZSK: erst Probelauf, dann wirklich, und sieht danach nach.

Aufruf: ZSK_SCHLUESSEL='zsk_…' python3 liefern.py        Braucht nur Python ab 3.9, keine Pakete.
"""

import json
import os
import sys
import time
import urllib.error
import urllib.request
import uuid

ADRESSE = "https://zsk.example.org/api/v1/lieferungen"
ZEILEN = [{"onlineservice": "OS-000123", "ars": "060000000000", "monat": "2025-05", "anzahl": 1204}]


def frage(adresse, nachricht=None, **kopf):
    """Die Antwort als Wörterbuch. Bei 409, 429 und 503 wird gewartet und dasselbe noch einmal gefragt."""
    inhalt = None if nachricht is None else json.dumps(nachricht).encode()
    kopf = {"Authorization": "Bearer " + os.environ["ZSK_SCHLUESSEL"], **kopf}
    if inhalt:
        kopf["Content-Type"] = "application/json"
    for _versuch in range(4):
        try:
            with urllib.request.urlopen(urllib.request.Request(adresse, inhalt, kopf), timeout=60) as antwort:
                return json.load(antwort)
        except urllib.error.HTTPError as fehler:
            if fehler.code not in (409, 429, 503):
                zeige(json.load(fehler))
                sys.exit(1)
            time.sleep(int(fehler.headers.get("Retry-After", 10)))
    sys.exit("Die ZSK nimmt gerade nichts an.")


def zeige(problem):
    """Jeder Fehler mit der Stelle, an der er steht."""
    print(problem["title"], "-", problem["detail"], file=sys.stderr)
    for fehler in problem.get("fehler", []):
        print(f"  {fehler['zeiger']}: {fehler['meldung']}", file=sys.stderr)


print("Probelauf:", frage(ADRESSE, {"probelauf": True, "zeilen": ZEILEN}))
# Ein eigener Wert je Lieferung: Eine Wiederholung bekommt dieselbe Antwort.
lieferung = frage(ADRESSE, {"zeilen": ZEILEN}, **{"Idempotency-Key": str(uuid.uuid4())})
print("Lieferung:", lieferung)
print("Nachgesehen:", frage(lieferung["url"]))
