import django.contrib.postgres.indexes

import ozgsync.models
from django.db import migrations, models

# What `ozgsync.search.fold` does to what people type, in SQL; immutable, so that it can be indexed.
FOLD = """
    CREATE FUNCTION zsk_fold(text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE RETURN
        lower(replace(replace(replace(replace(replace(replace(replace(
            normalize($1, NFC), 'ä', 'ae'), 'ö', 'oe'), 'ü', 'ue'), 'ß', 'ss'), 'Ä', 'ae'), 'Ö', 'oe'), 'Ü', 'ue'))
"""
# Every three neighbouring characters: PostgreSQL's own index for arrays then finds what holds a word.
TRIGRAMS = """
    CREATE FUNCTION zsk_trigrams(text) RETURNS text[] LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE RETURN
        ARRAY(SELECT DISTINCT substr($1, i, 3) FROM generate_series(1, length($1) - 2) AS i)
"""
TABLES = ("leistung", "ozgleistung", "ozgonlineservice", "regionversion")


def folded():
    return models.GeneratedField(
        expression=ozgsync.models.Folded("name"),
        output_field=models.TextField(),
        db_persist=True,
    )


class Migration(migrations.Migration):

    dependencies = [
        ("ozgsync", "0008_minor_changes"),
    ]

    operations = [
        migrations.RunSQL(FOLD, "DROP FUNCTION zsk_fold(text)"),
        migrations.RunSQL(TRIGRAMS, "DROP FUNCTION zsk_trigrams(text)"),
        *(migrations.AddField(model_name=table, name="folded", field=folded()) for table in TABLES),
        *(
            migrations.AddIndex(
                model_name=table,
                index=django.contrib.postgres.indexes.GinIndex(
                    models.Func(models.F("folded"), function="zsk_trigrams"),
                    name=f"{table}_trigrams",
                    fastupdate=False,
                ),
            )
            for table in TABLES
            if table != "ozgleistung"
        ),
    ]
