from django.apps import AppConfig


class OzgsyncConfig(AppConfig):
    name = "ozgsync"
    verbose_name = "Referenzdaten"
    default_auto_field = "django.db.models.BigAutoField"
