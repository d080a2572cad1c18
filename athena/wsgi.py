"""The WSGI application that gunicorn serves."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "athena.settings")

import athena.celery  # noqa: F401  (so that requests publish to Athena's broker)

application = get_wsgi_application()
