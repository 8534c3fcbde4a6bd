"""Signing in and out. Invariant: a wrong name and a wrong password get the same answer in the same time, and nobody is
sent to another site after signing in.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import flash, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, refresh
from flask_login import current_user, login_user, logout_user

from api import access
from api.pages import bar
from api.pages.visit import by_htmx, doors, person


def sign_in() -> ResponseReturnValue:
    """Ask for name and password, or take them."""
    target = _own_page(request.args.get("next", ""))
    if current_user.is_authenticated:
        return redirect(target or bar.first_page())
    if request.method == "GET":
        return render_template("login.html", username="")
    username, password = request.form.get("username", "").strip(), request.form.get("password", "")
    user = doors().read(lambda reading: access.sign_in(reading, username, password))
    if user is None:
        flash(gettext("Name or password is wrong. Check both and try again."), "bad")
        return render_template("login.html", username=username), 401
    session.clear()
    session.permanent = True
    login_user(user)
    refresh()
    return redirect(target or bar.first_page(), code=303)


def sign_out() -> ResponseReturnValue:
    """End the session."""
    language_of_the_leaving = person().language
    logout_user()
    session.clear()
    refresh()
    flash(gettext("You are signed out."), "good")
    return redirect(url_for("pages.sign_in", language=language_of_the_leaving), code=303)


def first() -> ResponseReturnValue:
    """Lead to the page that answers this person's first question."""
    return redirect(bar.first_page())


def ask_to_sign_in() -> ResponseReturnValue:
    """Send a visitor to the log-in, and back afterwards: to the page of a form, which is not sent again by itself."""
    if by_htmx():
        back = urlsplit(request.headers.get("HX-Current-URL", "")).path
        return "", 401, {"HX-Redirect": url_for("pages.sign_in", next=back or None)}
    back = request.full_path.rstrip("?") if request.method == "GET" else urlsplit(request.referrer or "").path
    return redirect(url_for("pages.sign_in", next=back or None), code=303 if request.method == "POST" else 302)


def _own_page(target: str) -> str:
    """Return `target` when it is a page of this site, else nothing; browsers read a backslash as a slash."""
    parts = urlsplit(target)
    inside = target.startswith("/") and not target.startswith(("//", "/\\")) and not parts.scheme and not parts.netloc
    printable = all(character.isprintable() for character in target)
    return target if inside and printable else ""
