"""Invoices of providers: imported, laid beside the ledger, and explained."""

import gzip
import json
import random
from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pytest
from django.test import Client

from insights.invoices import importing
from insights.invoices.columns import Columns
from insights.invoices.importing import import_file
from insights.invoices.lines import read_lines
from insights.invoices.models import Invoice, InvoiceLine, InvoiceMapping
from insights.invoices.sheet import read_sheet
from tests.factories import MembershipFactory, WorkspaceFactory, an_api_key
from tests.tenant import NOON, Tenant, a_row
from traces import writer
from web.problems import Problem
from workspaces.models import Role

pytestmark = pytest.mark.django_db(databases="__all__")

PATH = "/api/v1/cost/invoices"
FIRST = NOON.date() - timedelta(days=20)
COLUMNS = {"day": "date", "model": "model", "amount": "cost"}
CENT = Decimal("0.01")


def day_of(place: int) -> date:
    return FIRST + timedelta(days=place)


def at(place: int, hour: int = 12) -> datetime:
    return datetime.combine(day_of(place), time(hour), UTC)


def send(tenant: Tenant, csv: str, expect: int = 201, **values: Any) -> Any:
    body = {"provider": "openai", "csv": csv, "columns": COLUMNS} | values
    response = tenant.client.post(PATH, json.dumps(body), content_type="application/json")
    assert response.status_code == expect, response.content
    return response.json()


def compared(tenant: Tenant, csv: str, **values: Any) -> Any:
    invoice = send(tenant, csv, **values)
    response = tenant.client.get(f"{PATH}/{invoice['id']}")
    assert response.status_code == 200, response.content
    answer = response.json()
    total = sum(Decimal(str(reason["amount_usd"])) for reason in answer["reasons"])
    assert abs(total - Decimal(str(answer["difference_usd"]))) < Decimal("1e-9")
    days = sum(Decimal(str(one["difference_usd"])) for one in answer["days"])
    assert abs(days - total) < Decimal("1e-9") or answer["reasons"][0]["kind"] == "zone_shift"
    return answer


def found(answer: Any) -> dict[tuple[str, str | None], float]:
    return {(reason["kind"], reason["model"]): round(reason["amount_usd"], 6) for reason in answer["reasons"]}


def reason(answer: Any, kind: str) -> Any:
    [one] = [reason for reason in answer["reasons"] if reason["kind"] == kind]
    return one


def file_of(*lines: str, head: str = "date,model,cost") -> str:
    return "\n".join([head, *lines]) + "\n"


def errors(tenant: Tenant, csv: str, **values: Any) -> list[str]:
    return [error["msg"] for error in send(tenant, csv, 422, **values)["errors"]]


# --- Three exports ---


def spend(tenant: Tenant, place: int, usd: Any, **values: Any) -> Decimal:
    """Stores the calls of a day: half of the cost is input, half output."""
    amount = Decimal(str(usd))
    rows = {
        "cost_usd": amount,
        "input_cost_usd": amount / 2,
        "output_cost_usd": amount / 2,
        "input_tokens": int(amount * 1000),
        "output_tokens": int(amount * 100),
    }
    tenant.calls(1, at(place), **rows | values)
    return amount


def rounded(amount: Decimal) -> Decimal:
    return amount.quantize(CENT, ROUND_HALF_UP)


