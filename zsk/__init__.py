"""The project package: settings, root urls, Celery, embedded servers, health."""

from zsk.celery import app as celery_app

__all__ = ["celery_app"]
