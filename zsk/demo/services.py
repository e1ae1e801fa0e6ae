"""The online services of the demo, some sixty; names and numbers are invented."""

from services.models import OnlineService
from zsk.demo.catalogue import (
    BUND,
    BUNDESPORTAL,
    FLAT,
    GEMEINDE,
    GERMANY,
    HAMBURG,
    HESSEN,
    KREIS,
    LAND,
    MIXED,
    NEW_YEAR,
    QUARTERS,
    SPRING,
    STUDIES,
    SUMMER,
    YEAR_END,
    DemoService,
    Rhythm,
)

S = DemoService
BY_LAND, BY_KREIS = OnlineService.Depth.LAND, OnlineService.Depth.KREIS
PORTAL, PUSH, MONTHLY, FORM, NEVER = Rhythm.PORTAL, Rhythm.PUSH, Rhythm.MONTHLY, Rhythm.FORM, Rhythm.NEVER

# Relative sizes of the Länder in BAföG Digital: where students live, not where people live.
STUDENTS = {
    "05": 4180, "09": 2310, "08": 2096, "03": 1842, "14": 1376, "11": 1298, "06": 1204, "07": 902,
    "16": 688, "15": 640, "01": 612, "02": 598, "12": 566, "13": 431, "04": 214,
}  # fmt: skip
JUSTIZ, STEUERN = "Bundesamt für Justiz", "Bundeszentralamt für Steuern"
AUSSEN, RENTE = "Auswärtiges Amt", "Deutsche Rentenversicherung Bund"
LOGISTIK, BAFOEG = "Bundesamt für Logistik und Mobilität", "Amt für Ausbildungsförderung"
SH, HH, HB = "Land Schleswig-Holstein", "Freie und Hansestadt Hamburg", "Freie Hansestadt Bremen"
NI, NW, HE = "Land Niedersachsen", "Land Nordrhein-Westfalen", "Land Hessen"
RP, BW = "Land Rheinland-Pfalz", "Land Baden-Württemberg"
BY, BE, BB, MV = "Freistaat Bayern", "Land Berlin", "Land Brandenburg", "Land Mecklenburg-Vorpommern"
SN, ST, TH = "Freistaat Sachsen", "Land Sachsen-Anhalt", "Freistaat Thüringen"
KOELN, LEIPZIG, MUENCHEN = "Stadt Köln", "Stadt Leipzig", "Landeshauptstadt München"
FRANKFURT, DITHMARSCHEN = "Stadt Frankfurt am Main", "Kreis Dithmarschen"

