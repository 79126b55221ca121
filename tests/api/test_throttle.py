"""Back-off against guessing: per account and per address, over restarts, bounded."""

from __future__ import annotations

import pytest

from edge.api import throttle
from edge.api.accounts import Accounts
from edge.domain.actors import Role

PASSWORD = "correct horse 7 battery"
LOGIN = "/api/v1/auth/login"


def with_user(api, username="boss", role=Role.MANAGER):
    api.accounts.create_user(username, PASSWORD, role, None, "test")
    return {"username": username, "password": PASSWORD}


def cookie_of(answer):
    return answer.cookies.get("kangle_session")


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
