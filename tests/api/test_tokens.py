"""API tokens, the terminals that use them, and users."""

from __future__ import annotations

import pytest

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


def new_token(api, **changes):
    body = {"name": "kiosk", "role": "diner-terminal", "lane": "1", "days": 30, **changes}
    return api.post("/api/v1/tokens", {k: v for k, v in body.items() if v is not None}, who="admin")


def test_a_token_is_shown_once_and_stored_hashed(api):
    made = new_token(api).json()
    listed = api.get("/api/v1/tokens", who="admin").json()["tokens"]
    assert [token["id"] for token in listed] == [made["id"]]
    assert "token" not in listed[0]
    secret = made["token"].rpartition("_")[2]
    assert secret.encode() not in (api.folder / "api.db-wal").read_bytes()


def bearer(api, token, path="/api/v1/auth/me"):
    return api.get(path, headers={"Authorization": f"Bearer {token}"})


def test_a_token_carries_its_role_and_lane_until_it_expires(api):
    token = new_token(api).json()["token"]
    assert bearer(api, token).json() | {"user": ""} == {
        "user": "",
        "role": "diner-terminal",
        "member": None,
        "lane": "1",
        "panel": None,
    }
    api.clock.advance(30 * 86_400)
    assert bearer(api, token).status_code == 401


def test_a_revoked_token_and_its_sessions_end_at_once(api):
    made = new_token(api).json()
    cookie = cookie_of(api.post("/api/v1/auth/terminal", {"token": made["token"]}))
    assert me(api, cookie).json()["lane"] == "1"
    assert api.delete(f"/api/v1/tokens/{made['id']}", who="admin").status_code == 200
    assert bearer(api, made["token"]).status_code == 401
    assert me(api, cookie).status_code == 401
    assert api.delete(f"/api/v1/tokens/{made['id']}", who="admin").status_code == 404


def test_a_terminal_session_ends_with_its_token(api):
    made = new_token(api, days=2).json()
    cookie = cookie_of(api.post("/api/v1/auth/terminal", {"token": made["token"]}))
    api.clock.advance(2 * 86_400 - 60)
    assert me(api, cookie).status_code == 200, "a kiosk does not log itself out at lunch"
    api.clock.advance(61)
    assert me(api, cookie).status_code == 401


def test_every_part_of_a_token_counts(api):
    token = new_token(api).json()["token"]
    prefix, ident, secret = token.split("_", 2)
    wrong = [
        token[:-1],
        token + "x",
        token.upper(),
        secret,
        f"{prefix}_{ident}_",
        f"{prefix}_{ident}",
        f"_{ident}_{secret}",
        f"{prefix}_00000000_{secret}",
        " ",
        f"{prefix}_{ident}_{secret[::-1]}",
    ]
    for candidate in wrong:
        assert bearer(api, candidate).status_code == 401, candidate
    assert bearer(api, token).status_code == 200


def test_a_bad_bearer_is_refused_even_beside_a_good_cookie(api):
    good = api.headers_of("manager")
    for value in ("Bearer nonsense", "Basic Ym9zczpib3Nz", "Bearer"):
        assert api.get("/api/v1/auth/me", headers={**good, "Authorization": value}).status_code == 401


def test_last_use_of_a_token_is_shown(api):
    made = new_token(api).json()
    bearer(api, made["token"])
    api.accounts.sessions.flush()
    listed = api.get("/api/v1/tokens", who="admin").json()["tokens"][0]
    assert listed["last_used_ns"] == api.clock.ns


@pytest.mark.parametrize(
    "changes",
    [
        {"lane": None},
        {"role": "read-only"},
        {"role": "admin", "lane": None},
        {"role": "manager", "lane": None},
        {"days": 0},
        {"days": 401},
    ],
)
def test_tokens_that_make_no_sense_are_refused(api, changes):
    assert new_token(api, **changes).status_code == 422


def test_tokens_are_bounded_and_expired_ones_make_room(api, monkeypatch):
    monkeypatch.setattr("edge.api.api_tokens.MAX_TOKENS", 2)
    assert new_token(api).status_code == 201
    assert new_token(api).status_code == 201
    assert new_token(api).json()["code"] == "full"
    api.clock.advance(30 * 86_400)
    api.__dict__.pop("_known")
    api.accounts.create_user("admin2", None, Role.ADMIN, None, "test")
    opened = api.accounts.use_link(api.accounts.issue_link("admin2"), "::1", "")
    api.__dict__["_known"] = {"admin": {"Cookie": f"kangle_session={opened.secret}"}}
    assert new_token(api).status_code == 201


def test_users_are_made_listed_and_deleted_without_secrets(api):
    body = {"username": "cook", "password": PASSWORD, "role": "kitchen"}
    made = api.post("/api/v1/users", body, who="admin")
    assert (made.status_code, made.json()["role"]) == (201, "kitchen")
    assert api.post("/api/v1/users", body, who="admin").json()["code"] == "user_exists"
    listed = api.get("/api/v1/users", who="admin")
    assert {user["username"] for user in listed.json()["users"]} == {"admin", "cook"}
    assert "argon2" not in listed.text
    assert api.delete("/api/v1/users/cook", who="admin").status_code == 200
    assert api.delete("/api/v1/users/cook", who="admin").json()["code"] == "unknown_user"


def test_the_last_administrator_stays(api):
    assert api.delete("/api/v1/users/admin", who="admin").json()["code"] == "last_admin"
    api.accounts.create_user("admin2", None, Role.ADMIN, None, "test")
    assert api.delete("/api/v1/users/admin", who="admin").status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        {"role": "member"},
        {"role": "cashier", "member": "m001"},
        {"role": "diner-terminal"},
        {"role": "root"},
        {"role": "cashier", "is_admin": True},
        {"role": "cashier", "username": "UPPER"},
        {"role": "cashier", "username": "a/b"},
    ],
)
def test_users_that_make_no_sense_are_refused(api, body):
    full = {"username": "new", "password": PASSWORD, **body}
    assert api.post("/api/v1/users", full, who="admin").status_code == 422
    assert [user.username for user in api.accounts.users()] == ["admin"]


def test_a_clock_that_ran_years_ahead_for_a_minute_ends_no_terminal(api):
    """Somebody logs in and makes a token meanwhile; at noon the lanes must not ask for secrets that were shown once."""
    right = with_user(api)
    token = new_token(api).json()["token"]
    kiosk = cookie_of(api.post("/api/v1/auth/terminal", {"token": token}))
    years_s = 12 * 365 * 86_400
    api.clock.advance(years_s)
    assert me(api, kiosk).status_code == bearer(api, token).status_code == 401
    ahead = cookie_of(api.post(LOGIN, right))
    api.accounts.tokens.create("another", Role.READ_ONLY, None, 30, "boss")
    api.clock.advance(-years_s)
    assert me(api, kiosk).json()["lane"] == "1"
    assert bearer(api, token).status_code == 200
    assert me(api, ahead).status_code == 401, "nor does a login of that minute hold for twelve years"


def test_a_clock_put_back_an_hour_ends_no_session(api):
    cookie = cookie_of(api.post(LOGIN, with_user(api)))
    api.clock.advance(-3600)
    assert me(api, cookie).status_code == 200
