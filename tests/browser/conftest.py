"""A real server on loopback with a small retailer, and pages of a real browser on it, each signed in."""

import threading
from collections.abc import Callable, Iterator

import pytest
from werkzeug.serving import make_server

from api.app import build_house, create_app
from tests.api.pages.shop import open_shop, settings_for
from tests.api.pages.visitors import PASSWORD

PHONE = {"width": 360, "height": 740}
DESK = {"width": 1280, "height": 800}


@pytest.fixture(scope="module")
def house(sqlite_url):
    present = build_house(settings_for(sqlite_url))
    present.doors.write(open_shop)
    yield present
    present.doors.database.dispose()


@pytest.fixture(scope="module")
def address(house) -> Iterator[str]:
    """Return where the server listens."""
    server = make_server("127.0.0.1", 0, create_app(house.config, house), threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def sign_in(browser, address) -> Iterator[Callable]:
    """Return a page of the browser on which somebody is signed in; what the page complains of fails the test."""
    opened, complaints = [], []

    def enter(username, *, size=PHONE, colours="light", scripts=True, language="en-GB"):
        context = browser.new_context(
            base_url=address, viewport=size, color_scheme=colours, java_script_enabled=scripts, locale=language
        )
        opened.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto("/login")
        page.fill("[name=username]", username)
        page.fill("[name=password]", PASSWORD)
        page.click("form button")
        page.wait_for_url(lambda url: "/login" not in url)
        return page

    yield enter
    for context in opened:
        context.close()
    assert complaints == []
