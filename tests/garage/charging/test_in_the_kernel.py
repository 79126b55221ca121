"""Charging through the real kernel: from the start command to the rows of the bill, over queues, trips and restarts."""

import msgspec
import pytest

from edge.domain.actors import Role
from edge.domain.field_devices import CardReading
from edge.domain.garage.charging_samples import unpack
from edge.domain.garage.messages import ChargePosted, DayOpened, PurseCopy, StartSession, StopSession
from edge.domain.garage.session_rows import ChargeRow, CutRecordRow, PortChargingRow, SessionRow

MINUTE = 60


@pytest.fixture
def paying(garage):
    copy = PurseCopy(as_of_wall_ns=garage.wall_ns, purses=(("m1", "c1", 5000), ("m2", "c2", 100)))
    assert garage.command(copy, role=Role.DEVICE).code == "ok"
    return garage


def begin(garage, port="B1-p1", session="s1", **facts):
    return garage.command(StartSession(session_id=session, port=port, **facts), role=Role.RESIDENT)


def draw(garage, minutes, watts, port="B1-p1", step_s=10, **facts):
    """Readings every ``step_s``; detectors keep speaking. Stops when the port is told off."""
    for k in range(round(minutes * MINUTE / step_s)):
        garage.run(0.1)
        garage.elapse(step_s - 0.1)
        if k % 60 == 0:
            garage.all_clear()
        garage.meter(port, watts + 0.1 * (k % 7), **facts)
        if not garage.world.ports[port].wanted:
            return


def rows(garage, kind):
    return list(garage.rows.all(kind))


def test_a_session_is_charged_stopped_billed_and_posted_once(paying):
    assert begin(paying, card="c1").code == "ok"
    assert paying.operates("B1-p1", on=True)
    paying.reports("B1-p1", True)
    draw(paying, 60, 200.0)
    view = paying.shown["port/B1-p1"]
    assert (view.session_id, view.member, view.phase) == ("s1", "m1", "cc")
    assert paying.command(StopSession(port="B1-p1", session_id="s1")).code == "ok"
    session = rows(paying, SessionRow)[0]
    assert (session.state, session.reason, session.payer) == ("ended", "stopped", "m1")
    assert session.energy_mwh == pytest.approx(200_000, rel=0.01)
    assert session.cost_fen == 20, "0.2 kWh at 60 + 40 fen"
    charge = rows(paying, ChargeRow)[0]
    assert (charge.member, charge.fen, charge.state) == ("m1", 20, "pending")
    for code in ("busy", "ok", "ok"):
        paying.command(ChargePosted(session_id="s1", code=code), role=Role.DEVICE)
    assert rows(paying, ChargeRow)[0].state == "paid"


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        ({"member": "m1"}, "ok"),
        ({"card": "c9"}, "unknown_card"),
        ({"member": "m2"}, "purse_short"),
        ({}, "no_member"),
        ({"member": "m1", "limit_fen": -1}, "bad_value"),
    ],
)
def test_who_may_begin(paying, facts, code):
    assert begin(paying, **facts).code == code
    assert bool(paying.operates("B1-p1", on=True)) == (code == "ok")


def test_a_port_has_one_session(paying):
    begin(paying, member="m1")
    assert begin(paying, session="s2", member="m1").code == "port_busy"
    assert paying.command(StopSession(port="B1-p1", session_id="other")).code == "unknown_session"


def test_a_copy_from_a_clock_that_ran_ahead_does_not_keep_the_later_ones_out(paying):
    """Until that time came, nobody who topped up could charge, and what was paid was taken off twice."""
    year_ns = 365 * 86_400 * 10**9
    begin(paying, session="x", member="m1")
    paying.reports("B1-p1", True)
    draw(paying, 30, 200.0)
    paying.command(StopSession(port="B1-p1"))
    paying.wall_ns += year_ns
    paying.command(ChargePosted(session_id="x", code="ok"), role=Role.DEVICE)
    paying.command(PurseCopy(as_of_wall_ns=paying.wall_ns, purses=(("m2", "c2", 100),)), role=Role.DEVICE)
    paying.wall_ns -= year_ns
    for _ in range(2):
        paying.elapse(1)
        copy = PurseCopy(as_of_wall_ns=paying.wall_ns - 10**6, purses=(("m1", "c1", 210), ("m2", "c2", 100)))
        paying.command(copy, role=Role.DEVICE)
    paying.all_clear()
    assert begin(paying, session="y", member="m1").code == "ok"


def test_two_ports_never_share_a_session_id(paying):
    """The row of the first was written over: it cost nothing, and after a start its port ran without caps."""
    assert begin(paying, session="x", member="m1", limit_fen=1000).code == "ok"
    assert begin(paying, port="B1-p2", session="x", member="m1").code == "id_reused"
    assert not paying.operates("B1-p2", on=True)