def test_a_discount_with_rounded_lines_and_a_day_of_other_traffic(tenant: Tenant) -> None:
    """OpenAI's costs: 8 % off, each line item in cents, and $40 on the 9th day from a notebook without traces."""
    lines = []
    for place in range(14):
        ours = spend(tenant, place, Decimal(1013 + place * 271) / 100)
        extra = Decimal(40) if place == 9 else Decimal(0)
        for item in ("input", "output"):
            amount = rounded(ours / 2 * Decimal("0.92") + extra / 2)
            lines.append(f'{day_of(place)}T00:00:00+00:00,{amount},usd,"gpt-4o-2024-08-06, {item}",proj_1')
    head = "start_time_iso,amount_value,amount_currency,line_item,project_id"
    answer = compared(tenant, file_of(*lines, head=head), columns=None)
    ours = answer["ours_usd"]
    assert answer["columns"]["model"] == "line_item"
    factor, other = reason(answer, "factor"), reason(answer, "untraced")
    assert (factor["factor"], factor["fitting_days"], factor["compared_days"]) == (0.92, 13, 14)
    assert factor["amount_usd"] == pytest.approx(-0.08 * ours)
    assert "a discount of 8.0 %" in factor["sentence"]
    assert other["amount_usd"] == pytest.approx(40, abs=0.02)
    assert other["days"] == [str(day_of(9))]
    assert abs(reason(answer, "rounding")["amount_usd"]) <= 0.005 * 28
    assert {one["kind"] for one in answer["reasons"]} == {"factor", "untraced", "rounding"}


def test_days_that_are_missing_on_both_sides_a_model_without_traces_and_a_credit(tenant: Tenant) -> None:
    """Anthropic's Console: the file ends two days early, our collector was down on the 4th day, nobody traces Opus."""
    lines = []
    for place in range(10):
        if place != 4:
            spend(tenant, place, 12, provider="anthropic", model="claude-haiku-4-5")
        if place < 8:
            kinds = ("input_no_cache", "output")
            lines += [f"{day_of(place)},Claude Haiku 4.5,ws,{kind},6.00,tokens" for kind in kinds]
        if place in (1, 2):
            lines.append(f"{day_of(place)},Claude Opus 4.1,ws,output,2.50,tokens")
    lines.append(",Promotional credit,ws,,-3.00,credit")
    lines.append("Total,,,,98.00,")
    head = "usage_date_utc,model,workspace,token_type,cost_usd,cost_type"
    answer = compared(tenant, file_of(*lines, head=head), provider="Anthropic", columns=None)
    # The days after the file's last one are not in its period.
    assert (answer["first_day"], answer["last_day"]) == (str(day_of(0)), str(day_of(7)))
    assert (answer["ours_usd"], answer["theirs_usd"], answer["stated_totals_usd"]) == (84, 98, [98])
    assert found(answer) == {
        ("untraced_days", None): 12,
        ("untraced_model", "Claude Opus 4.1"): 5,
        ("credits", None): -3,
    }
    assert reason(answer, "untraced_days")["days"] == [str(day_of(4))]
    assert answer["models"][0]["named"] == ["Claude Haiku 4.5"]


def test_calls_without_a_price_and_days_that_the_file_lacks_by_hand_chosen_columns(tenant: Tenant) -> None:
    """A German spreadsheet: decimal commas, a title, a line of totals, and no lines on a weekend."""
    lines, total = ["Kosten November", ""], Decimal(0)
    lines.append("Datum;Modell;Betrag")
    for place in range(9):
        ours = spend(tenant, place, "1234.5")
        if place in (5, 6):
            continue
        billed = ours
        if place == 2:
            tenant.calls(7, at(2), model="gpt-4o", input_tokens=100, output_tokens=10, cost_source="unknown")
            billed += Decimal("66")
        total += billed
        lines.append(f"{day_of(place):%d.%m.%Y};gpt-4o;{f'{billed:,.2f}'.translate(str.maketrans(',.', '.,'))} $")
    lines.append(f"Summe;;{f'{total:,.2f}'.translate(str.maketrans(',.', '.,'))} $")
    columns = {"day": "Datum", "model": "Modell", "amount": "Betrag"}
    answer = compared(tenant, "\n".join(lines), columns=columns)
    assert found(answer) == {("missing_days", None): -2469, ("unpriced", "gpt-4o"): 66}
    assert reason(answer, "unpriced")["unpriced_calls"] == 7
    assert reason(answer, "missing_days")["days"] == [str(day_of(5)), str(day_of(6))]
    assert answer["stated_totals_usd"] == [float(total)]


