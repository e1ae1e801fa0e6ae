"""Keys of regions taken apart, and official names split into a name and what kind of place it is."""

import re
from collections.abc import Iterable, Mapping

# How many leading digits a level fixes; the rest of its key is zeros.
PREFIX_LENGTHS = (9, 5, 3, 2, 0)

# Verbände founded after 2016 are not in the BKG's areas; here the law of the Land allows one kind only.
VERBAND_KINDS = {"01": "Amt", "03": "Samtgemeinde", "07": "Verbandsgemeinde"}
REGBEZ_KINDS = {
    "Reg.-Bez. ": "Regierungsbezirk",
    "Statistische Region ": "Statistische Region",
    "früher: Reg.-Bez. ": "Früherer Regierungsbezirk",
    "früher: Direktionsbezirk ": "Früherer Direktionsbezirk",
}
VERBAND_PREFIXES = {
    "VVG der Stadt ": "Vereinbarte Verwaltungsgemeinschaft",
    "VVG der Gemeinde ": "Vereinbarte Verwaltungsgemeinschaft",
    "GVV ": "Gemeindeverwaltungsverband",
    "EG ": "Erfüllende Gemeinde",
    "Amt ": "Amt",
}
ABBREVIATIONS = {"St": "Stadt", "M": "Markt", "GKSt": "Große Kreisstadt"}
# Kinds on their own; any other addition to a name (Ostseebad, Lutherstadt) follows Stadt or Gemeinde.
PLAIN_KINDS = {"Stadt", "Markt", "Große Kreisstadt", "Flecken", "Marktflecken"}


# --- keys -----------------------------------------------------------------------------------------------


def ars_of(land: str, regbez: str, kreis: str, verband: str, gemeinde: str) -> str:
    """The 12 digits of a Gemeinde from the parts in the list.

    A verbandsfreie Gemeinde stands there with Verband `0000`, but its key repeats its own digits; a
    kreisfreie Stadt really has zeros in both.
    """
    if verband == "0000":
        verband = "0" + gemeinde
    return land + regbez + kreis + verband + gemeinde


def ags_of(ars: str) -> str:
    return ars[:5] + ars[9:]


def pad(prefix: str) -> str:
    return prefix.ljust(12, "0")


def parent_of(ars: str, known: Iterable[str]) -> str:
    """The nearest region above by key that is known; empty for Germany."""
    above = (pad(ars[:length]) for length in PREFIX_LENGTHS)
    return next((key for key in above if key != ars and key in known), "")


# --- names and kinds ------------------------------------------------------------------------------------


def tidy(text: str) -> str:
    """Undoes double blanks, `Seebad , Stadt` and `Lauenburg/ Elbe`; leaves ` / ` between two languages."""
    text = " ".join(text.split()).replace(" ,", ",")
    return re.sub(r"(?<=\S)/ ", "/", text)


def split_name(official: str) -> tuple[str, str]:
    """`Hanau, Brüder-Grimm-Stadt` becomes name and addition.

    `Garding, Kirchspiel` stays whole, because there is a town Garding beside it.
    """
    name, _, addition = tidy(official).partition(",")
    addition = ABBREVIATIONS.get(addition.strip(), addition.strip())
    return (tidy(official), "") if addition == "Kirchspiel" else (name, addition)


def strip_prefix(name: str, kinds: Mapping[str, str]) -> tuple[str, str]:
    """Name without the prefix that tells the kind, and the kind; empty if no prefix of `kinds` fits."""
    for prefix, kind in kinds.items():
        if name.startswith(prefix):
            return name.removeprefix(prefix), kind
    return name, ""


def regbez_name(official: str) -> tuple[str, str]:
    """Name and kind; the key of an abolished Regierungsbezirk lives on, so its kind says so."""
    name, kind = strip_prefix(tidy(official), REGBEZ_KINDS)
    return name, kind or "Regierungsbezirk"


def verband_name(ars: str, official: str, kinds_2016: Mapping[str, str]) -> tuple[str, str]:
    """Name and kind; `Gemeindeverband` where no source tells the kind."""
    name, kind = strip_prefix(tidy(official), VERBAND_PREFIXES)
    plain = name.removesuffix(", Stadt").removesuffix(" (VGem)")
    # In Thüringen only an erfüllende Gemeinde is a town; a Verwaltungsgemeinschaft is not.
    if not kind and ars.startswith("16") and name.endswith(", Stadt"):
        kind = "Erfüllende Gemeinde"
    return plain, kind or kinds_2016.get(ars) or VERBAND_KINDS.get(ars[:2], "Gemeindeverband")


def unincorporated_kind(addition: str) -> str:
    return "Gemeindefreier Bezirk" if addition.endswith("Bezirk") else "Gemeindefreies Gebiet"


def gemeinde_kind(addition: str, kind_2016: str) -> str:
    """`Stadt`, `Gemeinde, Ostseebad`, `Stadt, Lutherstadt` …: what it is, then what it also calls itself."""
    if addition in PLAIN_KINDS:
        return addition
    # "Stadt / Běła Woda" tells the Sorbian name, no kind.
    words = [part.partition(" / ")[0].strip() for part in addition.split(",")]
    is_town = "stadt" in addition.lower() or kind_2016 == "Stadt"
    return ", ".join(
        ["Stadt" if is_town else "Gemeinde", *(word for word in words if word not in ("", "Stadt"))]
    )


def gemeinde_name(ars: str, official: str, kinds_2016: Mapping[str, str]) -> tuple[str, str]:
    name, addition = split_name(official)
    if ars[5] == "9":
        return name, unincorporated_kind(addition)
    return name, gemeinde_kind(addition, kinds_2016.get(ags_of(ars), ""))
