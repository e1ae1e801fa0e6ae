"""The building blocks of pages: what they write, and that they escape it."""

import datetime as dt
from typing import Any

import pytest
from django import forms
from django.core.paginator import Paginator
from django.template import Context, Template
from django.test import RequestFactory

EVIL = "<script>alert(1)</script>"


def rendered(source: str, **context: Any) -> str:
    return Template(source).render(Context(context))


class SampleForm(forms.Form):
    name = forms.CharField(help_text="Wie im Stempel")
    land = forms.ChoiceField(choices=[("he", "Hessen"), ("sn", "Sachsen")], required=False)
    level = forms.ChoiceField(choices=[("a", "A"), ("b", "B")], widget=forms.RadioSelect)
    sure = forms.BooleanField(label="Ich bin sicher", required=False)


def test_field_has_label_hint_and_error_that_it_is_described_by() -> None:
    page = rendered("{% field form.name %}", form=SampleForm({"name": ""}))
    assert '<label class="kern-label" for="id_name">' in page
    assert 'aria-describedby="id_name-hinweis id_name-fehler"' in page
    assert 'id="id_name-hinweis">Wie im Stempel' in page
    assert 'id="id_name-fehler"' in page
    assert 'aria-invalid="true"' in page
    assert "kern-form-input__input--error" in page


def test_field_without_fault_has_no_error() -> None:
    page = rendered("{% field form.name %}", form=SampleForm())
    assert "fehler" not in page
    assert "aria-invalid" not in page


def test_typed_text_stays_and_is_escaped() -> None:
    page = rendered("{% field form.name %}", form=SampleForm({"name": EVIL}))
    assert EVIL not in page
    assert "&lt;script&gt;" in page


@pytest.mark.parametrize(
    ("name", "markup"),
    [
        ("land", 'class="kern-form-input__select"'),
        ("land", "(freiwillig)"),
        ("level", "<legend"),
        ("level", 'type="radio" name="level" value="b" id="id_level_1" checked'),
        ("sure", 'class="kern-form-check__checkbox"'),
    ],
)
def test_each_kind_of_field_has_its_component(name: str, markup: str) -> None:
    form = SampleForm({"name": "x", "level": "b"})
    assert markup in rendered(f"{{% field form.{name} %}}", form=form)


def test_error_summary_links_to_the_fields() -> None:
    form = SampleForm({})
    form.add_error(None, "So geht es nicht.")
    page = rendered("{% error_summary form %}", form=form)
    assert 'role="alert"' in page
    assert "3 Angaben" in page
    assert 'href="#id_name"' in page
    assert 'href="#id_level' in page
    assert "<li>So geht es nicht.</li>" in page


def test_no_error_summary_without_errors() -> None:
    assert rendered("{% error_summary form %}", form=SampleForm()).strip() == ""


def test_crumbs_lead_up_and_end_at_the_page() -> None:
    page = rendered('{% crumbs "Hilfe" "/hilfe/" name %}', name=EVIL)
    assert '<a href="/hilfe/">Hilfe</a>' in page
    assert '<li aria-current="page">&lt;script&gt;' in page


def test_steps_mark_the_current_one() -> None:
    page = rendered('{% steps 2 "Wählen" "Prüfen" "Übernehmen" %}')
    assert '<li aria-current="step">2. Prüfen</li>' in page
    assert page.count("aria-current") == 1


def test_badge_is_icon_and_word() -> None:
    assert "kern-icon--warning" in rendered('{% badge "warning" "verspätet" %}')
    assert "kern-icon--calendar-today" in rendered('{% badge "info" "fällig" "calendar-today" %}')
    assert "kern-icon" not in rendered('{% badge "info" "beendet" "" %}')


STAND = dt.datetime(2026, 6, 10, 6, 15, tzinfo=dt.UTC)


def test_foot_of_a_figure_says_source_stand_licence_and_downloads() -> None:
    page = rendered(
        "{% figure_foot stand=stand downloads=downloads %}",
        synthetic=True, stand=STAND, downloads=[("CSV", "/daten/x.csv")],
    )  # fmt: skip
    assert "Quelle: ZSK, synthetische Daten." in page
    assert "Stand 10. Juni 2026, 8:15 Uhr." in page
    assert "https://www.govdata.de/dl-de/by-2-0" in page
    assert '<a href="/daten/x.csv">CSV</a>' in page
    assert "synthetisch" not in rendered("{% figure_foot %}", synthetic=False)


def test_paging_keeps_the_rest_of_the_address() -> None:
    request = RequestFactory().get("/onlineservices/", {"q": "Wohn", "seite": "2"})
    page = Paginator(range(100), 10).page(2)
    text = rendered("{% paging page %}", page=page, request=request)
    assert 'href="?q=Wohn&amp;seite=3" rel="next"' in text
    assert 'href="?q=Wohn&amp;seite=1" rel="prev"' in text
    assert text.count('aria-current="page"') == 1


def test_no_paging_for_a_single_page() -> None:
    assert rendered("{% paging page %}", page=Paginator(range(3), 10).page(1)).strip() == ""


def test_dates_as_people_read_them() -> None:
    assert rendered("{{ at|stand }}", at=STAND) == "10. Juni 2026, 8:15 Uhr"
    assert rendered("{{ at|day }}", at=dt.datetime(2026, 6, 10, 23, 0, tzinfo=dt.UTC)) == "11. Juni 2026"
    assert rendered("{{ at|day }}{{ at|stand }}", at=None) == ""
