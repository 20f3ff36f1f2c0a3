"""The pages of invoices, and the prices that are made from them."""

import gzip
import json
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from insights.invoices import uploads
from insights.invoices.models import Invoice, InvoiceMapping, InvoiceUpload, Repricing
from insights.invoices.tasks import delete_old_uploads
from prices.models import PriceOverride
from tests.factories import MembershipFactory, WorkspaceFactory
from tests.jobs_helper import run_waiting_jobs, waiting_jobs
from tests.tenant import NOON, Tenant, iso
from workspaces.models import Role

pytestmark = pytest.mark.django_db(databases="__all__")

LIST = "/dashboard/cost/invoices"
FIRST = NOON.date() - timedelta(days=6)
CHOSEN = {"provider": "openai", "day": "date", "model": "model", "amount": "cost", "unit": "usd"}


def day_of(place: int) -> date:
    return FIRST + timedelta(days=place)


def bill(*amounts: Any, model: str = "gpt-4o") -> bytes:
    lines = [f"{day_of(place)},{model},{amount}" for place, amount in enumerate(amounts)]
    return "\n".join(["date,model,cost", *lines]).encode()


def trace(tenant: Tenant, place: int, **values: Any) -> None:
    """Stores a call of a million input tokens and 100,000 output tokens, which cost $3.50 by the list."""
    at = datetime.combine(day_of(place), time(12), NOON.tzinfo)
    item = {"agent_id": "support", "provider": "openai", "model": "gpt-4o", "timestamp": iso(at)}
    item |= {"input_tokens": 1_000_000, "output_tokens": 100_000} | values
    assert tenant.client.post("/api/v1/traces", json.dumps(item), content_type="application/json").status_code == 200


def choose(tenant: Tenant, content: bytes, name: str = "nov.csv", expect: int = 302) -> Any:
    response = tenant.client.post(
        f"{LIST}?workspace={tenant.workspace.id}", {"file": SimpleUploadedFile(name, content)}
    )
    assert response.status_code == expect, response.content
    return response


def imported(tenant: Tenant, content: bytes, **values: str) -> str:
    """Imports a file as a person does. Returns the address of the invoice."""
    address = choose(tenant, content)["Location"]
    response = tenant.client.post(address, CHOSEN | values)
    assert response.status_code == 302, text(response)
    return str(response["Location"])


def text(response: Any) -> str:
    return " ".join(response.content.decode().split())


def test_a_file_is_chosen_its_columns_too_and_then_it_is_an_invoice(tenant: Tenant) -> None:
    assert "Export the costs as CSV" in text(tenant.client.get(LIST, {"workspace": str(tenant.workspace.id)}))
    trace(tenant, 0)
    address = choose(tenant, bill("3.5", "7"))["Location"]
    form = text(tenant.client.get(address))
    assert f"<td>{day_of(1)}</td><td>gpt-4o</td><td>7</td>" in form.replace("> <", "><")
    assert '<option value="cost" selected' in form
    response = tenant.client.post(address, CHOSEN)
    page = text(tenant.client.get(response["Location"]))
    assert "and we counted $3.50: $7.00, 200 % more is billed." in page
    assert "No trace of this provider came on 1 day" in page
    assert not InvoiceUpload.objects.exists()
    assert tenant.client.get(address).status_code == 404
    listed = text(tenant.client.get(LIST, {"workspace": str(tenant.workspace.id)}))
    assert "nov.csv" in listed
    assert "$10.50" in listed


def test_a_second_file_of_the_same_header_has_its_columns(tenant: Tenant) -> None:
    imported(tenant, bill("3.5"), unit="cents")
    form = text(tenant.client.get(choose(tenant, bill("4.5"))["Location"]))
    assert "A file with this header was imported before" in form
    assert 'value="cents" selected' in form


