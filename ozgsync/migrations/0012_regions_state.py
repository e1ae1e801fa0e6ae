from django.db import migrations, models

# A sequence, not a counter: a number that was rolled back comes never again, so it names one state for good.
_FOLLOW = """
    CREATE SEQUENCE ozgsync_regions_state;
    CREATE FUNCTION ozgsync_regions_changed() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO ozgsync_referenceversion (id, version, regions)
        VALUES (1, 1, nextval('ozgsync_regions_state'))
        ON CONFLICT (id) DO UPDATE SET regions = excluded.regions;
        RETURN NULL;
    END $$;
    CREATE TRIGGER regions_changed AFTER INSERT OR UPDATE OR DELETE ON ozgsync_region
        FOR EACH STATEMENT EXECUTE FUNCTION ozgsync_regions_changed();
    CREATE TRIGGER regions_changed AFTER INSERT OR UPDATE OR DELETE ON ozgsync_regionversion
        FOR EACH STATEMENT EXECUTE FUNCTION ozgsync_regions_changed();
"""
_LEAVE = """
    DROP TRIGGER regions_changed ON ozgsync_region;
    DROP TRIGGER regions_changed ON ozgsync_regionversion;
    DROP FUNCTION ozgsync_regions_changed();
    DROP SEQUENCE ozgsync_regions_state;
"""


class Migration(migrations.Migration):
    dependencies = [("ozgsync", "0011_also_called")]

    operations = [
        migrations.AddField(
            model_name="referenceversion",
            name="regions",
            field=models.BigIntegerField(db_default=0, verbose_name="Stand der Regionen"),
        ),
        migrations.RunSQL(_FOLLOW, _LEAVE),
    ]
