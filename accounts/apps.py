from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "accounts"
    verbose_name = "Personen und Behörden"
    default_auto_field = "django.db.models.BigAutoField"
