from django.apps import AppConfig


class ServicesConfig(AppConfig):
    name = "services"
    verbose_name = "Onlineservices"
    default_auto_field = "django.db.models.BigAutoField"
