"""An account that leaves: closed at once, emptied as fast as the truth allows, and then a number."""

import io
import json
import zipfile

import pytest
from cryptography.fernet import Fernet
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.db.models import Sum
from django.db.models.functions import Now
from django.test import Client

from accounts.caller import Scope
from accounts.leaving import Part, departing, parts
from accounts.models import ApiToken, Departure, Secret
from accounts.vault.keeping import put
from runs.deletion import files
from runs.models import DoomedFile, Feedback, LedgerEntry, Run, Upload
from tests.chaos.fal import paid
from tests.factories import make_run, planned
from tests.integration.deletion.test_nothing_left import send_file
from tests.integration.deletion.traces import picture, stored, tables_with
from tests.integration.people import bearer, make_user
from tests.integration.recipes import door
from tests.integration.runs.life import go_on, live
from zaps.catalogue import Entry, publish, save_draft
from zaps.models import Zap, ZapVersion

pytestmark = pytest.mark.django_db(transaction=True)

NAME = "quetzalcoatl"


@pytest.fixture(autouse=True)
def vault(settings):
    settings.ZAP_SECRET_KEYS = [Fernet.generate_key().decode()]


@pytest.fixture
def eve(db):
    return User.objects.create_user(username=NAME, password="correct horse", email=f"{NAME}@example.com")


@pytest.fixture
def as_eve(eve):
    return bearer(eve)


def leave(headers, **said):
    body = {"confirm": NAME, **said}
    return Client().delete("/api/account", json.dumps(body), content_type="application/json", headers=headers)


def look():
    """As beat does, when time has passed."""
    Departure.objects.filter(done_at=None).update(due_at=Now())
    departing.go_on()
    DoomedFile.objects.update(due_at=Now())
    files.delete_due()
    return Departure.objects.get()


def told(answer):
    shown = Client().get(answer.json()["receiptUrl"])
    assert shown.status_code == 200
    return shown.json()


def test_nothing_of_the_person_is_left_and_the_money_is_the_same(bells, fal, eve, as_eve, post):
    run = live(paid("a"), owner=eve, session_id=NAME)
    bells.answer_all()
    send_file(as_eve, picture(NAME))
    put("fal", {"fal_key": "an-id:a-secret"}, owner_id=eve.pk, by="user:1")
    save_draft(Entry(source=door(slug=f"{NAME}-draft", description=NAME), prompts={}), author=eve)
    browser = Client()
    browser.force_login(eve)
    spent = LedgerEntry.objects.aggregate(usd=Sum("usd"))
    ledger = list(LedgerEntry.objects.order_by("pk").values())

    answer = leave(as_eve)
    departure = look()

    assert answer.status_code == 202
    assert departure.done_at is not None
    assert tables_with(NAME) == []
    assert stored() == []
    assert (LedgerEntry.objects.aggregate(usd=Sum("usd")), list(LedgerEntry.objects.order_by("pk").values())) == (
        spent,
        ledger,
    )
    assert Run.objects.get().deleted_at is not None
    assert Run.objects.get().cost_usd == run.attempts.get().actual_usd
    for held in (ApiToken, Secret, Upload, Session, Zap):
        assert not held.objects.exists()
    assert User.objects.get(pk=eve.pk).username == f"deleted-{eve.pk}"


def test_it_opens_nothing_from_the_first_moment(eve, as_eve):
    browser, other = Client(), bearer(eve)
    browser.force_login(eve)

    leave(as_eve)

    assert Client().get("/api/runs", headers=other).status_code == 401
    assert browser.get("/api/runs").status_code == 401
    assert not Client().login(username=NAME, password="correct horse")


def test_it_says_what_it_waits_for_and_is_emptied_when_that_has_ended(bells, fal, eve, as_eve):
    fal.work_for(3600)
    run = live(paid("a"), owner=eve)
    bells.answer()  # advance
    bells.answer()  # submit
    answer = leave(as_eve)

    look()
    waiting = told(answer)
    run.refresh_from_db()
    assert (waiting["state"], run.status, run.deleted_at) == ("deleting", "canceled", None)
    assert "1 run has jobs at a provider" in waiting["waitsFor"][0]

    go_on(bells)
    bells.answer_all()
    look()

    assert told(answer)["state"] == "deleted"
    assert Run.objects.get().deleted_at is not None


def test_a_key_needs_its_own_scope_for_it(eve):
    without = bearer(eve, [scope for scope in Scope if scope != Scope.ACCOUNT])

    answers = [
        leave(without),
        Client().get("/api/account/export", headers=without),
        Client().put("/api/account/retention", {"days": 1}, content_type="application/json", headers=without),
    ]

    assert [answer.status_code for answer in answers] == [403, 403, 403]
    assert not Departure.objects.exists()


