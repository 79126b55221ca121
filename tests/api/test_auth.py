"""Coming in: the first account, passwords, links."""

from __future__ import annotations

import time

import pytest
from argon2 import PasswordHasher

from edge.api import account_types, hash_gate, passwords
from edge.api.account_types import AccountProblem
from edge.api.accounts import Accounts
from edge.api.passwords import Verifier
from edge.domain.actors import Role

PASSWORD = "correct horse 7 battery"
LOGIN = "/api/v1/auth/login"


def with_user(api, username="boss", role=Role.MANAGER):
    api.accounts.create_user(username, PASSWORD, role, None, "test")
    return {"username": username, "password": PASSWORD}


def cookie_of(answer):
    return answer.cookies.get("kangle_session")


def test_a_fresh_box_has_no_account_and_says_so(api):
    assert api.get("/api/v1/system/info").json()["needs_setup"] is True
    assert api.accounts.users() == []


def test_the_setup_token_makes_one_administrator_once(api):
    token = api.accounts.issue_setup_token()
    body = {"token": token, "username": "boss", "password": PASSWORD}
    answer = api.post("/api/v1/auth/setup", body)
    assert answer.json() == {"user": "boss", "role": "admin", "member": None, "lane": None, "panel": None}
    me = api.get("/api/v1/auth/me", headers={"Cookie": f"kangle_session={cookie_of(answer)}"})
    assert me.json()["user"] == "boss"
    again = api.post("/api/v1/auth/setup", {**body, "username": "second"})
    assert (again.status_code, again.json()["code"]) == (409, "already_set_up")
    assert [user.username for user in api.accounts.users()] == ["boss"]
    assert api.accounts.issue_setup_token() is None


def test_the_setup_token_has_at_least_128_bits_and_is_stored_only_as_a_digest(api):
    token = api.accounts.issue_setup_token()
    assert len(token) * 6 >= 128
    assert token.encode() not in (api.folder / "api.db-wal").read_bytes()


def test_the_setup_token_expires_after_half_an_hour(api):
    token = api.accounts.issue_setup_token()
    api.clock.advance(30 * 60 + 1)
    answer = api.post("/api/v1/auth/setup", {"token": token, "username": "boss", "password": PASSWORD})
    assert (answer.status_code, answer.json()["code"]) == (401, "bad_token")


def test_a_newer_setup_token_ends_the_older(api):
    old, new = api.accounts.issue_setup_token(), api.accounts.issue_setup_token()
    body = {"username": "boss", "password": PASSWORD}
    assert api.post("/api/v1/auth/setup", {**body, "token": old}).status_code == 401
    assert api.post("/api/v1/auth/setup", {**body, "token": new}).status_code == 200


def test_a_weak_password_does_not_use_up_the_setup_token(api):
    token = api.accounts.issue_setup_token()
    for weak in ("short7", "aaaaaaaaaaaa", "boss-boss-boss-7"):
        answer = api.post("/api/v1/auth/setup", {"token": token, "username": "boss", "password": weak})
        assert answer.json()["code"] == "weak_password", weak
    body = {"token": token, "username": "boss", "password": PASSWORD}
    assert api.post("/api/v1/auth/setup", body).status_code == 200


@pytest.mark.parametrize("token", ["", " ", "x", "a" * 256])
def test_a_wrong_setup_token_is_refused(api, token):
    api.accounts.issue_setup_token()
    answer = api.post("/api/v1/auth/setup", {"token": token, "username": "boss", "password": PASSWORD})
    assert answer.status_code in {401, 422}
    assert api.accounts.is_new()


def test_a_right_password_opens_a_session_with_a_strict_cookie(api):
    answer = api.post(LOGIN, with_user(api))
    assert answer.status_code == 200
    flags = {part.strip().lower() for part in answer.headers["set-cookie"].split(";")[1:]}
    assert {"httponly", "samesite=strict", "path=/"} <= flags
    assert "secure" not in flags, "plain HTTP on the loopback"
    assert answer.headers["cache-control"] == "no-store"


def test_the_cookie_is_secure_under_tls(api):
    answer = api.run(api.asend("POST", LOGIN, scheme="https", json=with_user(api)))
    assert "secure" in answer.headers["set-cookie"].lower()


def test_the_cookie_is_secure_behind_a_proxy_with_tls(api):
    answer = api.post(LOGIN, with_user(api), headers={"X-Forwarded-Proto": "https", "X-Forwarded-For": "10.0.0.9"})
    assert "; secure" in answer.headers["set-cookie"].lower()