def test_tokens_in_the_file_tell_traffic_from_prices(tenant: Tenant) -> None:
    """Every day has half as many tokens again as we traced, at our price: no surcharge."""
    lines = []
    for place in range(5):
        spend(tenant, place, 10)
        lines += [f"{day_of(place)},gpt-4o,7.5,input,15000", f"{day_of(place)},gpt-4o,7.5,output,1500"]
    columns = COLUMNS | {"token_class": "kind", "quantity": "tokens"}
    answer = compared(tenant, file_of(*lines, head="date,model,cost,kind,tokens"), columns=columns)
    assert found(answer) == {("untraced", "gpt-4o"): 25}
    assert "82,500 tokens are billed and 55,000 were traced" in answer["reasons"][0]["sentence"]


def test_cached_tokens_at_the_full_price_are_found(tenant: Tenant) -> None:
    lines = []
    for place in range(6):
        cached = Decimal(place + 1)
        parts = {"input_cost_usd": 10 - cached, "cache_read_cost_usd": cached}
        tokens = {"input_tokens": 10_000, "cache_read_tokens": int(cached * 1000), "output_tokens": 1}
        spend(tenant, place, 10, **parts, **tokens, output_cost_usd=None)
        lines.append(f"{day_of(place)},gpt-4o,{10 - cached / 2}")
    answer = compared(tenant, file_of(*lines))
    assert found(answer) == {("cached", "gpt-4o"): -10.5}
    assert answer["reasons"][0]["factor"] == 0.5


def test_days_that_begin_at_another_hour_are_found(tenant: Tenant) -> None:
    """They bill by the days of California, eight hours after those of UTC."""
    billed: dict[date, int] = {}
    for place in range(6):
        for hour, usd in ((2, 5 + place * 3), (20, 2)):
            amount = Decimal(usd)
            tenant.calls(1, at(place, hour), cost_usd=amount, input_cost_usd=amount, input_tokens=usd)
            day = (at(place, hour) - timedelta(hours=8)).date()
            billed[day] = billed.get(day, 0) + usd
    lines = [f"{day},gpt-4o,{usd}" for day, usd in sorted(billed.items()) if day >= FIRST]
    answer = compared(tenant, file_of(*lines))
    assert reason(answer, "zone_shift")["sentence"].startswith("Their days begin at 0")
    assert {one["kind"] for one in answer["reasons"]} == {"zone_shift"}
    assert answer["theirs_usd"] - answer["ours_usd"] == -5


# --- Reading files ---


def test_the_same_file_is_the_same_invoice(tenant: Tenant) -> None:
    csv = file_of(f"{day_of(0)},gpt-4o,1")
    first, again = send(tenant, csv), send(tenant, csv, 200)
    assert first["id"] == again["id"]
    send(tenant, csv, 409, columns=COLUMNS | {"unit": "cents"})
    assert tenant.client.delete(f"{PATH}/{first['id']}").status_code == 204
    assert tenant.client.get(f"{PATH}/{first['id']}").status_code == 404
    assert tenant.client.get(PATH).json() == {"data": []}