@pytest.mark.parametrize("restart", [False, True])
def test_the_id_of_a_session_is_used_once(paying, restart):
    """The canteen takes an id that it has charged for paid: who used his own again charged for nothing."""
    begin(paying, session="x", member="m1")
    paying.reports("B1-p1", True)
    draw(paying, 30, 200.0)
    paying.command(StopSession(port="B1-p1"))
    paying.command(ChargePosted(session_id="x", code="ok"), role=Role.DEVICE)
    paying.command(PurseCopy(as_of_wall_ns=paying.wall_ns + 1, purses=(("m1", "c1", 4990),)), role=Role.DEVICE)
    if restart:
        paying.restart()
    paying.all_clear()
    paying.give(DayOpened("2027-01-31"))
    assert begin(paying, session="x", member="m1").code == "id_reused"
    paying.give(DayOpened("2027-03-31"))
    assert begin(paying, session="x", member="m1").code != "id_reused"


def test_too_much_power_trips_the_port_and_keeps_the_evidence(paying):
    begin(paying, member="m1")
    paying.reports("B1-p1", True)
    draw(paying, 5, 200.0)
    paying.sent.clear()
    paying.meter("B1-p1", 700.0)
    assert paying.operates("B1-p1", on=False)
    port = paying.world.ports["B1-p1"]
    assert (port.wanted, port.armed, port.reason) == (False, False, "overpower")
    cut = rows(paying, CutRecordRow)[0]
    assert (cut.reason, unpack(cut.samples)[-1].power_w) == ("overpower", 700.0)
    assert begin(paying, session="s2", member="m1").body["problem"] == "port_not_armed"


def test_a_silent_meter_is_cut_by_the_timer(paying):
    begin(paying, member="m1")
    paying.reports("B1-p1", True)
    paying.meter("B1-p1", 200.0)
    paying.run(15)
    assert paying.world.ports["B1-p1"].wanted
    paying.run(0.3)
    assert paying.world.ports["B1-p1"].reason == "meter_silent"


def test_smoke_ends_the_session_and_bills_what_was_drawn(paying):
    begin(paying, member="m1")
    paying.reports("B1-p1", True)
    draw(paying, 30, 200.0)
    paying.says("B1-s1", True)
    session = rows(paying, SessionRow)[0]
    assert (session.state, session.cost_fen) == ("ended", 10)
    assert paying.world.charging.sessions == {}


def test_the_money_limit_ends_it(paying):
    begin(paying, member="m1", limit_fen=5)
    paying.reports("B1-p1", True)
    draw(paying, 60, 200.0)
    session = rows(paying, SessionRow)[0]
    assert (session.reason, session.cost_fen) == ("money_limit", 5)


@pytest.mark.parametrize(("minimum_fen", "limit_fen"), [(50, 30), (0, 23)], ids=["minimum", "one reading too far"])
def test_what_a_session_says_it_cost_is_what_is_charged(kit, minimum_fen, limit_fen):
    """Also past the limit: the store's own check and the resident's page saw more than was taken."""
    tariff = msgspec.structs.replace(kit.config().tariff, minimum_fen=minimum_fen)
    ports = (kit.port("B1-p1", meter_silent_s=900),)
    garage = kit.new(kit.config(tariff=tariff, ports=ports))
    garage.make_normal()
    garage.command(PurseCopy(as_of_wall_ns=garage.wall_ns, purses=(("m1", "c1", 5000),)), role=Role.DEVICE)
    begin(garage, member="m1", limit_fen=limit_fen)
    garage.reports("B1-p1", True)
    for number in range(20):
        garage.elapse(300)
        garage.all_clear()
        garage.meter("B1-p1", 290.0 + number % 3)
    session, charge = rows(garage, SessionRow)[0], rows(garage, ChargeRow)[0]
    assert (session.reason, session.cost_fen, charge.fen) == ("money_limit", limit_fen, limit_fen)
    assert sum(part["fen"] for part in msgspec.msgpack.decode(session.parts)) == limit_fen


def test_a_stored_counter_bills_nothing_twice(paying):
    begin(paying, member="m1")
    paying.reports("B1-p1", True)
    counter_wh = 1000.0
    for number in range(60):
        paying.elapse(10)
        counter_wh += 200 * 10 / 3600
        paying.meter("B1-p1", 200.0 + number % 3 / 10, energy_wh=counter_wh)
        paying.meter("B1-p1", 200.0, energy_wh=counter_wh - 5, temperature_c=20.0, retained=True)
    paying.command(StopSession(port="B1-p1"))
    assert rows(paying, SessionRow)[0].energy_mwh == pytest.approx((counter_wh - 1000) * 1000, rel=0.03)


def test_a_restart_keeps_the_session_and_counts_the_downtime(paying):
    begin(paying, member="m1")
    paying.reports("B1-p1", True)
    draw(paying, 30, 200.0)
    before = rows(paying, SessionRow)[0].energy_mwh
    paying.sent.clear()
    paying.restart(down_s=600)
    session = paying.world.charging.sessions["B1-p1"]
    assert session.charging.age_ns == pytest.approx(2400 * 10**9, rel=0.04)
    assert not paying.operates("B1-p1", on=True), "never told on again"
    paying.all_clear()
    paying.reports("B1-p1", True)
    draw(paying, 30, 200.0)
    paying.command(StopSession(port="B1-p1"))
    session = rows(paying, SessionRow)[0]
    assert session.energy_mwh == pytest.approx(2 * before, rel=0.05)


