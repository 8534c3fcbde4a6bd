"""What every request meets before it reaches a room."""

from sqlalchemy.exc import OperationalError

from api import access
from api.app import create_app
from api.house import build_house
from tests.api.conftest import config_for


def test_without_a_key_nobody_comes_in(nobody):
    answer = nobody.send("GET", "/api/v1/events", 401)
    assert answer.content_type == "application/problem+json"
    assert answer.get_json()["code"] == "unauthenticated"
    assert "Bearer" in answer.headers["WWW-Authenticate"]


def test_a_key_without_the_scope_is_refused(client_with):
    problem = client_with("orders:read").get("/api/v1/events", 403)
    assert problem["code"] == "missing_scope"
    assert "events:read" in problem["detail"]


def test_a_revoked_key_is_worth_nothing(house, client_with):
    client = client_with("events:read")
    client.get("/api/v1/events")
    prefix = client.key.split("_")[1]
    house.doors.write(lambda session: access.revoke_key(session, prefix, now=house.clock.now()))
    house.keys.forget()
    client.get("/api/v1/events", 401)


def test_a_wrong_path_and_a_wrong_method_are_problems(admin):
    assert admin.get("/api/v1/nothing", 404)["code"] == "not_found"
    answer = admin.send("DELETE", "/api/v1/events", 405)
    assert answer.get_json()["code"] == "method_not_allowed"
    assert "GET" in answer.headers["Allow"]


def test_every_fault_of_a_query_is_named_with_its_pointer(admin):
    problem = admin.get("/api/v1/events?after=-1&limit=many&nonsense=1", 422)
    assert problem["code"] == "invalid"
    assert {(fault["pointer"], fault["code"]) for fault in problem["errors"]} == {
        ("/after", "out_of_range"), ("/limit", "invalid"), ("/nonsense", "unknown_field"),
    }  # fmt: skip


def test_an_answer_carries_strict_headers_and_a_request_id(admin):
    answer = admin.send("GET", "/healthz", headers={"X-Request-Id": "my-id"})
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'self'")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["X-Request-Id"] == "my-id"


def test_ready_names_the_migration(nobody):
    assert nobody.get("/readyz")["status"] == "ready"
    assert nobody.get("/version")["migration"] == nobody.get("/readyz")["migration"]


def test_figures_count_requests(nobody):
    nobody.get("/healthz")
    assert b'oms_requests_total{operation="health.alive",status="200"}' in nobody.send("GET", "/metrics").data


def test_too_many_wrong_keys_from_one_address_are_stopped(app):
    client = app.test_client()
    headers = {"Authorization": "Bearer oms_wrong_key"}
    address = {"REMOTE_ADDR": "192.0.2.7"}
    for _ in range(30):
        assert client.get("/api/v1/events", headers=headers, environ_base=address).status_code == 401
    answer = client.get("/api/v1/events", headers=headers, environ_base=address)
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) > 0


def test_a_wrong_user_and_a_wrong_password_are_both_refused(house):
    house.doors.write(lambda session: access.add_user(session, "ana", "correct horse", role="agent"))
    read = house.doors.read
    assert read(lambda session: access.sign_in(session, "ana", "correct horse")).role == "agent"
    assert read(lambda session: access.sign_in(session, "ana", "wrong")) is None
    assert read(lambda session: access.sign_in(session, "nobody", "wrong")) is None


def test_a_database_that_is_away_is_503_and_said_in_one_line(capsys):
    house = build_house(config_for("postgresql://nobody@127.0.0.1:1/nowhere"))
    client = create_app(house.config, house).test_client()
    answer = client.get("/api/v1/events", headers={"Authorization": "Bearer oms_a_b"})
    assert (answer.status_code, answer.get_json()["code"]) == (503, "unavailable")
    assert int(answer.headers["Retry-After"]) > 0
    assert len(capsys.readouterr().err.strip().splitlines()) == 1
    assert client.get("/healthz").status_code == 200
    assert client.get("/readyz").status_code == 503


def test_a_database_that_is_full_is_503_and_nothing_is_written(admin, house, monkeypatch):
    def full(_session, _rows):
        raise OperationalError("INSERT", {}, Exception("database or disk is full"))

    monkeypatch.setattr("oms.channels._put", full)
    row = {"id": "full", "name": "Full", "kind": "web", "currency": "EUR"}
    answer = admin.send("POST", "/api/v1/channels", 503, body=[row], key="full-1")
    assert answer.get_json()["code"] == "unavailable"
    monkeypatch.undo()
    assert admin.post("/api/v1/channels", [row], key="full-1")["results"][0]["result"] == "created"
