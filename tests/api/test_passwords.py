"""A new password: one's own against the present one, somebody else's by the administrator; what else is open ends."""

from __future__ import annotations

import pytest

from edge.api.account_types import AccountProblem
from edge.api.passwords import WeakPassword
from edge.domain.actors import Role

OLD, NEW = "correct horse 7 battery", "another 9 donkey staple"
LOGIN = "/api/v1/auth/login"
CHANGE = "/api/v1/auth/password"


@pytest.fixture
def li(api):
    api.accounts.create_user("li", OLD, Role.CASHIER, None, "test")
    return login(api, OLD)


def login(api, password):
    return api.post(LOGIN, {"username": "li", "password": password}).cookies.get("kangle_session")


def with_cookie(cookie):
    return {"Cookie": f"kangle_session={cookie}"}


def change(api, cookie, old=OLD, new=NEW):
    return api.post(CHANGE, {"password": old, "new_password": new}, headers=with_cookie(cookie))


def alive(api, cookie):
    return api.get("/api/v1/auth/me", headers=with_cookie(cookie)).status_code == 200


def test_the_new_one_holds_and_only_the_session_that_changed_it_goes_on(api, li):
    tablet, link = login(api, OLD), api.accounts.issue_link("li")
    answer = change(api, li)
    assert (answer.status_code, answer.json()["user"]) == (200, "li")
    fresh = answer.cookies.get("kangle_session")
    assert answer.headers["cache-control"] == "no-store"
    assert [alive(api, cookie) for cookie in (li, tablet, fresh)] == [False, False, True]
    assert api.post("/api/v1/auth/link", {"token": link}).status_code == 401
    assert (login(api, OLD), login(api, NEW) is not None) == (None, True)
    assert [row["action"] for row in api.accounts.db.read("SELECT action FROM audit ORDER BY seq")][-2:] == [
        "password_changed",
        "login",
    ]


def test_who_does_not_know_the_present_one_changes_nothing(api, li):
    answer = change(api, li, old="wrong horse 7 battery")
    assert (answer.status_code, answer.json()["code"]) == (403, "wrong_password")
    assert "kangle user password" in answer.json()["detail"]
    assert alive(api, li)
    assert login(api, OLD)


def test_guessing_at_an_open_tablet_is_slowed_like_guessing_at_the_login(api, li):
    codes = [change(api, li, old=f"wrong {n} horse battery").status_code for n in range(7)]
    assert codes[:5] == [403] * 5
    assert codes[-1] == 429
    assert change(api, li).status_code == 429, "the right one waits too"
    api.clock.advance(900)
    assert change(api, li).status_code == 200


def test_a_weak_new_one_is_refused_before_the_old_one_is_looked_at(api, li):
    for weak in ("short7", "aaaaaaaaaaaa", "1234123412341234"):
        assert change(api, li, old="wrong", new=weak).json()["code"] == "weak_password"
    assert change(api, li).status_code == 200, "no try was charged"


def test_who_has_no_password_gets_one_from_the_administrator_only(api):
    api.accounts.create_user("li", None, Role.CASHIER, None, "test")
    cookie = api.post("/api/v1/auth/link", {"token": api.accounts.issue_link("li")}).cookies.get("kangle_session")
    for guess in ("", "li", "nobody has this password"):
        assert change(api, cookie, old=guess).json()["code"] == "wrong_password"
    assert api.post("/api/v1/users/li/password", {"password": NEW}, who="admin").json() == {"code": "ok"}
    assert not alive(api, cookie)
    assert login(api, NEW)


def test_an_administrator_gives_a_new_one_and_ends_what_was_open(api, li):
    for _ in range(6):
        login(api, "wrong")
    assert login(api, OLD) is None, "locked out"
    assert api.post("/api/v1/users/li/password", {"password": NEW}, who="admin").status_code == 200
    assert not alive(api, li)
    assert login(api, NEW), "and the lock-out is lifted"
    assert api.post("/api/v1/users/nobody/password", {"password": NEW}, who="admin").status_code == 404
    assert api.post("/api/v1/users/li/password", {"password": "short"}, who="admin").status_code == 422


def test_a_kiosk_has_no_password(api):
    _, secret = api.accounts.tokens.create("kiosk", Role.DINER_TERMINAL, "1", 30, "test")
    answer = api.post(CHANGE, {"password": OLD, "new_password": NEW}, headers={"Authorization": f"Bearer {secret}"})
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")


def test_of_two_changes_at_once_the_second_finds_the_old_one_gone(api, li, monkeypatch):
    """The other change comes between the check and the write."""
    proven = api.accounts._proven

    def slow(*args):
        stored = proven(*args)
        monkeypatch.undo()
        api.accounts.set_password("li", "third 5 mule paperclip", "test")
        return stored

    monkeypatch.setattr(api.accounts, "_proven", slow)
    with pytest.raises(AccountProblem, match="wrong_password"):
        api.accounts.change_password("li", OLD, NEW, "::1")
    assert login(api, "third 5 mule paperclip")


def test_a_name_of_two_letters_may_stand_in_a_word(api):
    api.accounts.create_user("he", "the 7 other paperclips", Role.CASHIER, None, "test")
    with pytest.raises(WeakPassword):
        api.accounts.create_user("chef", "the-chef-of-7-days", Role.CASHIER, None, "test")