def test_a_compressed_file_is_taken(tenant: Tenant) -> None:
    address = choose(tenant, gzip.compress(bill("1.5")), "nov.csv.gz")["Location"]
    assert tenant.client.post(address, CHOSEN).status_code == 302
    assert Invoice.objects.get().total_usd == Decimal("1.5")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "The file is empty."),
        (b"\n\n", "The file is empty."),
        (gzip.compress(b"a" * 21 * 2**20), "or has more than 20 MB of text"),
        (gzip.compress(bill("1"))[:40], "The file is no whole gzip file"),
        (b"%PDF-1.7", "The file is a PDF: export the CSV."),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\x00\x00", "is not text"),
    ],
    ids=["nothing", "blank", "bomb", "cut", "pdf", "xls"],
)
def test_a_file_that_is_no_table_is_refused_at_once(tenant: Tenant, content: bytes, message: str) -> None:
    response = tenant.client.post(
        f"{LIST}?workspace={tenant.workspace.id}", {"file": SimpleUploadedFile("x.csv", content)}
    )
    assert response.status_code == 422
    assert message in text(response)
    assert not InvoiceUpload.objects.exists()


def test_a_fault_of_the_file_stands_at_the_form_and_keeps_the_choice(tenant: Tenant) -> None:
    address = choose(tenant, bill("1.5", "=A1"))["Location"]
    response = tenant.client.post(address, CHOSEN | {"decimal_mark": "point"})
    assert response.status_code == 422
    assert "Line 3, column cost: is a formula" in text(response)
    assert 'value="point" selected' in text(response)
    assert not Invoice.objects.exists()
    assert tenant.client.post(address, {"delete": "1"}).status_code == 302
    assert not InvoiceUpload.objects.exists()


def test_what_a_file_contains_is_only_text(tenant: Tenant) -> None:
    evil = "<script>alert(1)</script>"
    address = imported(tenant, bill("1.5", model=evil))
    assert evil not in text(tenant.client.get(address))
    assert "&lt;script&gt;" in text(tenant.client.get(address))


def test_files_that_nobody_imports_are_few_and_leave_after_a_day(tenant: Tenant) -> None:
    for place in range(uploads.MOST_UPLOADS + 2):
        choose(tenant, bill(place + 1))
    assert InvoiceUpload.objects.count() == uploads.MOST_UPLOADS
    delete_old_uploads(timezone.now().isoformat())
    assert InvoiceUpload.objects.exists()
    InvoiceUpload.objects.update(created_at=timezone.now() - timedelta(days=2))
    delete_old_uploads(timezone.now().isoformat())
    assert not InvoiceUpload.objects.exists()


def test_a_name_of_the_provider_is_said_to_be_ours_once_and_for_later_files(tenant: Tenant) -> None:
    trace(tenant, 0)
    address = imported(tenant, bill("3.5", model="Omni"))
    assert "No trace has this model" in text(tenant.client.get(address))
    assert tenant.client.post(address, {"named": "Omni", "model": "gpt-4o"}).status_code == 302
    assert "Nothing differs on any day." in text(tenant.client.get(address))
    assert InvoiceMapping.objects.get().model_names == {"Omni": "gpt-4o"}
    later = imported(tenant, bill("4", model="Omni"))
    assert "No trace has this model" not in text(tenant.client.get(later))
    refused = tenant.client.post(address, {"named": "Other", "model": "gpt-4o"})
    assert refused.status_code == 422
    assert "The file has no such name" in text(refused)