@pytest.mark.parametrize(
    ("said", "status", "code"),
    [
        ({"confirm": "somebody", "password": "correct horse"}, 422, "INVALID_INPUT"),
        ({"password": "wrong"}, 403, "PASSWORD_WRONG"),
        ({}, 403, "PASSWORD_WRONG"),
        ({"password": "correct horse"}, 202, None),
    ],
)
def test_a_browser_types_the_name_and_the_password(eve, said, status, code):
    browser = Client()
    browser.force_login(eve)

    answer = browser.delete("/api/account", json.dumps({"confirm": NAME, **said}), content_type="application/json")

    assert (answer.status_code, answer.json().get("code")) == (status, code)
    assert Departure.objects.exists() == (status == 202)


def test_a_receipt_that_there_is_not_tells_nothing(db):
    assert Client().get("/api/account/departure?token=nothing").status_code == 404


def test_what_others_can_see_stays_under_a_number_and_the_rest_goes(eve, as_eve):
    for slug, visibility in [("shown", "public"), ("own", "private")]:
        publish(Entry(source=door(slug=slug, description=slug), prompts={}, visibility=visibility), author=eve)
    save_draft(Entry(source=door(slug="shown", description="an idea"), prompts={}), author=eve)

    leave(as_eve)
    look()

    assert list(Zap.objects.values_list("slug", "status", "author__username")) == [
        ("shown", "published", f"deleted-{eve.pk}")
    ]
    assert Zap.objects.get().source == ZapVersion.objects.get().source


def test_nothing_of_others_is_touched(bells, eve, as_eve, alice, as_alice):
    theirs = make_run(planned("a"), owner=alice)
    bells.answer_all()
    send_file(as_alice, picture("of alice"))
    before = stored()

    leave(as_eve)
    look()

    theirs.refresh_from_db()
    assert theirs.deleted_at is None
    assert stored() == before
    assert ApiToken.objects.filter(owner=alice).exists()


def test_a_part_that_waits_keeps_those_behind_it_waiting(eve, as_eve, monkeypatch):
    asked = []
    monkeypatch.setattr(parts, "_parts", {})
    parts.register(Part(name="late", remove=lambda user_pk: asked.append("late") or (), order=50))
    parts.register(Part(name="early", remove=lambda user_pk: asked.append("early") or ["A reason."], order=10))
    answer = leave(as_eve)

    look()

    assert asked == ["early"]
    assert told(answer)["waitsFor"] == ["A reason."]


def test_a_part_that_fails_is_tried_again_and_stops_no_other_account(eve, as_eve, alice, as_alice, monkeypatch):
    def remove(user_pk):
        if user_pk == eve.pk:
            raise RuntimeError
        return ()

    monkeypatch.setattr(parts, "_parts", {})
    parts.register(Part(name="broken", remove=remove))
    leave(as_eve)
    leave(as_alice, confirm="alice")

    departing.go_on()

    assert Departure.objects.get(user=alice).done_at is not None
    assert Departure.objects.get(user=eve).waits_for == ["Something failed on our side; it is tried again."]


def test_an_export_holds_what_there_is_and_nothing_of_others(bells, eve, as_eve, alice):
    run = make_run(planned("a", prompt="a red boat"), owner=eve, inputs={"NAME": "Ada"})
    make_run(planned("a", prompt="of alice"), owner=alice)
    bells.answer_all()
    Feedback.objects.create(run=run, kind="rlhf_vote", rater="human", comment="lovely")
    put("fal", {"fal_key": "an-id:a-secret"}, owner_id=eve.pk, by="user:1")

    answer = Client().get("/api/account/export", headers=as_eve)
    packed = zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content)))
    held = {name: packed.read(name).decode() for name in packed.namelist()}

    assert json.loads(held["runs.jsonl"])["inputs"] == {"NAME": "Ada"}
    assert json.loads(held["assets.jsonl"])["url"] == run.assets.get().url
    assert "a red boat" in held["steps.jsonl"]
    assert "lovely" in held["feedback.jsonl"]
    assert json.loads(held["account.jsonl"])["username"] == NAME
    whole = "".join(held.values())
    assert not [word for word in ("of alice", "a-secret", "ciphertext", "digest", "password") if word in whole]


def test_staff_let_an_account_go_from_the_admin(eve):
    sam = make_user("sam", staff=True)
    User.objects.filter(pk=sam.pk).update(is_superuser=True)
    admin = Client()
    admin.force_login(User.objects.get(pk=sam.pk))
    order = {"action": "let_go", "_selected_action": [str(eve.pk)]}

    asked = admin.post("/admin/auth/user/", order)
    assert (asked.status_code, Departure.objects.count()) == (200, 0)
    admin.post("/admin/auth/user/", {**order, "confirmed": "yes"})

    assert Departure.objects.get().asked_by == f"user:{sam.pk}"
