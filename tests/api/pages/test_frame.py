"""What every page has in common: language, headers, errors, and how its files travel."""

import gzip
import re


def test_the_language_is_what_the_browser_accepts(client):
    page = client.get("/login", headers={"Accept-Language": "es-MX,es;q=0.9,en;q=0.5"}).get_data(as_text=True)
    assert '<html lang="es">' in page
    assert "Entrar" in page


def test_the_language_of_the_person_wins(signed_in):
    page = signed_in("tienda").get("/nowhere", headers={"Accept-Language": "en"}).get_data(as_text=True)
    assert '<html lang="es">' in page


def test_a_language_that_we_do_not_speak_is_answered_in_english(client):
    assert '<html lang="en">' in client.get("/login", headers={"Accept-Language": "fr"}).get_data(as_text=True)


def test_nothing_inline_runs_on_a_page(client):
    answer = client.get("/login")
    assert "default-src 'self'" in answer.headers["Content-Security-Policy"]
    assert "unsafe" not in answer.headers["Content-Security-Policy"]
    page = answer.get_data(as_text=True)
    assert not re.search(r"<style|<script(?![^>]* src=)| style=| on[a-z]+=", page)


def test_an_unknown_address_is_a_page_for_people_and_a_problem_for_machines(client):
    assert "Go back" in client.get("/nowhere").get_data(as_text=True)
    answer = client.get("/api/v1/nowhere")
    assert answer.status_code == 404
    assert answer.content_type == "application/problem+json"


def test_files_travel_compressed_under_versioned_addresses(client):
    address = re.search(r'href="([^"]+house\.css[^"]*)"', client.get("/login").get_data(as_text=True))[1]
    answer = client.get(address, headers={"Accept-Encoding": "gzip"})
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert gzip.decompress(answer.data) == client.get(address, buffered=True).data