def test_two_imports_of_a_file_at_once_make_one_invoice(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    csv = file_of(f"{day_of(0)},gpt-4o,1")
    usual = importing.check_room

    def slow(*args: Any) -> None:
        monkeypatch.setattr(importing, "check_room", usual)
        send(tenant, csv)

    monkeypatch.setattr(importing, "check_room", slow)
    second = send(tenant, csv, 200)
    assert second["id"] == str(Invoice.objects.get().pk)


def test_columns_are_kept_for_the_header(tenant: Tenant) -> None:
    send(tenant, file_of(f"{day_of(0)},gpt-4o,1", head="When,What,USD"), 422, columns=None)
    named = {"day": "When", "model": "What", "amount": "USD", "unit": "cents"}
    send(tenant, file_of(f"{day_of(0)},gpt-4o,150", head="When,What,USD"), columns=named)
    second = send(tenant, file_of(f"{day_of(1)},gpt-4o,250", head="When,What,USD"), columns=None)
    assert (second["total_usd"], second["columns"]["unit"]) == (2.5, "cents")
    assert InvoiceMapping.objects.get().changed_by


@pytest.mark.parametrize(
    ("encode", "separator"),
    [
        (lambda text: text.encode("utf-8-sig"), ","),
        (lambda text: text.encode("utf-16"), "\t"),
        (lambda text: text.encode("windows-1252"), ";"),
        (lambda text: ("sep=|\n" + text).encode(), "|"),
        (lambda text: text.replace("\n", "\r\n").encode(), ","),
    ],
    ids=["bom", "utf-16", "windows", "sep", "crlf"],
)
def test_encodings_and_separators(tenant: Tenant, encode: Callable[[str], bytes], separator: str) -> None:
    text = f"Tag,Größe,Preis\n{day_of(0)},gpt-4o,1.25\n".replace(",", separator)
    columns = Columns(day="Tag", model="Größe", amount="Preis")
    invoice = import_file(tenant.workspace, "openai", "x.csv", encode(text), columns, "ada").invoice
    assert invoice.total_usd == Decimal("1.25")


@pytest.mark.parametrize(
    ("amount", "usd"),
    [
        ("1.25", "1.25"),
        ("$1,234.50", "1234.5"),
        ('"1,234,567.5"', "1234567.5"),
        ("(3.5)", "-3.5"),
        ("-3.50", "-3.5"),
        ("\u22123.5", "-3.5"),
        ("3.5-", "-3.5"),
        ("1.2E-05", "0.000012"),
        ("0.009000000000000001", "0.009000000000000001"),
        (" USD 7.1 ", "7.1"),
    ],
)
def test_amounts_are_read_exactly(tenant: Tenant, amount: str, usd: str) -> None:
    quoted = amount if amount.startswith('"') else f'"{amount}"'
    send(tenant, file_of(f"{day_of(0)},gpt-4o,{quoted}"))
    assert InvoiceLine.objects.get().amount_usd == Decimal(usd)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("2026-11-01,gpt-4o,=SUM(A1)", "line 3, column cost: is a formula, '=SUM(A1)': export the values"),
        ("2026-11-01,=cmd|x,1", "line 3, column model: is a formula, '=cmd|x': export the values"),
        ("2026-11-01,gpt-4o,abc", "line 3, column cost: is no number: 'abc'"),
        ("2026-11-01,gpt-4o,nan", "line 3, column cost: is no number: 'nan'"),
        ("2026-11-01,gpt-4o,€5", "line 3, column cost: is in €, and only USD can be compared"),
        ("2026-13-01,gpt-4o,1", "line 3, column date: is no day: '2026-13-01'"),
        ("1999-01-01,gpt-4o,1", "line 3, column date: is no day between 2000 and 2100: '1999-01-01'"),
        ("yesterday,gpt-4o,1", "line 3, column date: is no day: 'yesterday'"),
        (",gpt-4o,1", "line 3, column date: is empty"),
        ("03/04/2026,gpt-4o,1", "line 3, column date: can be two days, '03/04/2026': choose whether the day or the"),
        ("2026-11-01,gpt-4o,1e99", "line 3, column cost: has more than 15 digits before the decimal mark"),
        ("2026-11-01,gpt-4o,1,2", "Line 3 has 4 cells, and the header has 3: a separator in a cell needs quotes."),
        ('2026-11-01,"gpt-4o,1', "Line 3 cannot be read: unexpected end of data."),
    ],
)
def test_a_fault_names_its_line_and_column(tenant: Tenant, line: str, message: str) -> None:
    [error] = errors(tenant, file_of("2026-11-01,gpt-4o,1.5", line))
    assert error.startswith(message)
    assert not Invoice.objects.exists()


def test_ten_faults_at_most_are_named(tenant: Tenant) -> None:
    assert len(errors(tenant, file_of(*["2026-11-01,gpt-4o,x"] * 50))) == 10