def test_a_restart_with_a_doubtful_clock_ends_the_session(paying):
    begin(paying, member="m1")
    paying.reports("B1-p1", True)
    draw(paying, 5, 200.0)
    paying.wall_trusted = False
    paying.restart()
    assert rows(paying, SessionRow)[0].reason == "downtime_unknown"
    assert not paying.world.ports["B1-p1"].wanted
    assert not rows(paying, PortChargingRow)[0].open


def test_cards_at_the_port_start_and_stop(paying):
    paying.give(paying.reading("B1-p1", CardReading(point="B1-p1", card="c1")))
    assert paying.world.ports["B1-p1"].wanted
    paying.give(paying.reading("B1-p1", CardReading(point="B1-p1", card="c2")))
    assert paying.world.ports["B1-p1"].wanted
    paying.give(paying.reading("B1-p1", CardReading(point="B1-p1", card="c1")))
    assert not paying.world.ports["B1-p1"].wanted


def test_the_zones_limit_makes_the_second_wait_and_lets_it_in_afterwards(kit):
    config = kit.config()
    zone = msgspec.structs.replace(config.zones[0], limit_w=400)
    garage = kit.new(msgspec.structs.replace(config, zones=(zone,)))
    garage.make_normal()
    for k in (1, 2):
        answer = garage.command(StartSession(session_id=f"s{k}", port=f"B1-p{k}"))
        assert (answer.code, answer.body["queue"]) == ("ok", k - 1)
    assert not garage.operates("B1-p2", on=True)
    assert garage.shown["port/B1-p2"].queue == 1
    garage.reports("B1-p1", True)
    garage.meter("B1-p1", 200.0)
    garage.command(StopSession(port="B1-p1"))
    assert garage.operates("B1-p2", on=True)
    assert garage.world.charging.sessions["B1-p2"].waiting is False


def test_who_waits_when_smoke_comes_is_sent_home(kit):
    config = kit.config()
    zone = msgspec.structs.replace(config.zones[0], limit_w=400)
    garage = kit.new(msgspec.structs.replace(config, zones=(zone,)))
    garage.make_normal()
    for k in (1, 2):
        garage.command(StartSession(session_id=f"s{k}", port=f"B1-p{k}"))
    garage.says("B1-s1", True)
    garage.run(11)
    assert garage.world.charging.sessions == {}
    assert not garage.operates("B1-p2", on=True)


@pytest.fixture
def full_zone(kit):
    """Five chargers that draw 150 W each, in a zone for 1 kW; ``watts`` is what each draws."""
    zone = msgspec.structs.replace(kit.config().zones[0], limit_w=1000)
    ports = tuple(kit.port(f"p{k}") for k in range(5))
    garage = kit.new(kit.config(zone, ports=ports))
    garage.make_normal()
    garage.watts = dict.fromkeys((port.port for port in ports), 150.0)
    for port in garage.watts:
        assert garage.command(StartSession(session_id=port, port=port)).code == "ok"
    return garage


def live(garage, seconds, step_s=5):
    """Readings every ``step_s`` of what draws, and what does not."""
    for _ in range(seconds // step_s):
        garage.run(0.2)
        garage.elapse(step_s - 0.2)
        for port, watts in garage.watts.items():
            wanted = garage.world.ports[port].wanted
            garage.reports(port, wanted)
            garage.draws(port, watts) if wanted else garage.meter(port, 0.0)
        garage.all_clear()


def test_a_zone_keeps_to_its_limit_after_a_restart(full_zone):
    """Who charged on over the restart was in nobody's count: it was not shed, whatever it drew."""
    live(full_zone, 2400)
    assert all(full_zone.world.ports[port].wanted for port in full_zone.watts)
    full_zone.restart()
    live(full_zone, 60)
    assert all(full_zone.world.ports[port].wanted for port in full_zone.watts), "a restart costs nobody a turn"
    full_zone.watts = dict.fromkeys(full_zone.watts, 400.0)
    live(full_zone, 10, step_s=1)
    drawing = [port for port in full_zone.watts if full_zone.world.ports[port].wanted]
    assert sum(full_zone.watts[port] for port in drawing) <= 1000
    assert len(drawing) == 2


def test_an_id_is_taken_while_its_session_runs_though_it_began_before_the_first_day(garage):
    """Nobody pays for it and its day was not known, so neither a reservation nor the ids of 100 days tell of it."""
    garage.world.day = ""
    body = StartSession(session_id="x", port="B1-p1")
    assert garage.command(body, role=Role.PANEL).code == "ok"
    garage.give(DayOpened("2027-01-31"))
    assert garage.command(StartSession(session_id="x", port="B1-p2"), role=Role.PANEL).code == "id_reused"
