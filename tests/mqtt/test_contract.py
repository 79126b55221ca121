"""The same contract with both brokers: messages, acknowledgements, sessions, retained states, refusals, deaths."""

from __future__ import annotations

import asyncio
import contextlib
import socket

import aiomqtt
import pytest

from drivers.links.link import LinkError, LinkUrlError
from drivers.links.mqtt_link import UNSENT_MAX
from drivers.links.opening import opener_of


def test_a_message_in_and_a_command_out(broker, heard, linked, run, message):
    async def both_ways():
        told = heard()
        async with broker.peer() as peer, linked(broker.url(topics="a/%23,b/+"), told) as link:
            await peer.subscribe("cmnd/#", qos=1)
            await peer.publish("a/deep/down", '{"smoke":true}', qos=1)
            await peer.publish("b/x", "plain", qos=0)
            await peer.publish("c/x", "not asked for", qos=1)
            await told.until(lambda t: len(t.messages) == 2)
            link.write(message("cmnd/plug/POWER", "OFF", expiry_s=600))
            command = await anext(aiter(peer.messages))
        by_topic = {each["topic"]: each for each in told.messages}
        assert by_topic["a/deep/down"]["payload"] == '{"smoke":true}'
        assert not by_topic["a/deep/down"]["retain"]
        assert by_topic["b/x"]["payload"] == "plain"
        assert (str(command.topic), command.payload, command.qos, command.retain) == (
            "cmnd/plug/POWER",
            b"OFF",
            1,
            False,
        )
        if broker.v5:
            assert 540 <= command.properties.MessageExpiryInterval <= 600

    run(both_ways())


def test_a_command_is_never_kept_for_later(broker, heard, linked, run, message):
    async def late_listener():
        told = heard()
        async with linked(broker.url(topics="a/%23,echo"), told) as link:
            link.write(message("cmnd/plug/POWER", "ON", retain=True))
            link.write(message("echo", "sent after it"))
            await told.until(lambda t: t.messages)
        async with broker.peer() as peer:
            await peer.subscribe("#", qos=1)
            await peer.publish("mark", "x", qos=1)
            first = await anext(aiter(peer.messages))
            assert str(first.topic) == "mark"

    run(late_listener())


def test_the_session_holds_what_came_meanwhile(broker, heard, linked, run):
    async def away():
        async with linked(broker.url(), heard()):
            pass
        async with broker.peer() as peer:
            for number in range(30):
                await peer.publish("a/x", str(number), qos=1)
        told = heard()
        async with linked(broker.url(), told):
            await told.until(lambda t: len(t.messages) >= 30)
            async with broker.peer() as peer:
                await peer.publish("a/x", "30", qos=1)
            await told.until(lambda t: len(t.messages) >= 31)
        assert sorted(told.payloads, key=int) == [str(number) for number in range(31)]
        queued = [message.get("queued", False) for message in told.messages]
        assert not queued[-1], "it came to a listener"
        if broker.v5:
            assert all(queued[:-1]), "Mosquitto sends what it kept before it answers the subscription"

    run(away())


def test_a_retained_state_is_marked_and_comes_again_with_each_opening(broker, heard, linked, run):
    async def twice():
        async with broker.peer() as peer:
            await peer.publish("a/head", '{"smoke":true}', qos=1, retain=True)
            for _ in range(2):
                told = heard()
                async with linked(broker.url(), told):
                    await told.until(lambda t: any(each["retain"] for each in t.messages))
                    await peer.publish("a/head2", '{"smoke":false}', qos=1)
                    # amqtt gives a known session its retained states twice: the second time may come after this.
                    await told.until(lambda t: any(each["topic"] == "a/head2" for each in t.messages))
                    assert [m["retain"] for m in told.messages if m["topic"] == "a/head2"] == [False]
                    assert {m["retain"] for m in told.messages if m["topic"] == "a/head"} == {True}

    run(twice())


def test_a_new_connection_of_a_client_takes_over_and_hears_what_comes(broker, heard, run):
    """The old one may look alive for minutes (a power cut, a box that was replaced)."""

    async def take_over():
        links, told = [], []
        async with broker.peer() as peer:
            for number in range(4):
                told.append(heard())
                links.append(await opener_of(broker.url()).open(told[-1]))
                await peer.publish("a/x", str(number), qos=1)
                await told[-1].until(lambda t, n=str(number): n in t.payloads)
            for each in told[:-1]:
                await each.until(lambda t: t.lost)
        assert told[-1].lost is None
        links[-1].close()

    run(take_over())


def test_a_connection_that_closes_as_the_next_one_opens_does_not_make_that_one_deaf(broker, heard, linked, run):
    async def again_and_again():
        async with broker.peer() as peer:
            for number in range(20):
                told = heard()
                async with linked(broker.url(), told):
                    await peer.publish("a/x", str(number), qos=1)
                    await told.until(lambda t, n=str(number): n in t.payloads)

    run(again_and_again())


