"""The Celery application. Tasks only wake work that is already a row in the database."""

import os

from celery import Celery

from athena.runtime.telemetry import ObservedTask

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "athena.settings")

app = Celery("athena", task_cls=ObservedTask)
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
