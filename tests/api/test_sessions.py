"""Sessions: rotated at login, ended by time, log-out, deletion; never taken over, never from another site."""

from __future__ import annotations

import pytest

from edge.api import account_types
from edge.api.accounts import Accounts
from edge.domain.actors import Role

PASSWORD = "correct horse 7 battery"
LOGIN = "/api/v1/auth/login"


def with_user(api, username="boss", role=Role.MANAGER):
    api.accounts.create_user(username, PASSWORD, role, None, "test")
    return {"username": username, "password": PASSWORD}


def cookie_of(answer):
    return answer.cookies.get("kangle_session")


def me(api, cookie):
    return api.get("/api/v1/auth/me", headers={"Cookie": f"kangle_session={cookie}"})


def test_login_gives_a_new_session_and_ends_the_one_that_was_presented(api):
    right = with_user(api)
    first = cookie_of(api.post(LOGIN, right))
    second = cookie_of(api.post(LOGIN, right, headers={"Cookie": f"kangle_session={first}"}))
    assert first != second
    assert me(api, first).status_code == 401
    assert me(api, second).status_code == 200


def test_a_session_id_chosen_by_an_attacker_is_never_taken_over(api):
    answer = api.post(LOGIN, with_user(api), headers={"Cookie": "kangle_session=chosen"})
    assert cookie_of(answer) != "chosen"
    assert me(api, "chosen").status_code == 401


def test_a_session_ends_without_use_and_after_its_whole_time(api):
    right = with_user(api)
    cookie = cookie_of(api.post(LOGIN, right))
    api.clock.advance(account_types.PERSON_IDLE_S + 1)
    assert me(api, cookie).status_code == 401
    cookie = cookie_of(api.post(LOGIN, right))
    for _ in range(4):
        api.clock.advance(account_types.PERSON_IDLE_S - 60)
        last = me(api, cookie).status_code
    assert last == 401, "24 h in all, used or not"


def test_use_keeps_a_session_awake_over_a_restart(api):
    right = with_user(api)
    cookie = cookie_of(api.post(LOGIN, right))
    api.clock.advance(account_types.PERSON_IDLE_S - 60)
    assert me(api, cookie).status_code == 200
    api.accounts.sessions.flush()
    again = Accounts(api.folder / "api.db", verifier=api.verifier, now_ns=api.clock)
    api.clock.advance(account_types.PERSON_IDLE_S - 60)
    assert again.sessions.of_cookie(cookie) is not None
    again.close()


def test_logout_ends_the_session_and_clears_the_cookie(api):
    cookie = cookie_of(api.post(LOGIN, with_user(api)))
    answer = api.post("/api/v1/auth/logout", headers={"Cookie": f"kangle_session={cookie}"})
    assert answer.status_code == 200
    assert 'kangle_session="";' in answer.headers["set-cookie"]
    assert me(api, cookie).status_code == 401


def test_deleting_a_user_ends_their_sessions_at_once(api):
    cookie = cookie_of(api.post(LOGIN, with_user(api)))
    assert api.delete("/api/v1/users/boss", who="admin").status_code == 200
    assert me(api, cookie).status_code == 401


def test_a_user_has_at_most_so_many_sessions(api):
    right = with_user(api)
    cookies = []
    for _ in range(account_types.MAX_SESSIONS_PER_OWNER + 2):
        api.clock.advance(1)
        cookies.append(cookie_of(api.post(LOGIN, right)))
    assert [me(api, cookie).status_code for cookie in cookies[:3]] == [401, 401, 200]


@pytest.mark.parametrize("cookie", ["", "x", "a" * 4000, "é", "'; DROP TABLE users; --"])
def test_odd_cookies_are_no_session(api, cookie):
    answer = api.get("/api/v1/auth/me", headers={"Cookie": f"kangle_session={cookie}".encode()})
    assert answer.status_code == 401


def test_a_request_that_another_site_caused_is_refused(api):
    cookie = {"Cookie": f"kangle_session={cookie_of(api.post(LOGIN, with_user(api)))}"}
    for extra in (
        {"Origin": "http://evil.example"},
        {"Origin": "http://127.0.0.1:9999"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ):
        answer = api.post("/api/v1/auth/logout", headers={**cookie, **extra})
        assert (answer.status_code, answer.json()["code"]) == (403, "cross_origin"), extra
    ours = {"Origin": "http://127.0.0.1", "Sec-Fetch-Site": "same-origin"}
    assert api.post("/api/v1/auth/logout", headers={**cookie, **ours}).status_code == 200