def test_a_discount_becomes_a_price_with_a_preview_and_a_job(tenant: Tenant) -> None:
    for place in range(4):
        trace(tenant, place)
    address = imported(tenant, bill(*["3.15"] * 4))
    page = text(tenant.client.get(address))
    assert "They bill 0.9 times our cost on 4 of 4 days: a discount of 10 %." in page
    link = page[page.index("/price?") :].partition('"')[0].replace("&amp;", "&")
    query = {name: values[0] for name, values in parse_qs(urlsplit(link).query).items()}
    assert (query["model"], query["factor"]) == ("gpt-4o", "0.9")
    own = f"{urlsplit(address).path}/price"
    preview = text(tenant.client.get(own, query))
    assert "4 calls since" in preview
    assert "would cost $12.60 instead of $14.00" in preview
    assert not PriceOverride.objects.exists()
    saved = tenant.client.post(f"{own}?workspace={tenant.workspace.id}", query)
    assert saved.status_code == 302
    override = PriceOverride.objects.get()
    assert (override.input_usd_per_million, override.output_usd_per_million) == (Decimal("2.25"), Decimal(9))
    assert "are being priced in the background" in text(tenant.client.get(address))
    twice = tenant.client.post(f"{own}?workspace={tenant.workspace.id}", query)
    assert twice.status_code == 422
    assert "being priced by an earlier price" in text(twice)
    assert run_waiting_jobs("insights.reprice") == 1
    done = text(tenant.client.get(address))
    assert "4 calls changed, and all calls since then cost $12.60 instead of $14.00" in done
    assert "Nothing differs on any day." in done
    run_again = Repricing.objects.get()
    assert run_again.changed_calls == 4
    # The next price of this day takes the place of the first.
    tenant.client.post(f"{own}?workspace={tenant.workspace.id}", query | {"factor": "0.5"})
    assert PriceOverride.objects.get().input_usd_per_million == Decimal("1.125")


def test_calls_without_a_price_get_one_by_the_api(tenant: Tenant) -> None:
    for place in range(2):
        trace(tenant, place, model="acme-1")
    invoice_id = urlsplit(imported(tenant, bill("3", "3", model="acme-1"))).path.rpartition("/")[2]
    path = f"/api/v1/cost/invoices/{invoice_id}"
    before = tenant.client.get(path).json()
    assert [(one["kind"], one["amount_usd"], one["unpriced_calls"]) for one in before["reasons"]] == [
        ("unpriced", 6, 2)
    ]
    price = {"model": "acme-1", "input_usd_per_million": 2, "output_usd_per_million": 10, "dry_run": True}

    def post(expect: int = 200, **values: Any) -> Any:
        response = tenant.client.post(f"{path}/prices", json.dumps(price | values), content_type="application/json")
        assert response.status_code == expect, response.content
        return response.json()

    preview = post()
    assert (preview["before_usd"], preview["after_usd"], preview["unpriced_calls"]) == (None, 6, 2)
    assert not waiting_jobs("insights.reprice")
    assert post(dry_run=False)["repricing_id"]
    run_waiting_jobs("insights.reprice")
    assert tenant.client.get(path).json()["difference_usd"] == 0
    [error] = post(422, factor=0.5)["errors"]
    assert error["msg"] == "give either a factor, or the prices of input and output"


def test_a_factor_needs_a_price_to_multiply(tenant: Tenant) -> None:
    trace(tenant, 0, model="acme-1")
    own = f"{urlsplit(imported(tenant, bill('3', model='acme-1'))).path}/price"
    response = tenant.client.get(own, {"workspace": str(tenant.workspace.id), "model": "acme-1", "factor": "0.9"})
    assert response.status_code == 422
    assert "no single price for each token" in text(response)


def price_of(tenant: Tenant, expect: int = 200, provider: str = "openai", **values: Any) -> Any:
    address = imported(tenant, bill("3"), provider=provider)
    response = tenant.client.post(
        f"/api/v1/cost/invoices/{urlsplit(address).path.rpartition('/')[2]}/prices",
        json.dumps(values),
        content_type="application/json",
    )
    assert response.status_code == expect, response.content
    return response.json()


@pytest.mark.parametrize("model", ["*", "gpt-?", "gpt-[45]", "gpt\0"])
def test_a_price_is_for_one_model_only(tenant: Tenant, model: str) -> None:
    [error] = price_of(tenant, 422, model=model, input_usd_per_million=1, output_usd_per_million=1)["errors"]
    assert error["msg"].startswith("must be one model")
    assert not PriceOverride.objects.exists()


