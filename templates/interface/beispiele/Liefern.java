import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.UUID;

/**
 * Liefert Transaktionszahlen an die ZSK: erst Probelauf, dann wirklich, und sieht danach nach.
 * Aufruf: ZSK_SCHLUESSEL='zsk_…' java Liefern.java        Braucht nur ein JDK ab 17.
 */
public class Liefern {
    static final URI ADRESSE = URI.create("https://zsk.example.org/api/v1/lieferungen");
    static final String ZEILEN = """
        [{"onlineservice": "OS-000123", "ars": "060000000000", "monat": "2025-05", "anzahl": 1204}]""";

    static final HttpClient CLIENT = HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(10)).build();

    public static void main(String[] args) throws IOException, InterruptedException {
        String probe = "{\"probelauf\": true, \"zeilen\": " + ZEILEN + "}";
        System.out.println("Probelauf: " + frage(anfrage(ADRESSE, probe)).body());

        // Ein eigener Wert je Lieferung: Eine Wiederholung bekommt dieselbe Antwort.
        HttpRequest.Builder lieferung = anfrage(ADRESSE, "{\"zeilen\": " + ZEILEN + "}")
            .header("Idempotency-Key", UUID.randomUUID().toString());
        HttpResponse<String> antwort = frage(lieferung);
        System.out.println("Lieferung: " + antwort.body());

        String ort = antwort.headers().firstValue("Location").orElseThrow();
        System.out.println("Nachgesehen: " + frage(anfrage(URI.create(ort), null)).body());
    }

    static HttpRequest.Builder anfrage(URI adresse, String nachricht) {
        HttpRequest.Builder anfrage = HttpRequest.newBuilder(adresse)
            .timeout(Duration.ofSeconds(60))
            .header("Authorization", "Bearer " + System.getenv("ZSK_SCHLUESSEL"));
        return nachricht == null ? anfrage : anfrage
            .header("Content-Type", "application/json")
            .POST(HttpRequest.BodyPublishers.ofString(nachricht));
    }

    /** Bei 409, 429 und 503 wird gewartet, wie „Retry-After“ sagt, und dasselbe noch einmal gefragt. */
    static HttpResponse<String> frage(HttpRequest.Builder anfrage) throws IOException, InterruptedException {
        for (int versuch = 0; versuch < 4; versuch++) {
            HttpResponse<String> antwort = CLIENT.send(anfrage.build(), HttpResponse.BodyHandlers.ofString());
            int status = antwort.statusCode();
            if (status < 400) {
                return antwort;
            }
            if (status != 409 && status != 429 && status != 503) {
                System.err.println(antwort.body());
                System.exit(1);
            }
            Thread.sleep(1000L * antwort.headers().firstValueAsLong("Retry-After").orElse(10));
        }
        throw new IOException("Die ZSK nimmt gerade nichts an.");
    }
}