@pytest.mark.parametrize(
    ("csv", "message"),
    [
        ("\n \n", "The file is empty."),
        ("PK\x03\x04rest", "The file is a ZIP or Excel file: save the sheet as CSV."),
        ("a,b,c\n\x00,1,2", "Line 2 is not text. Files in UTF-16 need a byte order mark."),
        ("only\none\ncolumn", "The file has no header: its first lines have a single column."),
        ("date,model,cost\n", "The file has no line with a day."),
        (
            "date,model,cost\n2024-01-01,m,1\n2026-01-01,m,1",
            "The days from 2024-01-01 to 2026-01-01 are more than 400.",
        ),
        ("day,model,cost\n2024-01-01,m,1", "there is no column 'date'; there are day, model, cost"),
    ],
)
def test_a_file_that_is_none_is_refused(tenant: Tenant, csv: str, message: str) -> None:
    assert errors(tenant, csv) == [message]


def test_numbers_that_do_not_say_their_decimal_mark_are_asked_for(tenant: Tenant) -> None:
    csv = file_of(f'{day_of(0)},gpt-4o,"1,234"')
    assert errors(tenant, csv) == ["the amounts do not say whether 1,234 has a decimal comma: choose the decimal mark"]
    assert send(tenant, csv, columns=COLUMNS | {"decimal_mark": "comma"})["total_usd"] == 1.234


def test_days_say_their_order_once_one_of_them_does(tenant: Tenant) -> None:
    send(tenant, file_of("03/04/2026,gpt-4o,1", "13/04/2026,gpt-4o,1"))
    assert [line.day for line in InvoiceLine.objects.all()] == [date(2026, 4, 3), date(2026, 4, 13)]


@pytest.mark.parametrize(
    "text", ["1793059200", "1793059200000", "20261027", "2026-10-27T23:00:00-01:00", "27 Oct 2026"]
)
def test_days_are_written_in_many_ways(tenant: Tenant, text: str) -> None:
    send(tenant, file_of(f"{text},gpt-4o,1"))
    assert InvoiceLine.objects.get().day in (date(2026, 10, 27), date(2026, 10, 28))


def test_another_currency_is_refused(tenant: Tenant) -> None:
    csv = file_of(f"{day_of(0)},gpt-4o,1,EUR", head="date,model,cost,currency")
    [error] = errors(tenant, csv, columns=COLUMNS | {"currency": "currency"})
    assert error == "line 2, column currency: is 'EUR', and only USD can be compared"


def test_a_compressed_file_may_have_more_than_other_bodies(tenant: Tenant) -> None:
    notes = "".join(random.Random(1).choices("abcdefghij", k=100_000))
    lines = [f"{day_of(place % 20)},gpt-4o,0.01,{notes}" for place in range(100)]
    csv = file_of(*lines, head="date,model,cost,notes")
    body = json.dumps({"provider": "openai", "csv": csv, "columns": COLUMNS}).encode()
    assert 8 * 2**20 < len(body) < 20 * 2**20
    packed = gzip.compress(body, 1)
    response = tenant.client.post(PATH, packed, content_type="application/json", headers={"Content-Encoding": "gzip"})
    assert response.status_code == 201, response.content
    assert response.json()["total_usd"] == 1
    assert InvoiceLine.objects.count() == 20


def test_a_text_of_more_than_20_mb_is_refused(tenant: Tenant) -> None:
    source = random.Random(1)
    some = "".join(source.choices("abcdefghij", k=2**20)).encode()
    body = gzip.compress(b'{"provider": "openai", "csv": "' + some * 21 + b'"}', 1)
    response = tenant.client.post(PATH, body, content_type="application/json", headers={"Content-Encoding": "gzip"})
    assert response.status_code == 413


CELLS = ["2026-11-01", "01.11.2026", "11/13/2026", "1793059200", "1,234.5", "1.234,5", "-3", "(4)", "$5", "gpt-4o"]
CELLS += ["Total", "=A1", '"a;b"', '"', "", "\u00e9\u20ac", "1e5", "9" * 40, "\u2028", "input, cached"]


def some_text(source: random.Random) -> bytes:
    """Returns a file with good lines and others, with a few bytes changed, lost or doubled; or any bytes."""
    mark = source.choice(",;\t|")
    lines = [
        mark.join(source.choices(CELLS, k=source.choice([3, 3, 2, 5])) if source.random() < 0.2 else GOOD)
        for _ in range(source.randrange(0, 6))
    ]
    encoding = source.choice(["utf-8", "utf-16", "utf-8-sig"])
    data = bytearray("\n".join([f"date{mark}model{mark}cost", *lines]).encode(encoding))
    for _ in range(source.choice([0, 0, 1, 3])):
        place = source.randrange(0, len(data))
        data[place : place + source.randrange(0, 3)] = source.randbytes(source.randrange(0, 3))
    return source.choice([bytes(data), bytes(data), source.randbytes(source.randrange(0, 60))])