NATIONWIDE = (
    S("Gewerbe anmelden", "99050012104000", NW, MIXED, GERMANY, 58_000, NEW_YEAR, 0.14, PUSH, number=1),
    S("BAföG Digital", "99022001017003", BAFOEG, LAND, GERMANY, 20_900, STUDIES, 0.05, MONTHLY, BUNDESPORTAL,
      number=123, missing=(23,), without=("10",), weights=STUDENTS, petra="verantwortlich"),
    S("Schüler-BAföG", "99022001017003", BAFOEG, LAND, GERMANY, 0, rhythm=NEVER, number=124, months=9,
      petra="verantwortlich"),
    S("Führungszeugnis online", "99049001001000", JUSTIZ, BUND, GERMANY, 92_000, FLAT, 0.16, PORTAL,
      BUNDESPORTAL),
    S("Personalausweis im Ausland", "99008001012011", AUSSEN, BUND, GERMANY, 3_400, SUMMER, 0.21, FORM),
    S("Umsatzsteuer-Voranmeldung", "99102021241000", STEUERN, LAND, GERMANY, 214_000, QUARTERS, 0.04, PUSH,
      depth=BY_LAND),
    S("Steuerliche Erfassung", "99102019120000", STEUERN, LAND, GERMANY, 37_500, NEW_YEAR, 0.08),
    S("Körperschaftsteuer online", "99102014002000", STEUERN, LAND, GERMANY, 20_800, QUARTERS, 0.05,
      depth=BY_LAND),
    S("Ansässigkeitsbescheinigung", "99102057022000", STEUERN, BUND, GERMANY, 4_700, SPRING, 0.09, FORM),
    S("A1-Bescheinigung", "99107062012000", RENTE, BUND, GERMANY, 61_500, FLAT, 0.07, PUSH),
    S("Güterkraftverkehr: Lizenz beantragen", "99055031012000", LOGISTIK, LAND, GERMANY, 1_150, FLAT, 0.06),
    S("Freiverkaufszertifikat", "99050178012000", STEUERN, BUND, GERMANY, 240, FLAT, 0.1, FORM, months=20),
    S("Aufstiegserlaubnis für Freiballone", "99080107005001", LOGISTIK, LAND, GERMANY, 64, SUMMER, 0.02),
    S("Wohngeld online", "99107023037000", SH, KREIS, GERMANY, 57_100, NEW_YEAR, 0.19, MONTHLY, number=207,
      delay=38, behind=2, petra="lieferant"),
    S("Wohnberechtigungsschein", "99107022012000", NI, KREIS, GERMANY, 35_400, FLAT, 0.22, PORTAL,
      BUNDESPORTAL, number=214, petra="lieferant"),
    S("Schwerbehinderung feststellen", "99015004037000", NW, LAND, GERMANY, 24_300, FLAT, 0.11, MONTHLY),
    S("Grundsicherung im Alter", "99107009017000", BB, KREIS, GERMANY, 9_600, NEW_YEAR, 0.28, months=27),
    S("Hilfe zum Lebensunterhalt", "99107012017000", RP, LAND, GERMANY, 5_300, NEW_YEAR, 0.13),
    S("Bildung und Teilhabe mit Wohngeld", "99107032017005", ST, KREIS, GERMANY, 12_700, STUDIES, 0.31,
      months=30, missing=(11, 12), behind=1, petra="lieferant"),
    S("Bildung und Teilhabe mit Kinderzuschlag", "99107032017006", ST, LAND, GERMANY, 15_900, STUDIES, 0.18),
    S("Bildung und Teilhabe mit Hilfe zum Lebensunterhalt", "99107032017002", ST, LAND, GERMANY, 1_900,
      STUDIES, 0.12, without=("09", "14")),
    S("Bildung und Teilhabe für Geflüchtete", "99107032017004", ST, LAND, GERMANY, 2_600, STUDIES, 0.1,
      without=("08", "12")),
    S("Kündigung im Mutterschutz: Zulässigkeit", "99006045129000", HB, LAND, GERMANY, 330, FLAT, 0.03),
    S("Arbeit an Sonn- und Feiertagen", "99006001006000", NI, LAND, GERMANY, 920, YEAR_END, 0.06),
    S("Apotheke: Betriebserlaubnis", "99004002005000", TH, LAND, GERMANY, 44, FLAT, 0.0),
    S("Bewachungsgewerbe: Erlaubnis", "99050004005000", BY, LAND, GERMANY, 720, SPRING, 0.08, MONTHLY),
    S("Belehrung nach dem Infektionsschutzgesetz", "99003002022000", BW, KREIS, GERMANY, 47_900, SPRING, 0.26,
      PORTAL, BUNDESPORTAL),
    S("Wohnsitz anmelden", "99115005104000", HH, KREIS, GERMANY, 131_000, SUMMER, 0.34, PUSH, months=31),
    S("Baugenehmigung digital", "99012070006000", MV, KREIS, GERMANY, 11_400, SPRING, 0.3, PORTAL,
      BUNDESPORTAL, depth=BY_LAND),
)  # fmt: skip

