import pytest

from config import checks


def codes(found):
    return [message.id for message in found]


def test_the_settings_as_they_are_pass_every_check():
    assert [message for check in checks.ALL for message in check(None)] == []


def test_a_broker_that_gives_messages_up_too_early_is_an_error(settings):
    settings.CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 250}
    settings.CELERY_TASK_TIME_LIMIT = 120

    assert codes(checks.check_visibility(None)) == ["config.E001"]


def test_a_poll_lease_shorter_than_a_poll_is_a_warning(settings):
    settings.ZAP_POLL_LEASE_S = 10

    assert codes(checks.check_leases(None)) == ["config.W001"]


def test_a_drain_address_without_a_secret_is_an_error(settings):
    settings.ZAP_POLL_DRAIN_URL = "https://zap.example.com/api/providers/poll/drain"

    assert codes(checks.check_drain_secret(None)) == ["config.E002"]

    settings.ZAP_POLL_DRAIN_SECRET = "word"
    assert codes(checks.check_drain_secret(None)) == []


def test_a_public_address_without_tls_is_a_warning_unless_it_is_this_machine(settings):
    settings.ZAP_PUBLIC_URL = "http://zap.example.com"
    assert codes(checks.check_public_url(None)) == ["config.W002"]

    settings.ZAP_PUBLIC_URL = "http://127.0.0.1:8000"
    assert codes(checks.check_public_url(None)) == []


def test_an_unknown_provider_is_an_error_that_lists_the_known_ones(settings):
    settings.ZAP_PROVIDER = "moc"

    found = checks.check_provider(None)

    assert codes(found) == ["config.E003"]
    assert "mock" in found[0].hint


def test_a_judge_s_key_never_goes_over_plain_http_to_another_machine(settings):
    settings.ZAP_JUDGE_URL, settings.ZAP_JUDGE_KEY = "http://judge.example.com/v1", "sk-key"
    found = checks.check_judge(None)

    assert codes(found) == ["config.E005"]
    assert "sk-key" not in str(found)

    settings.ZAP_JUDGE_URL = "http://127.0.0.1:8000/v1"
    assert codes(checks.check_judge(None)) == []

    settings.ZAP_JUDGE_URL, settings.ZAP_JUDGE_KEY = "http://judge.lan/v1", ""
    assert codes(checks.check_judge(None)) == []


def test_a_plug_in_that_is_left_out_is_a_warning_that_names_its_package(left_out):
    (warning,) = checks.check_plug_ins(None)

    assert warning.id == "config.W004"
    assert warning.msg == ("The plug-in acme of zaps-acme 1.2 is left out. It needs acme_sdk, which is missing.")
    assert warning.hint == "Mend or upgrade zaps-acme, or uninstall it."


def test_a_provider_address_that_is_none_is_an_error(settings, monkeypatch):
    monkeypatch.setenv("FAL_BASE_URL", "queue.fal.run")

    assert codes(checks.check_provider_addresses(None)) == ["config.E004"]


def test_a_provider_on_loopback_needs_leave(settings, monkeypatch):
    monkeypatch.setenv("FAL_BASE_URL", "http://127.0.0.1:9")
    assert codes(checks.check_provider_addresses(None)) == ["config.W003"]

    settings.ZAP_ALLOW_LOOPBACK = True
    assert codes(checks.check_provider_addresses(None)) == []


def test_a_provider_address_in_the_clear_is_an_error_off_this_machine(monkeypatch):
    monkeypatch.setenv("FAL_BASE_URL", "http://fal.example.com")

    assert codes(checks.check_provider_addresses(None)) == ["config.E004"]


@pytest.mark.parametrize("address", ["http://10.0.0.7:8188", "http://gpu.internal:8188", "https://gpu.example.com"])
def test_a_machine_of_the_operator_s_may_be_anywhere(monkeypatch, address):
    monkeypatch.setenv("COMFYUI_BASE_URL", address)

    assert codes(checks.check_provider_addresses(None)) == []


@pytest.mark.parametrize("address", ["gpu.internal:8188", "file:///tmp", "http://me:word@gpu.internal:8188"])
def test_even_a_machine_of_the_operator_s_has_an_address_without_a_password(monkeypatch, address):
    monkeypatch.setenv("COMFYUI_BASE_URL", address)

    assert codes(checks.check_provider_addresses(None)) == ["config.E004"]


@pytest.mark.parametrize(
    ("options", "found"),
    [
        ({"endpoint_url": "http://minio:9000", "public_url": ""}, ["config.W005"]),
        ({"endpoint_url": "https://s3.example.com", "public_url": "http://media.example.com"}, ["config.W005"]),
        ({"endpoint_url": "http://minio:9000", "public_url": "https://media.example.com"}, []),
        ({"endpoint_url": "http://127.0.0.1:9000", "public_url": ""}, []),
        ({"endpoint_url": None, "public_url": ""}, []),
    ],
)
def test_callers_are_led_to_a_bucket_over_https(settings, options, found):
    settings.STORAGES = {**settings.STORAGES, "default": {"BACKEND": "runs.s3.BucketStorage", "OPTIONS": options}}

    assert codes(checks.check_storage(None)) == found