GOOD = ("2026-11-02", "gpt-4o", "1.25")


def test_any_file_is_read_or_refused_in_words() -> None:
    source = random.Random(22)
    columns = Columns(day="date", model="model", amount="cost")
    outcomes = Counter(outcome_of(some_text(source), columns) for _ in range(1000))
    assert outcomes["read"] > 100
    assert outcomes["refused"] > 300


def outcome_of(data: bytes, columns: Columns) -> str:
    problem = None
    try:
        found = read_lines(read_sheet(data), columns)
    except Problem as raised:
        problem = raised
    if problem:
        assert problem.status == 422
        assert all(error["msg"] for error in problem.errors)
        return "refused"
    assert found.days
    assert found.total_usd.is_finite()
    return "read"


# --- Who may ---


def test_another_workspace_has_no_such_invoice(tenant: Tenant) -> None:
    other = WorkspaceFactory()
    _, secret = an_api_key("read", "write", workspace=other)
    headers = {"Authorization": f"Bearer {secret}", "X-Workspace-ID": str(other.id)}
    invoice = send(tenant, file_of(f"{day_of(0)},gpt-4o,1"))
    path = f"{PATH}/{invoice['id']}"
    writer.store(other.id, [a_row(at(0), cost_usd="5")])
    assert tenant.client.get(path).json()["ours_usd"] == 0
    client = Client()
    assert client.get(path, headers=headers).status_code == 404
    assert client.delete(path, headers=headers).status_code == 404
    names = json.dumps({"models": {"gpt-4o": "o3"}})
    assert client.patch(path, names, content_type="application/json", headers=headers).status_code == 404
    price = json.dumps({"model": "gpt-4o", "factor": 0.5})
    assert client.post(f"{path}/prices", price, content_type="application/json", headers=headers).status_code == 404
    assert client.get(PATH, headers=headers).json() == {"data": []}


def test_a_viewer_and_a_reading_key_change_nothing() -> None:
    workspace = WorkspaceFactory()
    _, secret = an_api_key("read", "write", workspace=workspace)
    _, reading = an_api_key("read", workspace=workspace)
    selecting = {"X-Workspace-ID": str(workspace.id)}
    body = json.dumps({"provider": "openai", "csv": file_of(f"{day_of(0)},gpt-4o,1"), "columns": COLUMNS})
    made = Client().post(
        PATH, body, content_type="application/json", headers={"Authorization": f"Bearer {secret}"} | selecting
    )
    own = f"{PATH}/{made.json()['id']}"
    viewer = Client()
    viewer.force_login(MembershipFactory(workspace=workspace, role=Role.VIEWER).user)
    with_key = {"Authorization": f"Bearer {reading}"} | selecting
    for client, headers in ((Client(), with_key), (viewer, selecting)):
        assert client.get(own, headers=headers).status_code == 200
        for method, path in (("post", PATH), ("delete", own), ("post", f"{own}/prices")):
            response = getattr(client, method)(path, body, content_type="application/json", headers=headers)
            assert response.status_code == 403, (method, path)
    assert Invoice.objects.count() == 1


def test_a_session_needs_its_token_to_import() -> None:
    workspace = WorkspaceFactory()
    editor = Client(enforce_csrf_checks=True)
    editor.force_login(MembershipFactory(workspace=workspace, role=Role.EDITOR).user)
    body = json.dumps({"provider": "openai", "csv": file_of(f"{day_of(0)},gpt-4o,1"), "columns": COLUMNS})
    response = editor.post(PATH, body, content_type="application/json", headers={"X-Workspace-ID": str(workspace.id)})
    assert response.status_code == 403
    assert not Invoice.objects.exists()
