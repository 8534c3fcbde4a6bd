"""Every operation, without a key, with the wrong scope, and bound to a node; the cases come from the operations."""

import pytest

from api.access import IMPLIED_BY, SCOPES
from api.rest import RESOURCES

VALUES = {"order_id": "x", "fo_id": "x", "node_id": "x"}


def operations(app):
    """Yield (method, path with stand-ins, operation) of every REST operation that the application routes."""
    for rule in app.url_map.iter_rules():
        operation = getattr(app.view_functions[rule.endpoint], "operation", None)
        if operation is not None:
            path = rule.rule
            for argument in rule.arguments:
                path = path.replace(f"<{argument}>", VALUES.get(argument, "x")).replace(f"<int:{argument}>", "1")
            yield operation.method, path, operation


def test_every_route_of_the_api_is_an_operation(app):
    routed = {rule.endpoint for rule in app.url_map.iter_rules() if rule.rule.startswith("/api/v1/")}
    plain = {endpoint for endpoint in routed if not hasattr(app.view_functions[endpoint], "operation")}
    assert plain == {"api-docs.openapi_json", "documentation.operations"}
    assert len(RESOURCES) == len({resource.name for resource in RESOURCES})


def test_without_a_key_every_operation_is_401(app, nobody):
    answers = {(method, path): nobody.send(method, path, None).status_code for method, path, _ in operations(app)}
    assert {call: status for call, status in answers.items() if status != 401} == {}
    assert len(answers) > 60


def test_with_every_scope_but_its_own_every_operation_is_403(app, client_with):
    others = {scope: client_with(*(set(SCOPES) - {scope, IMPLIED_BY.get(scope), "admin"})) for scope in SCOPES}
    answers = {
        (method, path): others[operation.scope].send(method, path, None).get_json()
        for method, path, operation in operations(app)
    }
    assert {call: answer for call, answer in answers.items() if answer["code"] != "missing_scope"} == {}


def test_bound_to_a_node_nobody_does_what_concerns_no_node(app, client_with):
    store = client_with("admin", node="MAD-1")
    closed = [
        (method, path) for method, path, operation in operations(app) if operation.at is None and not operation.body
    ]
    answers = {call: store.send(*call, None, key="k").get_json()["code"] for call in closed}
    assert {call: code for call, code in answers.items() if code not in {"bound_to_node", "invalid"}} == {}


@pytest.mark.parametrize(
    "authorization",
    ["", "Basic eDp5", "Bearer", "Bearer ", "Bearer oms_", "Bearer oms__", "Bearer x_y_z", "Bearer \xff"],
)
def test_a_malformed_key_is_401(nobody, authorization):
    nobody.send("GET", "/api/v1/events", 401, headers={"Authorization": authorization})


def test_a_session_without_the_pages_token_changes_nothing(app, house):
    from api import access

    user = house.doors.write(lambda session: access.add_user(session, "eva", "correct horse", role="admin").id)
    client = app.test_client()
    with client.session_transaction() as session:
        session["_user_id"], session["_fresh"] = user, True
    assert client.get("/api/v1/channels").status_code == 200
    answer = client.post("/api/v1/channels", json=[])
    assert (answer.status_code, answer.get_json()["code"]) == (403, "csrf")


@pytest.mark.parametrize("path", ["/api/v1/orders/%00", "/api/v1/articles?cursor=%00"])
def test_what_no_database_can_search_for_is_refused(admin, path):
    assert admin.send("GET", path, None).status_code in {404, 422}
