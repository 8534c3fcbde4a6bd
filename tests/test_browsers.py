"""A browser that renders a page from this machine, and finds itself."""

import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.browsers import find_chromium


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, *args) -> None:
        pass


@pytest.fixture
def shelf_url(tmp_path: Path):
    (tmp_path / "shelf.html").write_text("<title>Shelf</title><p>7 units</p>")
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(QuietHandler, directory=tmp_path)) as server:
        threading.Thread(target=server.serve_forever).start()
        yield f"http://127.0.0.1:{server.server_port}/shelf.html"
        server.shutdown()


def test_a_page_is_rendered(browser, shelf_url):
    context = browser.new_context()
    page = context.new_page()
    page.goto(shelf_url)
    assert page.title() == "Shelf"
    assert page.get_by_text("7 units").is_visible()
    context.close()


def test_a_named_browser_comes_first(monkeypatch):
    monkeypatch.setenv("OMS_TEST_CHROMIUM", "/opt/browser")
    assert find_chromium() == Path("/opt/browser")


def test_no_browser_is_no_error(monkeypatch):
    monkeypatch.delenv("OMS_TEST_CHROMIUM", raising=False)
    monkeypatch.setenv("PATH", "")
    assert find_chromium() is None
