import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from sales.models import LeadImport


def count(do):
    with CaptureQueriesContext(connection) as q:
        do()
    return len(q), [x["sql"][:110] for x in q]


@pytest.mark.parametrize("owners", [1, 4])
def test_counts(browse, manager, make_user, owners):
    client = browse(manager)
    users = [
        make_user(f"user{n}", team=manager.team) if n else make_user("user0", team=manager.team) for n in range(owners)
    ]
    text = "Company,Owner\n" + "".join(f"C{n},{u.email}\n" for n, u in enumerate(users))
    out = {}

    def up():
        client.post(reverse("admin:sales_leadimport_add"), {"file": SimpleUploadedFile("x.csv", text.encode())})

    out["upload"] = count(up)
    pk = LeadImport.objects.get().pk
    out["start"] = count(
        lambda: client.post(reverse("admin:sales_leadimport_start", args=[pk]), {"duplicates": "skip"})
    )
    out["undo"] = count(lambda: client.post(reverse("admin:sales_leadimport_undo", args=[pk]), {"post": "yes"}))
    for k, (n, sqls) in out.items():
        print(owners, k, n)
        for s in sqls:
            print("    ", s)
    assert LeadImport.objects.get().state == "undone"
