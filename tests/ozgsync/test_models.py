import datetime as dt

import pytest
from django.db import IntegrityError, transaction

from ozgsync.models import Leistung
from tests.factories import LeistungChangeFactory, LeistungFactory

pytestmark = pytest.mark.django_db

BEFORE, FIRST, LAST, AFTER = (
    dt.date(2024, 12, 31),
    dt.date(2025, 1, 1),
    dt.date(2025, 12, 31),
    dt.date(2026, 1, 1),
)


@pytest.mark.parametrize(
    ("valid_from", "valid_to", "days"),
    [
        (None, None, [BEFORE, FIRST, LAST, AFTER]),
        (FIRST, None, [FIRST, LAST, AFTER]),
        (None, AFTER, [BEFORE, FIRST, LAST]),
        (FIRST, AFTER, [FIRST, LAST]),
    ],
)
def test_a_leistung_is_valid_from_its_first_day_until_before_its_end(
    valid_from: dt.date | None, valid_to: dt.date | None, days: list[dt.date]
) -> None:
    leistung = LeistungFactory(valid_from=valid_from, valid_to=valid_to)
    every = [BEFORE, FIRST, LAST, AFTER]
    assert [day for day in every if leistung.is_valid_on(day)] == days
    assert [day for day in every if Leistung.objects.valid_on(day).exists()] == days


def test_a_leistung_may_have_several_successors_each_once() -> None:
    change = LeistungChangeFactory()
    LeistungChangeFactory(old=change.old)
    assert change.old.changes_from.count() == 2
    with pytest.raises(IntegrityError), transaction.atomic():
        LeistungChangeFactory(old=change.old, new=change.new)
    with pytest.raises(IntegrityError), transaction.atomic():
        LeistungChangeFactory(old=change.old, new=change.old)