def test_a_stranger_with_the_name_of_a_client_does_not_end_its_connection(broker, heard, linked, run):
    async def intrude():
        told = heard()
        async with broker.peer() as peer, linked(broker.url(), told):
            will = aiomqtt.Will("a/will", "from a stranger", qos=1)
            with pytest.raises(aiomqtt.MqttError):
                async with broker.peer("edge", user="edge", password="wrong", will=will, clean_session=False):
                    pass
            await peer.publish("a/x", "still here", qos=1)
            await told.until(lambda t: "still here" in t.payloads)
            assert told.lost is None
        again = heard()
        async with broker.peer() as peer, linked(broker.url(), again):
            await peer.publish("a/x", "mark", qos=1)
            await again.until(lambda t: "mark" in t.payloads)
        assert "from a stranger" not in told.payloads + again.payloads

    run(intrude())


def test_a_killed_broker_is_noticed_and_found_again_with_its_stale_states(broker, heard, run, message):
    async def die_and_return():
        opener = opener_of(broker.url())
        told = heard()
        async with broker.peer() as peer:
            await peer.publish("a/head", '{"smoke":true}', qos=1, retain=True)
            link = await opener.open(told)
            await told.until(lambda t: t.messages)
            if broker.keeps:
                await broker.kept("a/head")
            with contextlib.suppress(aiomqtt.MqttError):
                broker.kill()
                await told.until(lambda t: t.lost)
                link.write(message("cmnd/x", "OFF"))
                with pytest.raises(LinkError, match="is the broker running"):
                    await opener.open(heard())
                broker.start()
        if not broker.keeps:  # the embedded one forgets: some device's retained state is there before us
            async with broker.peer() as peer:
                await peer.publish("a/head", '{"smoke":true}', qos=1, retain=True)
        again = heard()
        link = await opener.open(again)
        await again.until(lambda t: t.messages)
        assert again.messages[0]["retain"], "what stands at the broker is no event"
        link.close()

    run(die_and_return())


def test_a_wrong_password_is_told_and_not_shown(broker, linked, heard, run):
    async def refused():
        (broker.directory / "edge.password").write_text("not the password\n")
        with pytest.raises(LinkError, match=r"refuses user 'edge'.*check the user and the password") as caught:
            await opener_of(broker.url()).open(heard())
        assert "not the password" not in str(caught.value)
        (broker.directory / "edge.password").unlink()
        with pytest.raises(LinkError, match=r"edge\.password \(password_file\): No such file"):
            await opener_of(broker.url()).open(heard())
        old = "" if broker.v5 else "&v5=no"
        with pytest.raises(LinkError, match="without a user"):
            await opener_of(f"mqtt://127.0.0.1:{broker.port}?client=x&topics=a{old}").open(heard())

    run(refused())


def test_a_password_out_of_the_environment(broker, linked, heard, run, monkeypatch):
    old = "" if broker.v5 else "&v5=no"
    url = f"mqtt://edge@127.0.0.1:{broker.port}?client=x&topics=a&password_env=GARAGE_MQTT{old}"

    async def open_it():
        monkeypatch.delenv("GARAGE_MQTT", raising=False)
        with pytest.raises(LinkError, match="GARAGE_MQTT"):
            await opener_of(url).open(heard())
        monkeypatch.setenv("GARAGE_MQTT", broker.passwords["edge"])
        async with linked(url, heard()):
            pass

    run(open_it())


def test_nagle_is_off_on_both_ends(broker, heard, linked, run, listener_option):
    async def look():
        async with linked(broker.url(), heard()) as link, broker.peer() as peer:
            ours = link.socket
            assert ours.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1
            theirs = peer._client.socket()
            assert theirs.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1
            accepted = listener_option(broker.process.pid, broker.port, socket.TCP_NODELAY)
            assert accepted[ours.getsockname()] == 1
            assert accepted[theirs.getsockname()] == 1

    run(look())


def test_reading_can_be_paused(broker, heard, linked, run):
    async def pause():
        told = heard()
        async with broker.peer() as peer, linked(broker.url(), told) as link:
            link.pause_reading()
            for number in range(50):
                await peer.publish("a/x", str(number), qos=number % 2)
            await asyncio.sleep(0.1)
            assert told.messages == []
            link.resume_reading()
            await told.until(lambda t: len(t.messages) == 50)

    run(pause())


def test_a_burst_of_commands_passes_and_more_than_the_bound_gives_the_link_up(broker, heard, linked, run, message):
    async def burst():
        told = heard()
        async with linked(broker.url(topics="a/%23"), told) as link:
            for number in range(400):
                link.write(message(f"a/{number}", "OFF"))
            await told.until(lambda t: len(t.messages) == 400)
        told = heard()
        async with linked(broker.url(topics="b/%23", client="second"), told) as link:
            for number in range(UNSENT_MAX + 1):
                link.write(message(f"c/{number}", "OFF"))
            await told.until(lambda t: t.lost)
            assert "takes no messages" in told.lost

    run(burst())


def test_without_topics_there_is_no_link(broker):
    with pytest.raises(LinkUrlError, match="no topics"):
        opener_of(f"mqtt://127.0.0.1:{broker.port}?client=x")
