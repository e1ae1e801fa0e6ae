"""The WSGI entry point that gunicorn serves."""

import os

# Loaded before the web server forks: pyarrow would load it with the first delivery, in every process anew.
import pandas  # noqa: F401
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "zsk.settings")

application = get_wsgi_application()