def test_a_factor_is_also_of_the_cache_for_an_hour(tenant: Tenant) -> None:
    price_of(tenant, provider="anthropic", model="claude-haiku-4-5", factor=0.5)
    override = PriceOverride.objects.get()
    names = ("input", "output", "cache_read", "cache_write", "cache_write_1h")
    prices = [getattr(override, f"{name}_usd_per_million") for name in names]
    assert prices == [Decimal(text) for text in ("0.5", "2.5", "0.05", "0.625", "1")]


def test_a_newer_price_goes_on_to_count(tenant: Tenant) -> None:
    for place in range(4):
        trace(tenant, place)
    PriceOverride.objects.create(
        workspace=tenant.workspace,
        provider="openai",
        model_pattern="gpt-4*",
        input_usd_per_million=9,
        output_usd_per_million=9,
        valid_from=datetime.combine(day_of(1), time(0), NOON.tzinfo),
    )
    preview = price_of(tenant, model="gpt-4o", factor=0.5, dry_run=True)
    assert (preview["calls"], preview["before_usd"], preview["after_usd"]) == (1, 3.5, 1.75)


# --- Who may ---


def test_a_viewer_sees_invoices_and_changes_none() -> None:
    workspace = WorkspaceFactory()
    editor, viewer = Client(), Client()
    editor.force_login(MembershipFactory(workspace=workspace, role=Role.EDITOR).user)
    viewer.force_login(MembershipFactory(workspace=workspace, role=Role.VIEWER).user)
    address = imported(Tenant(workspace, editor), bill("3"))
    upload = choose(Tenant(workspace, editor), bill("4"))["Location"]
    assert viewer.get(address).status_code == 200
    assert "Delete this invoice" not in text(viewer.get(address))
    assert viewer.post(address, {"delete": "1"}).status_code == 403
    assert viewer.get(upload).status_code == viewer.post(upload, CHOSEN).status_code == 403
    assert (
        viewer.post(f"{LIST}?workspace={workspace.id}", {"file": SimpleUploadedFile("x.csv", b"a,b")}).status_code
        == 403
    )
    price = f"{urlsplit(address).path}/price?workspace={workspace.id}"
    assert viewer.get(price).status_code == viewer.post(price, {"model": "m", "factor": "1"}).status_code == 403
    assert Invoice.objects.count() == 1


def test_a_stranger_finds_nothing() -> None:
    workspace, other = WorkspaceFactory(), WorkspaceFactory()
    editor, stranger = Client(), Client()
    editor.force_login(MembershipFactory(workspace=workspace, role=Role.EDITOR).user)
    stranger.force_login(MembershipFactory(workspace=other, role=Role.OWNER).user)
    addresses = [
        imported(Tenant(workspace, editor), bill("3")),
        choose(Tenant(workspace, editor), bill("4"))["Location"],
    ]
    addresses.append(f"{urlsplit(addresses[0]).path}/price")
    for address in addresses:
        path = urlsplit(address).path
        for workspace_id in (workspace.id, other.id):
            assert stranger.get(f"{path}?workspace={workspace_id}").status_code == 404
            assert stranger.post(f"{path}?workspace={workspace_id}", {"delete": "1"}).status_code == 404
        assert Client().get(path).status_code == 302
    assert Invoice.objects.count() == InvoiceUpload.objects.count() == 1


def test_forms_need_their_token() -> None:
    workspace = WorkspaceFactory()
    editor = Client(enforce_csrf_checks=True)
    editor.force_login(MembershipFactory(workspace=workspace, role=Role.EDITOR).user)
    response = editor.post(f"{LIST}?workspace={workspace.id}", {"file": SimpleUploadedFile("x.csv", bill("1"))})
    assert response.status_code == 403
    assert not InvoiceUpload.objects.exists()
