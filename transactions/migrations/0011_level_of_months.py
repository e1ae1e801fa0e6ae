from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("transactions", "0010_withdrawing")]

    operations = [
        migrations.AddField(
            model_name="servicemonth",
            name="level",
            field=models.SmallIntegerField(db_default=-1, verbose_name="Ebene aller Werte; -1: nicht bekannt"),
        ),
    ]
