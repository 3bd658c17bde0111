"""Steps that are shared: made once for all runs of one owner."""

from base64 import b64encode
from decimal import Decimal

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db.models.functions import Now

from media.mock import mock_media
from runs.inputs import store_inputs
from runs.models import Upload
from tests.chaos.fal import paid
from tests.factories import make_run, planned
from tests.integration.runs.life import USD, attempts_of, go_on, judging, live, states, step_of
from zaps.planned import Gate, InputRef, Role, Source

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def eva(django_user_model):
    return django_user_model.objects.create(username="eva")


@pytest.fixture
def bob(django_user_model):
    return django_user_model.objects.create(username="bob")


def ends(bells, run, status="done"):
    go_on(bells)
    assert states(run)[0] == status
    return run


def data_uri(content):
    return f"data:image/png;base64,{b64encode(content).decode()}"


def source_of(run, step_id="a"):
    return attempts_of(run, step_id)[-1].cost_source


def test_the_same_request_of_the_same_owner_is_made_once(bells, fal, eva):
    ends(bells, live(paid("a", shared=True), owner=eva))

    run = ends(bells, live(paid("other_name", shared=True), paid("b", "other_name"), owner=eva))

    assert source_of(run, "other_name") == "reused"
    assert len(fal.bought()) == 2
    assert run.cost_usd == USD
    assert step_of(run, "other_name").actual_usd == 0


def test_what_is_not_shared_is_made_for_every_run(bells, fal, eva):
    ends(bells, live(paid("a"), owner=eva))

    assert source_of(ends(bells, live(paid("a"), owner=eva))) == "derived"


@pytest.mark.parametrize(
    "change",
    [{"prompt": "a harbour"}, {"aspect": "1:1"}, {"params": {"seed": 7}}, {"duration_s": Decimal(3)}],
)
def test_another_request_is_made_again(bells, fal, eva, change):
    ends(bells, live(paid("a", shared=True), owner=eva))

    assert source_of(ends(bells, live(paid("a", shared=True, **change), owner=eva))) == "derived"


def test_another_picture_that_goes_in_makes_another_request(bells, eva):
    source = (InputRef(source=Source.USER, name="PHOTO"),)
    step = planned("a", kind="image.edit", shared=True, inputs=source)
    ends(bells, make_run(step, owner=eva, inputs={"PHOTO": "https://example.com/1.png"}))

    again = ends(bells, make_run(step, owner=eva, inputs={"PHOTO": "https://example.com/1.png"}))
    other = ends(bells, make_run(step, owner=eva, inputs={"PHOTO": "https://example.com/2.png"}))

    assert (source_of(again), source_of(other)) == ("reused", "reported")


def test_a_picture_is_the_same_whether_it_came_with_the_order_or_before_it(bells, eva):
    step = planned("a", kind="image.edit", shared=True, inputs=(InputRef(source=Source.USER, name="PHOTO"),))
    one, two = mock_media("png", seed="1"), mock_media("png", seed="2")
    sent, other = (store_inputs({"PHOTO": data_uri(content)}) for content in (one, two))
    digest = sent["PHOTO"].partition("|")[0].rpartition("/")[2]
    upload = Upload(upload_id="upload_0123456789abcdef", owner=eva, sha256=digest, kind="png", content_type="image/png")
    upload.storage_key, upload.size_bytes, upload.expires_at = f"uploads/{upload.upload_id}/{digest}", 1, Now()
    upload.save()
    default_storage.save(upload.storage_key, ContentFile(one))

    given = [sent, {"PHOTO": upload.reference}, other]
    runs = [ends(bells, make_run(step, owner=eva, inputs=inputs)) for inputs in given]

    assert [source_of(run) for run in runs] == ["reported", "reused", "reported"]


def test_what_a_step_is_made_of_counts_by_its_bytes(bells, fal, eva):
    edit = planned("b", "a", kind="image.edit", shared=True)
    ends(bells, live(paid("a"), edit, owner=eva))

    run = ends(bells, live(paid("a", prompt="another text, and the vendor's same picture"), edit, owner=eva))

    assert (source_of(run, "a"), source_of(run, "b")) == ("derived", "reused")


def test_the_role_of_what_goes_in_counts(bells, fal, eva):
    first = InputRef(source=Source.STEP, name="a", role=Role.FIRST_FRAME)
    ends(bells, live(paid("a"), planned("b", "a", kind="image.edit", shared=True), owner=eva))

    run = ends(bells, live(paid("a"), planned("b", "a", kind="image.edit", shared=True, inputs=(first,)), owner=eva))

    assert source_of(run, "b") == "reported"


def test_nobody_gets_what_another_owner_made(bells, fal, eva, bob):
    ends(bells, live(paid("a", shared=True), owner=eva))

    assert source_of(ends(bells, live(paid("a", shared=True), owner=bob))) == "derived"


def test_runs_that_nobody_owns_share_nothing(bells, fal):
    ends(bells, live(paid("a", shared=True)))

    assert source_of(ends(bells, live(paid("a", shared=True)))) == "derived"


def test_what_the_mock_made_never_stands_in_a_live_run(bells, fal, eva):
    ends(bells, make_run(planned("a", shared=True), owner=eva))

    assert source_of(ends(bells, live(paid("a", shared=True), owner=eva))) == "derived"


def test_what_failed_is_not_shared(bells, fal, eva):
    fal.fault("submit", "reject")
    ends(bells, live(paid("a", shared=True), owner=eva), "failed")

    assert source_of(ends(bells, live(paid("a", shared=True), owner=eva))) == "derived"


def test_only_the_candidate_that_was_chosen_is_shared(bells, fal, judge, eva):
    judge.says(0.7, 0.9)
    first = ends(bells, live(paid("a", shared=True, candidates=2, judge=judging()), owner=eva))

    second = ends(bells, live(paid("a", shared=True, candidates=2, judge=judging()), owner=eva))

    assert len(attempts_of(second)) == 1
    assert attempts_of(second)[0].assets.get().storage_key == step_of(first).chosen.assets.get().storage_key
    assert (judge.looks, second.cost_usd) == (2, 0)


def test_what_no_judge_looked_at_does_not_pass_as_judged(bells, fal, judge, eva):
    ends(bells, live(paid("a", shared=True), owner=eva))

    ends(bells, live(paid("a", shared=True, judge=judging()), owner=eva))

    assert judge.looks == 1


def test_a_gate_holds_what_nobody_approved_before(bells, fal, eva):
    ends(bells, live(paid("a", shared=True), owner=eva))

    ends(bells, live(paid("a", shared=True, gate=Gate()), owner=eva), "waiting")


def test_what_waits_at_a_gate_elsewhere_is_not_shared(bells, fal, eva):
    ends(bells, live(paid("a", shared=True, gate=Gate()), owner=eva), "waiting")

    run = ends(bells, live(paid("a", shared=True, gate=Gate()), owner=eva), "waiting")

    assert source_of(run) == "derived"


def test_it_is_taken_over_even_where_a_bill_has_used_up_the_money(bells, fal, eva):
    ends(bells, live(paid("shared", shared=True), owner=eva))
    dear = paid("a", prompt="dear")
    dear = type(dear)(**{**{name: getattr(dear, name) for name in dear.__slots__}, "quote_usd": Decimal("0.001")})

    run = ends(bells, live(dear, paid("b", "a", shared=True), owner=eva, cap="0.026"))

    assert source_of(run, "b") == "reused"
    assert run.cost_usd == USD
