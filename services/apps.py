from django.apps import AppConfig


class ServicesConfig(AppConfig):
    name = "services"
    verbose_name = "Onlineservices"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Invitations are accepted in accounts, which does not know of us: what we add signs on here."""
        from services import joining  # noqa: F401
