from django.apps import AppConfig


class ZskConfig(AppConfig):
    name = "zsk"

    def ready(self) -> None:
        from zsk import checks  # noqa: F401 - registers them
