"""Files: a bad row never spoils the file, and importing twice changes nothing."""

import csv
import json

import pytest
from click.testing import CliRunner

from api.cli import oms
from demo.network import FILES
from tests.api import network


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("imports")


@pytest.fixture(scope="module")
def run(folder, database_url):
    """Call the command line on this module's database."""
    environment = {
        "OMS__DATABASE__URL": database_url,
        "OMS__SECURITY__MASTER_KEY": "11" * 32,
        "OMS__SECURITY__SESSION_KEY": "s" * 64,
        "OMS__CLOCK__FIXED_AT": "2026-11-17T10:00:00+01:00",
    }

    def invoke(*arguments, code=0):
        result = CliRunner().invoke(oms, [str(argument) for argument in arguments], env=environment)
        assert result.exit_code == code, result.output
        assert "Traceback" not in result.output
        return result

    return invoke


@pytest.fixture(scope="module", autouse=True)
def loaded(run):
    for kind in ("nodes", "articles", "carriers", "channels"):
        run("import", kind, FILES[kind])


def errors_beside(path):
    with path.with_name(f"{path.name}.errors.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def written(folder, name, text):
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("kind", ["nodes", "articles", "carriers", "channels"])
def test_a_file_imported_twice_changes_nothing(run, kind):
    assert "unchanged." in run("import", kind, FILES[kind]).stdout


def test_postal_codes_are_imported(run):
    assert "251 created" in run("import", "postal-codes", FILES["postal_codes"]).stdout


def test_bad_rows_are_named_with_row_field_and_reason_and_the_others_taken(run, folder):
    lines = FILES["articles"].read_text().splitlines()[:2]
    good = lines[1].replace("SHI01-WHT-S", "NEW-1").replace("2040000100100", "")
    bad_gtin = lines[1].replace("SHI01-WHT-S", "NEW-2").replace("2040000100100", "2040000100101")
    bad_price = lines[1].replace("SHI01-WHT-S", "NEW-3").replace("2040000100100", "").replace("29.95", "dear")
    path = written(folder, "articles.csv", "\n".join([lines[0], good, bad_gtin, bad_price, "too,short"]))
    result = run("import", "articles", path, code=1)
    assert "1 created" in result.stdout
    found = [(row["row"], row["id"], row["field"]) for row in errors_beside(path)]
    assert found == [("3", "NEW-2", "gtin"), ("4", "", "price.amount"), ("5", "", "")]
    assert all(row["reason"] for row in errors_beside(path))


def test_the_error_file_goes_when_the_rows_are_right(run, folder):
    path = written(folder, "channels.csv", "id,name,kind,currency,shortage\nx,X,castle,EUR,wait\n")
    run("import", "channels", path, code=1)
    path.write_text("id,name,kind,currency,shortage\nx,X,web,EUR,wait\n")
    run("import", "channels", path)
    assert not path.with_name("channels.csv.errors.csv").exists()


def test_stock_is_brought_to_what_the_file_says_by_differences(run, folder):
    header = "sku,node,units,shelf,safety_stock\n"
    rows = "SHI01-WHT-S,MAD-W,7,A-01-1,1\nSHI01-WHT-M,MAD-W,0,,0\n"
    path = written(
        folder, "stock.csv", header + rows + "NOTHING,MAD-W,1,,0\nSHI01-WHT-S,NOWHERE,1,,0\nSHI01-WHT-S,MAD-W,-1,,0\n"
    )
    run("import", "stock", path, code=1)
    assert [(row["row"], row["field"]) for row in errors_beside(path)] == [("4", "sku"), ("5", "node"), ("6", "units")]
    path = written(folder, "stock.csv", header + rows)
    assert "2 unchanged" in run("import", "stock", path).stdout
    assert "Proven" in run("ledger", "verify").stdout


def order(number, **changes):
    return network.order(f"file-{number}", ("SHI01-WHT-S", 1), **changes)


def test_orders_come_as_json_lines(run, folder):
    text = "\n".join([json.dumps(order(1)), "{", json.dumps(order(2, currency="XXX")), json.dumps(order(3))])
    path = written(folder, "orders.jsonl", text)
    assert "2 created" in run("import", "orders", path, code=1).stdout
    rows = [(row["row"], row["field"]) for row in errors_beside(path)]
    assert ("2", "") in rows
    assert ("3", "currency") in rows
    assert "2 unchanged" in run("import", "orders", path, code=1).stdout


def test_orders_come_as_csv_with_one_row_a_line(run, folder):
    columns = "channel external_id currency customer.name ship_to.name ship_to.line1 ship_to.city ship_to.postal_code"
    header = ",".join([*columns.split(), "ship_to.country", "sku", "quantity", "unit_price"]) + "\n"
    head = "web,csv-1,EUR,Ana,Ana,Calle Mayor 1,Madrid,28013,ES"
    path = written(folder, "orders.csv", f"{header}{head},SHI01-WHT-S,2,20.00\n{head},SHI01-WHT-M,1,20.00\n")
    assert "1 rows, 1 created" in run("import", "orders", path).stdout


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.csv", "sku,name\nX,Y\n", "Missing columns: price"),
        ("b.csv", "sku,name,price,currency,colr\nX,Y,1,EUR,red\n", "Unknown columns: colr"),
        ("c.csv", "", "Missing columns"),
    ],
)
def test_a_file_with_another_header_is_refused_in_a_sentence(run, folder, name, content, said):
    assert said in run("import", "articles", written(folder, name, content), code=1).stderr


