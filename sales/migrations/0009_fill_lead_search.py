"""What leads are found by, for those that there are: at once by what SQL can say of them, exactly from the next tick on.

On PostgreSQL it needs pg_trgm: there already, or to be created by whoever may create extensions in this database (it is
a trusted one, so its owner may).
"""

from django.db import migrations

FILL = """
INSERT INTO lead_search (lead_id, text)
SELECT id, LOWER(company_name || ' ' || contact_name || ' ' || email || ' ' || phone || ' '
                 || COALESCE(REPLACE(phone_normalised, '+', ''), ''))
FROM leads
"""
POSTGRESQL = (
    "CREATE EXTENSION IF NOT EXISTS pg_trgm",
    FILL,
    "SET CONSTRAINTS ALL IMMEDIATE",  # an index can't be made while checks of the rows are pending
    "CREATE INDEX idx_lead_search_text ON lead_search USING gin (text gin_trgm_ops)",
    "CREATE INDEX idx_lead_search_company ON lead_search USING gin (company gin_trgm_ops)",
)


def fill(apps, schema_editor):
    statements = POSTGRESQL if schema_editor.connection.vendor == "postgresql" else (FILL,)
    for statement in statements:
        schema_editor.execute(statement)


class Migration(migrations.Migration):
    dependencies = [("sales", "0008_lead_search_not_duplicates_intake_forms")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop, elidable=False)]
