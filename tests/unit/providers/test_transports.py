"""What both transports promise about the calls that they make."""

import asyncio

import pytest

from providers import http
from providers.contract import Call
from providers.emulator.wire import Answer, reply
from providers.errors import NotSent, SubmissionUnknown, Unavailable
from providers.home import Home
from providers.http_async import AsyncTransport


def blocking(talk, timeout_s=1.0):
    return http.hold(talk, timeout_s=(timeout_s, timeout_s))


def asynchronous(talk, timeout_s=1.0):
    async def hold():
        async with AsyncTransport() as transport:
            return await transport.hold(talk, timeout_s=timeout_s)

    return asyncio.run(hold())


@pytest.fixture(params=[blocking, asynchronous], ids=["blocking", "async"])
def converse(request):
    return request.param


def call(method, url, **fields):
    """As an adapter would make it whose address the operator wrote into the settings."""
    return Call(method=method, url=url, home=Home.named_by_operator(url), **fields)


def one(method, url, **fields):
    return (yield call(method, url, **fields))


def test_a_conversation_ends_in_what_it_returns(serve, converse):
    server = serve(reply({"n": 1}))

    def talk():
        first = yield call("GET", f"{server.url}/a")
        second = yield call("PUT", f"{server.url}/b", body=b"x")
        return first.status, second.body

    assert converse(talk()) == (200, b'{"n":1}')
    assert [(one.method, one.path, one.body) for one in server.requests] == [("GET", "/a", b""), ("PUT", "/b", b"x")]


def test_a_conversation_may_make_no_call(converse):
    def talk():
        return 7
        yield

    assert converse(talk()) == 7


def test_names_of_headers_are_found_in_lower_case(serve, converse):
    server = serve(reply({}, x_fal_retryable="true"))

    assert converse(one("GET", server.url)).headers.get("x-fal-retryable") == "true"


def test_a_conversation_hears_of_a_failure_where_it_stands(closed_port, serve, converse):
    server = serve(reply({}))

    def talk():
        try:
            yield call("POST", closed_port)
        except Unavailable:
            return (yield call("GET", server.url)).status

    assert converse(talk()) == 200


def test_a_paid_call_to_nobody_was_not_sent(closed_port, converse):
    with pytest.raises(NotSent):
        converse(one("POST", closed_port, paid=True))


def test_a_paid_call_to_an_unknown_name_was_not_sent(converse):
    with pytest.raises(NotSent):
        converse(one("POST", "http://nobody.invalid", paid=True), timeout_s=5)


def test_a_paid_call_without_a_secure_connection_was_not_sent(serve, converse):
    server = serve(reply({}))

    with pytest.raises(NotSent):
        converse(one("POST", server.url.replace("http:", "https:"), paid=True))

    assert server.opened == 1


@pytest.mark.parametrize("answer", [Answer(drop=True), Answer(delay_s=3), Answer(body=b"x" * 200, cut_after=100)])
def test_a_paid_call_that_lost_its_answer_is_unknown_and_was_made_once(serve, converse, answer):
    server = serve(answer)

    with pytest.raises(SubmissionUnknown):
        converse(one("POST", server.url, paid=True), timeout_s=0.5)

    assert len(server.requests) == 1


def test_a_paid_call_never_shares_a_connection(serve, converse):
    server = serve(reply({}))

    def talk():
        yield call("GET", server.url)
        yield call("POST", server.url, paid=True)
        yield call("POST", server.url, paid=True)

    converse(talk())

    assert server.opened == 3


def test_calls_that_cost_nothing_share_one(serve, converse):
    server = serve(reply({}))

    def talk():
        yield call("GET", server.url)
        yield call("GET", server.url)

    converse(talk())

    assert server.opened == 1


def test_a_redirect_is_an_answer_and_is_not_followed(serve, converse):
    server = serve(reply({}, 302, location="/elsewhere"))

    assert converse(one("GET", server.url)).status == 302
    assert len(server.requests) == 1


@pytest.mark.parametrize("paid", [True, False])
def test_an_endless_answer_is_cut_off(serve, converse, paid):
    server = serve(Answer(body=b"x" * 8_000_001))

    with pytest.raises(SubmissionUnknown if paid else Unavailable):
        converse(one("POST", server.url, paid=paid), timeout_s=5)


def test_an_answer_that_drips_is_cut_off_by_the_clock(serve, converse):
    server = serve(Answer(body=b"x" * 6400, drip_s=0.1))

    with pytest.raises(Unavailable):
        converse(one("POST", server.url), timeout_s=0.5)


def test_no_proxy_of_the_environment_is_used(serve, converse, monkeypatch, closed_port):
    monkeypatch.setenv("http_proxy", closed_port)
    monkeypatch.setenv("HTTP_PROXY", closed_port)
    server = serve(reply({}))

    assert converse(one("GET", server.url)).status == 200


def test_a_cookie_is_not_given_back(serve, converse):
    server = serve(reply({}, set_cookie="seen=1; Path=/"))
    url = server.url.replace("127.0.0.1", "localhost")  # some jars keep no cookies of bare addresses

    def talk():
        yield call("GET", url)
        yield call("GET", url)

    converse(talk())

    assert "cookie" not in server.requests[1].headers


def test_a_get_is_tried_again_when_the_gateway_is_in_trouble(serve):
    answers = [reply({}, 502), reply({}, 503), reply({"ok": 1})]
    server = serve(lambda _: answers.pop(0))

    assert blocking(one("GET", server.url), timeout_s=3).status == 200
    assert len(server.requests) == 3


def test_when_the_provider_says_how_long_to_wait_the_schedule_does_the_waiting(serve):
    server = serve(reply({}, 503, retry_after="30"))

    assert blocking(one("GET", server.url)).status == 503
    assert len(server.requests) == 1


def test_a_post_is_never_repeated(serve):
    server = serve(reply({}, 503))

    assert blocking(one("POST", server.url)).status == 503
    assert len(server.requests) == 1


def test_post_json_reads_an_object(serve):
    server = serve(reply({"processedCount": 3}))

    answer = http.post_json(server.url, headers={"x-zap-cron-secret": "s"}, timeout_s=2)

    assert answer == {"processedCount": 3}
    assert server.requests[0].headers["x-zap-cron-secret"] == "s"
    assert server.requests[0].headers["content-length"] == "0"


def test_the_session_of_the_drain_outlives_its_cycles(serve):
    server = serve(reply({}))

    async def two_cycles():
        async with AsyncTransport() as transport:
            await transport.hold(one("GET", server.url))
            await asyncio.sleep(0)
            await transport.hold(one("GET", server.url))

    asyncio.run(two_cycles())

    assert server.opened == 1


@pytest.mark.parametrize("paid", [False, True])
def test_a_call_that_may_take_long_is_given_its_own_time(serve, converse, paid):
    server = serve(lambda _: Answer(body=b"{}", delay_s=0.5))

    answer = converse(one("POST", server.url, paid=paid, timeout_s=5), timeout_s=0.2)

    assert answer.body == b"{}"


@pytest.mark.parametrize(("paid", "error"), [(False, Unavailable), (True, SubmissionUnknown)])
def test_an_answer_may_be_as_long_as_the_call_says_and_no_longer(serve, converse, paid, error):
    server = serve(lambda _: Answer(body=b"x" * 2000))

    assert len(converse(one("POST", server.url, paid=paid, most_bytes=2000)).body) == 2000
    with pytest.raises(error):
        converse(one("POST", server.url, paid=paid, most_bytes=1999))
