from django.db import migrations, models

import ozgsync.models


class Migration(migrations.Migration):

    dependencies = [
        ('ozgsync', '0009_search'),
    ]

    operations = [
        migrations.CreateModel(
            name='RegionToday',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('ars', ozgsync.models.ArsField(db_collation='C', max_length=12, verbose_name='ARS')),
                ('from_month', models.DateField(verbose_name='ab Monat')),
                ('to_month', models.DateField(verbose_name='bis Monat (ausschließlich)')),
                ('today', ozgsync.models.ArsField(db_collation='C', db_index=True, max_length=12, verbose_name='ARS heute')),
                ('exact', models.BooleanField(verbose_name='genau')),
            ],
            options={
                'verbose_name': 'heutige Region',
                'verbose_name_plural': 'heutige Regionen',
                'ordering': ['ars', 'from_month'],
                'constraints': [models.UniqueConstraint(fields=('ars', 'from_month'), name='region_today_once')],
            },
        ),
        migrations.AddField(
            model_name='referenceversion',
            name='today_of',
            field=models.TextField(db_default='', verbose_name='Grundlage der heutigen Regionen'),
        ),
    ]
