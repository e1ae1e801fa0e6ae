from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("services", "0002_people_and_invitations"),
        ("transactions", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Publication",
            fields=[],
            options={
                "verbose_name": "Veröffentlichung",
                "verbose_name_plural": "Veröffentlichungen",
                "proxy": True,
                "indexes": [],
                "constraints": [],
            },
            bases=("services.onlineservice",),
        ),
    ]
