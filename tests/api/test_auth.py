"""Coming in: the first account, passwords, links, terminals, sessions, tokens."""

from __future__ import annotations

import pytest
from argon2 import PasswordHasher

from edge.api import account_types, passwords, throttle
from edge.api.account_types import AccountProblem
from edge.api.accounts import Accounts
from edge.api.passwords import Verifier
from edge.domain.canteen.messages import Role

PASSWORD = "correct horse 7 battery"
LOGIN = "/api/v1/auth/login"


def with_user(api, username="boss", role=Role.MANAGER):
    api.accounts.create_user(username, PASSWORD, role, None, "test")
    return {"username": username, "password": PASSWORD}


def cookie_of(answer):
    return answer.cookies.get("kangle_session")


# --- the first account ------------------------------------------------------------------------------------------------


def test_a_fresh_box_has_no_account_and_says_so(api):
    assert api.get("/api/v1/system/info").json()["needs_setup"] is True
    assert api.accounts.users() == []


def test_the_setup_token_makes_one_administrator_once(api):
    token = api.accounts.issue_setup_token()
    body = {"token": token, "username": "boss", "password": PASSWORD}
    answer = api.post("/api/v1/auth/setup", body)
    assert answer.json() == {"user": "boss", "role": "admin", "member": None, "lane": None}
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


# --- passwords --------------------------------------------------------------------------------------------------------


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
        go.wait(5)
        with lock:
            running[0] -= 1

    async def crowd():
        tasks = [asyncio.create_task(gate.run(work)) for _ in range(40)]
        await asyncio.sleep(0.1)
        go.set()
        return await asyncio.gather(*tasks, return_exceptions=True)

    results = api.run(crowd())
    refused = [result for result in results if isinstance(result, Exception)]
    assert most[0] == 2
    assert len(refused) == 40 - passwords.MAX_WAITING
    assert {problem.code for problem in refused} == {"busy"}


# --- back-off ---------------------------------------------------------------------------------------------------------


def fail(api, times, username="boss", **options):
    return [api.post(LOGIN, {"username": username, "password": "wrong"}, **options) for _ in range(times)]


def test_after_a_few_wrong_passwords_the_account_waits_even_for_the_right_one(api):
    right = with_user(api)
    assert [answer.status_code for answer in fail(api, throttle.FREE_PER_ACCOUNT)] == [401] * 5
    locked = api.post(LOGIN, right)
    assert (locked.status_code, locked.json()["code"]) == (429, "too_many_tries")
    wait = int(locked.headers["retry-after"])
    assert wait >= 1
    api.clock.advance(wait)
    assert api.post(LOGIN, right).status_code == 200


def test_the_wait_doubles_and_is_bounded(api):
    with_user(api)
    fail(api, throttle.FREE_PER_ACCOUNT - 1)
    waits = []
    for _ in range(14):
        fail(api, 1, client=(f"10.0.0.{len(waits)}", 1))
        answer = fail(api, 1, client=("10.9.9.9", 1))[0]
        waits.append(int(answer.headers["retry-after"]))
        api.clock.advance(waits[-1])
    assert waits[:5] == [1, 2, 4, 8, 16]
    assert max(waits) == throttle.MAX_WAIT_S == waits[-1]


def test_the_lock_survives_a_restart(api):
    right = with_user(api)
    fail(api, throttle.FREE_PER_ACCOUNT + 1)
    again = Accounts(api.folder / "api.db", verifier=api.verifier, now_ns=api.clock)
    with pytest.raises(throttle.TooManyTries):
        again.login(right["username"], PASSWORD, "10.1.1.1", "")
    again.close()


def test_unknown_names_wait_like_known_ones(api):
    statuses = [answer.status_code for answer in fail(api, throttle.FREE_PER_ACCOUNT + 1, "nobody")]
    assert statuses == [401] * 5 + [429]


def test_an_address_that_tries_many_names_waits(api):
    right = with_user(api)
    for i in range(throttle.FREE_PER_ADDRESS):
        assert fail(api, 1, f"name{i}")[0].status_code == 401
    assert api.post(LOGIN, right).status_code == 429
    assert api.post(LOGIN, right, client=("10.0.0.9", 1)).status_code == 200, "others are not locked out"


def test_a_good_login_forgives_the_account(api):
    right = with_user(api)
    for _ in range(4):
        fail(api, throttle.FREE_PER_ACCOUNT - 1)
        assert api.post(LOGIN, right).status_code == 200


def test_guesses_sent_at_once_are_all_counted(api):
    import asyncio

    with_user(api)

    async def crowd():
        body = {"username": "boss", "password": "wrong"}
        return await asyncio.gather(*[api.asend("POST", LOGIN, json=body) for _ in range(15)])

    statuses = [answer.status_code for answer in api.run(crowd())]
    assert statuses.count(401) == throttle.FREE_PER_ACCOUNT
    assert statuses.count(429) == 15 - throttle.FREE_PER_ACCOUNT


def test_a_clock_that_steps_back_locks_nobody_out_for_longer_than_the_longest_wait(api):
    right = with_user(api)
    fail(api, throttle.FREE_PER_ACCOUNT + 1)
    api.clock.advance(-365 * 86_400)
    answer = api.post(LOGIN, right)
    assert answer.status_code in {200, 429}
    if answer.status_code == 429:
        assert int(answer.headers["retry-after"]) <= throttle.MAX_WAIT_S


def test_a_wrong_terminal_token_waits_but_a_right_one_always_passes(api):
    _, secret = api.accounts.tokens.create("kiosk", Role.DINER_TERMINAL, "1", 30, "test")
    statuses = [
        api.post("/api/v1/auth/terminal", {"token": "kgl_00000000_wrong"}).status_code
        for _ in range(throttle.FREE_PER_ADDRESS + 2)
    ]
    assert statuses[0] == 401
    assert statuses[-1] == 429
    assert api.post("/api/v1/auth/terminal", {"token": secret}).status_code == 200


@pytest.mark.parametrize(
    ("address", "key"),
    [
        ("192.168.1.7", "address:192.168.1.7"),
        ("2001:db8:1:2:3::9", "address:2001:db8:1:2::"),
        ("unknown", "address:unknown"),
    ],
)
def test_addresses_are_keyed_so_that_a_host_cannot_hop(address, key):
    assert throttle.address_key(address) == key


def test_what_is_typed_as_a_name_is_not_stored(api):
    fail(api, 2, "MyS3cretPassw0rd")
    assert b"MyS3cret" not in (api.folder / "api.db-wal").read_bytes()


def test_the_throttle_table_is_bounded(api, monkeypatch):
    monkeypatch.setattr(throttle, "MAX_ROWS", 10)
    for i in range(12):
        api.clock.advance(1)
        fail(api, 1, f"name{i}", client=(f"10.0.0.{i}", 1))
    (count,) = api.accounts.db.read("SELECT count(*) FROM throttle")[0]
    assert count == 10


# --- sessions ---------------------------------------------------------------------------------------------------------


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


# --- links ------------------------------------------------------------------------------------------------------------


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


# --- API tokens and terminals -----------------------------------------------------------------------------------------


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


# --- users ------------------------------------------------------------------------------------------------------------


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