@pytest.mark.parametrize(
    "password", ["", PASSWORD[:-1], PASSWORD + "x", PASSWORD.upper(), " " + PASSWORD, PASSWORD + "\x00", "密码" * 60]
)
def test_empty_prefix_longer_and_other_passwords_are_refused_alike(api, password):
    right = with_user(api)
    wrong = api.post(LOGIN, {**right, "password": password})
    nobody = api.post(LOGIN, {"username": "nobody", "password": password})
    assert (wrong.status_code, wrong.json()["code"]) == (401, "bad_login")
    assert {**wrong.json(), "instance": ""} == {**nobody.json(), "instance": ""}
    assert cookie_of(wrong) is None


def test_an_unknown_name_costs_as_many_hashes_as_a_wrong_password(api, monkeypatch):
    checked = []
    verify = PasswordHasher.verify

    def counting(self, stored, password):
        checked.append(stored.split("$")[3])
        return verify(self, stored, password)

    monkeypatch.setattr(PasswordHasher, "verify", counting)
    right = with_user(api)
    api.post(LOGIN, {**right, "password": "wrong"})
    api.post(LOGIN, {"username": "nobody", "password": "wrong"})
    assert len(checked) == 2
    assert checked[0] == checked[1], "the same parameters"


def test_a_user_without_a_password_cannot_log_in_with_one(api):
    api.accounts.create_user("demo", None, Role.ADMIN, None, "test")
    for password in ("", "demo", "nobody has this password"):
        assert api.post(LOGIN, {"username": "demo", "password": password}).status_code == 401


def test_hashes_of_old_parameters_are_renewed_at_login(api):
    right = with_user(api)
    stored = "SELECT password_hash FROM users WHERE username = 'boss'"
    before = api.accounts.db.read(stored)[0][0]
    stronger = Accounts(
        api.folder / "api.db",
        verifier=Verifier(PasswordHasher(time_cost=2, memory_cost=16, parallelism=1)),
        now_ns=api.clock,
    )
    assert stronger.login("boss", PASSWORD, "::1", "").principal.user == "boss"
    after = stronger.db.read(stored)[0][0]
    stronger.close()
    assert "t=1," in before
    assert "t=2," in after
    assert api.post(LOGIN, right).status_code == 200


def test_the_real_hasher_is_argon2id_with_the_reference_parameters():
    hashed = passwords.hash_password(PASSWORD)
    assert hashed.startswith("$argon2id$v=19$m=19456,t=2,p=1$")


def test_at_most_two_hashes_run_at_once_and_the_queue_is_bounded(api):
    import asyncio
    import threading

    gate, running, most = api.context.hashing, [0], [0]
    lock, go = threading.Lock(), threading.Event()

    def work():
        with lock:
            running[0] += 1
            most[0] = max(most[0], running[0])
        go.wait(60)
        with lock:
            running[0] -= 1

    async def crowd():
        tasks = [asyncio.create_task(gate.run(work)) for _ in range(40)]
        end = time.monotonic() + 60
        while running[0] < 2 and time.monotonic() < end:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.1)  # room for a third one to come, if it could
        go.set()
        return await asyncio.gather(*tasks, return_exceptions=True)

    results = api.run(crowd())
    refused = [result for result in results if isinstance(result, Exception)]
    assert most[0] == 2
    assert len(refused) == 40 - hash_gate.MAX_WAITING
    assert {problem.code for problem in refused} == {"busy"}


def test_a_link_works_once_and_expires(api):
    api.accounts.create_user("demo", None, Role.ADMIN, None, "test")
    token = api.accounts.issue_link("demo")
    assert api.post("/api/v1/auth/link", {"token": token}).json()["user"] == "demo"
    assert api.post("/api/v1/auth/link", {"token": token}).json()["code"] == "bad_token"
    late = api.accounts.issue_link("demo")
    api.clock.advance(account_types.LINK_VALID_S)
    assert api.post("/api/v1/auth/link", {"token": late}).json()["code"] == "bad_token"


def test_a_link_is_no_setup_token_and_the_other_way_round(api):
    setup = api.accounts.issue_setup_token()
    assert api.post("/api/v1/auth/link", {"token": setup}).status_code == 401
    body = {"token": setup, "username": "boss", "password": PASSWORD}
    assert api.post("/api/v1/auth/setup", body).status_code == 200


def test_links_need_a_user_and_are_bounded(api):
    with pytest.raises(AccountProblem, match="unknown_user"):
        api.accounts.issue_link("nobody")
    api.accounts.create_user("demo", None, Role.ADMIN, None, "test")
    for _ in range(account_types.MAX_LINKS):
        api.accounts.issue_link("demo")
    with pytest.raises(AccountProblem, match="full"):
        api.accounts.issue_link("demo")
