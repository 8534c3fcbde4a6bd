"""Signing in and out."""

from dataclasses import replace

import pytest

from api.app import create_app
from tests.api.pages.visitors import PASSWORD, sign_in, token


def test_a_visitor_is_asked_to_sign_in_and_comes_back(client):
    answer = client.get("/?tab=late")
    assert answer.status_code == 302
    assert answer.headers["Location"] == "/login?next=/?tab%3Dlate"


def test_a_wrong_name_and_a_wrong_password_get_the_same_answer(client):
    answers = [sign_in(client, "store", "wrong"), sign_in(client, "nobody", PASSWORD)]
    assert [answer.status_code for answer in answers] == [401, 401]
    assert all("Name or password is wrong." in answer.get_data(as_text=True) for answer in answers)


def test_a_form_without_its_token_is_refused(client):
    answer = client.post("/login", data={"username": "store", "password": PASSWORD})
    assert answer.status_code == 400
    assert "Nothing was changed" in answer.get_data(as_text=True)


ELSEWHERE = ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)"]


@pytest.mark.parametrize("target", ELSEWHERE)
def test_nobody_is_sent_to_another_site(client, target):
    client.get("/login")
    answer = client.post("/login", query_string={"next": target},
                         data={"csrf_token": token(client), "username": "admin", "password": PASSWORD})  # fmt: skip
    assert answer.status_code == 303
    assert "evil" not in answer.headers["Location"]
    assert "javascript" not in answer.headers["Location"]


def test_one_comes_back_to_the_page_one_wanted(client):
    answer = sign_in(client, "admin", address="/login?next=/store/MAD/%3Ftab%3Dlate")
    assert answer.headers["Location"] == "/store/MAD/?tab=late"


def test_signing_out_ends_the_session(signed_in):
    client = signed_in("store")
    with client.session_transaction() as session:
        assert "_user_id" in session
    page = client.get("/nowhere")
    found = page.get_data(as_text=True).split('name="csrf_token" value="')[1].split('"')[0]
    assert client.post("/logout", data={"csrf_token": found}).status_code == 303
    assert client.get("/").headers["Location"].startswith("/login")


def test_guessing_is_slowed_down(house):
    security = replace(house.config.security, login_limit="3 per minute")
    strict = replace(house, config=replace(house.config, security=security))
    client = create_app(strict.config, strict).test_client()
    form = {"csrf_token": token(client), "username": "store", "password": "guess"}
    answers = [client.post("/login", data=form) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [401] * 3 + [429]
    assert "Wait a minute" in answers[-1].get_data(as_text=True)