REGIONAL = (
    S("Hundesteuer anmelden", "99102013104000", HE, GEMEINDE, "06", 5_900, SPRING, 0.17, PORTAL, HESSEN,
      number=318),
    S("Hundesteuer abmelden", "99102013070000", HE, GEMEINDE, "06", 3_800, FLAT, 0.17, PORTAL, HESSEN),
    S("Meldebescheinigung Hessen", "99115003012000", HE, KREIS, "06", 13_200, SUMMER, 0.11, PORTAL, HESSEN),
    S("Personalausweis beantragen", "99008001012000", HE, KREIS, "06", 25_700, SUMMER, 0.12, PORTAL, HESSEN),
    S("Geburtsurkunde ausstellen", "99027002012000", HE, KREIS, "06", 9_100, FLAT, 0.09, PORTAL, HESSEN),
    S("Gewerbe anmelden Hessen", "99050012104000", HE, KREIS, "06", 4_900, NEW_YEAR, 0.08, PORTAL, HESSEN,
      depth=BY_KREIS),
    S("Eheschließung anmelden", "99059001104000", FRANKFURT, GEMEINDE, "06412", 420, SPRING, 0.07, PORTAL,
      HESSEN),
    S("Adresse im Personalausweis ändern", "99008001011001", HH, LAND, "02", 11_300, SUMMER, 0.15, PORTAL,
      HAMBURG, missing=(21,)),
    S("Reisepass nach Namensänderung", "99085001012010", HH, LAND, "02", 460, SUMMER, 0.1, PORTAL, HAMBURG,
      missing=(21,)),
    S("Bewohnerparkausweis Hamburg", "99108001001000", HH, LAND, "02", 7_800, NEW_YEAR, 0.14, PORTAL, HAMBURG,
      missing=(21,)),
    S("Sterbefall anzeigen", "99101011261000", HH, LAND, "02", 1_450, NEW_YEAR, 0.05, PORTAL, HAMBURG,
      missing=(21,)),
    S("Geburtsurkunde Hamburg", "99027002012000", HH, LAND, "02", 3_300, FLAT, 0.08, PORTAL, HAMBURG,
      missing=(21,)),
    S("Bewohnerparkausweis", "99108001001000", NW, KREIS, "05", 21_400, NEW_YEAR, 0.2, MONTHLY, number=340,
      petra="lieferant"),
    S("Hundesteuer: Befreiung", "99102013010000", NW, GEMEINDE, "05", 2_100, NEW_YEAR, 0.1),
    S("Hundesteuer: Änderung", "99102013011000", KOELN, GEMEINDE, "05315", 380, FLAT, 0.06, FORM),
    S("Verkehrszeichen anregen", "99108014042000", KOELN, GEMEINDE, "05315", 150, SPRING, 0.02, FORM),
    S("Sterbeurkunde ausstellen", "99101004012000", NW, KREIS, "05", 14_800, NEW_YEAR, 0.07),
    S("Hundesteuer: Ermäßigung", "99102013149000", SH, GEMEINDE, "01", 1_750, NEW_YEAR, 0.09),
    S("Gaststätte: vorübergehende Gestattung", "99025002056000", SH, KREIS, "01", 980, SUMMER, 0.12, MONTHLY),
    S("Verkehrszeichen anregen Dithmarschen", "99108014042000", DITHMARSCHEN, KREIS, "01051", 26, SUMMER,
      0.0),
    S("Personalausweis Baden-Württemberg", "99008001012000", BW, GEMEINDE, "08", 33_600, SUMMER, 0.13,
      months=24),
    S("Verlust des Personalausweises melden", "99008001014002", BY, KREIS, "09", 8_900, SUMMER, 0.1),
    S("Reisepass beantragen", "99085001012000", BY, KREIS, "09", 17_700, SUMMER, 0.09, PUSH),
    S("Parken für Bewohner München", "99108001001000", MUENCHEN, KREIS, "09162", 5_200, FLAT, 0.06, FORM),
    S("Befreiung von der Ausweispflicht", "99008002010000", SN, KREIS, "14", 310, FLAT, 0.04),
    S("Meldebescheinigung Leipzig", "99115003012000", LEIPZIG, KREIS, "14713", 2_650, SUMMER, 0.11, MONTHLY),
    S("Anmeldung einer Wohnung", "99115005104001", BE, LAND, "11", 19_300, SUMMER, 0.27, PUSH),
    S("Meldebescheinigung Berlin", "99115003012000", BE, LAND, "11", 12_100, SUMMER, 0.1, MONTHLY),
    S("Eheschließung anmelden Rheinland-Pfalz", "99059001104000", RP, KREIS, "07", 1_900, SPRING, 0.12),
    S("Baugenehmigung Brandenburg", "99012070006001", BB, KREIS, "12", 1_350, SPRING, 0.16, delay=41,
      behind=1),
    S("Ausnahme von der Gurtpflicht", "99108025001000", TH, KREIS, "16", 48, FLAT, 0.0),
    S("Parkausweis (alte Fassung)", "99108001001000", ST, KREIS, "15", 2_300, FLAT, -0.2, MONTHLY, number=90,
      ended=10, petra="verantwortlich"),
    S("Wohngeld Bayern", "99107023037000", BY, KREIS, "09", 6_400, NEW_YEAR, 0.15, months=12,
      published=False),
    S("FIT-Connect-Testdienst", "99400048079000", BE, LAND, "11", 12, FLAT, 0.0, months=6, published=False),
)  # fmt: skip

SERVICES = NATIONWIDE + REGIONAL
