import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("services", "0005_bulk_successors"),
        ("ozgsync", "0006_changed_at"),
    ]

    operations = [
        migrations.AddField(
            model_name="onlineservice",
            name="changed_at",
            field=models.DateTimeField(auto_now=True, default=django.utils.timezone.now, verbose_name="geändert am"),
            preserve_default=False,
        ),
        # Services are published and registered in bulk by SQL, which does not come past the model.
        migrations.RunSQL(
            "CREATE TRIGGER changed_at BEFORE INSERT OR UPDATE ON services_onlineservice"
            " FOR EACH ROW EXECUTE FUNCTION zsk_stamp_changed_at()",
            "DROP TRIGGER changed_at ON services_onlineservice",
        ),
    ]
