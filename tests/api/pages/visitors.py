"""What visitors of the pages do in the tests: sign in, and find the token of a form."""

import re

from flask.testing import FlaskClient

PASSWORD = "a long password"


def sign_in(client: FlaskClient, username: str, password: str = PASSWORD, address: str = "/login"):
    return client.post(address, data={"csrf_token": token(client), "username": username, "password": password})


def token(client: FlaskClient, address: str = "/login") -> str:
    """Return the token against forgery of the form at `address`."""
    found = re.search(r'name="csrf_token" value="([^"]+)"', client.get(address).get_data(as_text=True))
    assert found, f"no form at {address}"
    return found[1]