def test_a_file_that_is_not_utf8_is_refused_in_a_sentence(run, folder):
    path = folder / "latin.csv"
    path.write_bytes("sku,name,price,currency\nX,Año,1.00,EUR\n".encode("latin-1"))
    assert "UTF-8" in run("import", "articles", path, code=1).stderr


def test_a_missing_file_is_named(run):
    assert "nowhere.csv" in run("import", "articles", "nowhere.csv", code=1).stderr


def test_the_night_is_planned_shown_and_accepted(run):
    shown = run("plan").stdout
    assert "total" in shown
    run_id = shown.split("oms plan accept ")[1].split("`")[0]
    assert "total" in run("plan", "show", run_id).stdout
    assert "applied" in run("plan", "accept", run_id).stdout
    assert "accepted" in run("plan", "accept", run_id, code=1).stderr
    assert "Proven" in run("ledger", "verify").stdout


def test_purchase_orders_reasons_and_recipes_are_imported_and_unchanged_the_second_time(run, folder):
    skus = [row["sku"] for row in csv.DictReader(FILES["articles"].read_text().splitlines())][:3]
    node = next(csv.DictReader(FILES["nodes"].read_text().splitlines()))["id"]
    orders = ["number,supplier,node,expected_at,sku,units"]
    orders += [f"{number},ACME,{node},2026-11-20T09:00:00+01:00,{sku},{5}" for number in ("P-1", "P-2") for sku in skus]
    reasons = "use,code,from_account,to_account\nadjustment,mouldy,on_hand,damaged\nshort,too_high_up,,\n"
    recipe = {"sku": skus[0], "kind": "kit", "components": [{"sku": skus[1], "units": 2}]}
    files = {
        "purchase-orders": written(folder, "orders.csv", "\n".join(orders)),
        "reasons": written(folder, "reasons.csv", reasons),
        "recipes": written(folder, "recipes.jsonl", json.dumps(recipe)),
    }
    for kind, path in files.items():
        assert "created." in run("import", kind, path).stdout
        assert "unchanged." in run("import", kind, path).stdout


def test_a_purchase_order_without_number_or_with_a_wrong_line_is_told(run, folder):
    text = "number,supplier,node,sku,units\n,ACME,NOWHERE,NOTHING,1\n"
    path = written(folder, "wrong-orders.csv", text)
    run("import", "purchase-orders", path, code=1)
    assert "number" in {row["field"] for row in errors_beside(path)}


def test_what_units_are_worth_is_imported_and_again_changes_nothing(run, folder):
    files = {
        "shadow-prices": "sku,node,price,currency,valid_from,source\nSHI01-WHT-S,MAD-W,1.50,EUR,2026-11-17T06:00Z,me\n",
        "markdowns": "family,node,saved,currency,from_on,until_on\nshirts,MAD-W,6.00,EUR,2026-11-17,\n",
    }
    for kind, text in files.items():
        path = written(folder, f"{kind}.csv", text)
        assert "1 created" in run("import", kind, path).stdout
        assert "1 unchanged" in run("import", kind, path).stdout
