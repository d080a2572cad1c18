from celery import current_app

from athena import task_names


def test_each_name_belongs_to_a_task_and_each_task_has_a_name() -> None:
    import athena.celery  # noqa: F401

    names = {value for name, value in vars(task_names).items() if name.isupper() and isinstance(value, str)}
    current_app.loader.import_default_modules()
    tasks = {name for name in current_app.tasks if name.startswith(("athena.", "sales.", "notifications."))}
    assert names == tasks
