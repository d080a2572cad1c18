"""The Celery application. Tasks carry no data: their work is already a row in the database."""

import os

from celery import Celery

from athena.runtime.telemetry import LoggedTask

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "athena.settings")

app = Celery("athena", task_cls=LoggedTask)
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
