import django.utils.timezone
from django.db import migrations, models

# Reference data are written by Django and by SQL, row by row and in bulk: only the table itself sees all of it.
FUNCTION = """
    CREATE FUNCTION zsk_stamp_changed_at() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF NEW.changed_at IS NULL OR (TG_OP = 'UPDATE' AND NEW.changed_at = OLD.changed_at) THEN
            NEW.changed_at := clock_timestamp();
        END IF;
        RETURN NEW;
    END $$
"""
TABLES = ("ozgsync_leistung", "ozgsync_regionversion")


def trigger(table):
    return migrations.RunSQL(
        f"CREATE TRIGGER changed_at BEFORE INSERT OR UPDATE ON {table}"
        " FOR EACH ROW EXECUTE FUNCTION zsk_stamp_changed_at()",
        f"DROP TRIGGER changed_at ON {table}",
    )


class Migration(migrations.Migration):

    dependencies = [
        ("ozgsync", "0005_sync_runs"),
    ]

    operations = [
        migrations.AddField(
            model_name="leistung",
            name="changed_at",
            field=models.DateTimeField(auto_now=True, default=django.utils.timezone.now, verbose_name="geändert am"),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="regionversion",
            name="changed_at",
            field=models.DateTimeField(auto_now=True, default=django.utils.timezone.now, verbose_name="geändert am"),
            preserve_default=False,
        ),
        migrations.RunSQL(FUNCTION, "DROP FUNCTION zsk_stamp_changed_at()"),
        *(trigger(table) for table in TABLES),
    ]
