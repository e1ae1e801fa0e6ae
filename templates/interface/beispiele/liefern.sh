#!/usr/bin/env bash
# Liefert Transaktionszahlen an die ZSK: erst Probelauf, dann wirklich, und sieht danach nach.
# Aufruf: ZSK_SCHLUESSEL='zsk_…' bash liefern.sh        Braucht curl ab 7.84.
set -euo pipefail

adresse='https://zsk.example.org/api/v1/lieferungen'
zeilen='[{"onlineservice": "OS-000123", "ars": "060000000000", "monat": "2025-05", "anzahl": 1204}]'

# Bei 429, 503 und ohne Verbindung wartet curl, wie „Retry-After“ sagt, und fragt noch einmal.
zsk() {
  curl --silent --show-error --fail-with-body --retry 3 --retry-connrefused \
    --header "Authorization: Bearer $ZSK_SCHLUESSEL" "$@"
}

echo 'Probelauf:'
zsk "$adresse" --header 'Content-Type: application/json' \
  --data "{\"probelauf\": true, \"zeilen\": $zeilen}"

# Ein eigener Wert je Lieferung: Eine Wiederholung bekommt dieselbe Antwort.
schluessel=$(cat /proc/sys/kernel/random/uuid 2>/dev/null || uuidgen)
echo; echo 'Lieferung:'
zsk "$adresse" --header 'Content-Type: application/json' --header "Idempotency-Key: $schluessel" \
  --data "{\"zeilen\": $zeilen}" --output antwort.json --write-out '%header{location}' > ort.txt
cat antwort.json

echo; echo 'Nachgesehen:'
zsk "$(cat ort.txt)"
