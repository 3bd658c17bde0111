"""Every transcript that is kept here is played back to its adapter, which has to talk as it did then.

`recorded_from` says whose answers they are. Those of the emulator show that an adapter has not changed; only those of a
vendor show that it is right.
"""

import json
import os
from pathlib import Path

import pytest

from providers import registry
from providers.contract import Job, JobState
from providers.download import Limits, download
from providers.emulator import Emulator
from providers.emulator.media import like
from providers.errors import ProviderError
from providers.registry import PROVIDERS, base_url_variable
from providers.transcript.page import EMULATOR, VENDOR, Transcript, TranscriptInvalid

HERE = Path(__file__).parent
FILES = sorted((HERE / "transcripts").glob("*.json"))
CLASSES = {"image": "png", "video": "mp4", "audio": "wav"}
FAL = HERE / "transcripts" / "fal-video-gen.json"


def adapter(transcript, emulator):
    settings = {
        base_url_variable(transcript.provider): emulator.urls[transcript.provider],
        "COMFYUI_WORKFLOWS": str(HERE / "workflows"),
    }
    return registry.provider(transcript.provider, environ={**os.environ, **settings})


def key_for(provider):
    """Of the shape that the recordings were made with."""
    return "" if provider.key_is_optional else "\n".join(["replayed:key", *("more" for _ in provider.key_extras)])


def asked(transcript):
    return transcript.generation(lambda content_type: like(content_type)[1])


def buy(provider, transcript, converse, folder, *, idem_key="replay"):
    """Submit, poll until it is over, fetch. Returns the job's id and the results."""
    key = key_for(provider)
    job = converse(provider.submit(asked(transcript), key=key, idem_key=idem_key))
    snapshot = job.snapshot
    for _ in transcript.calls:
        if snapshot is not None and snapshot.is_over:
            break
        snapshot = converse(provider.poll(job, key=key))
    assert snapshot.state is JobState.DONE
    limits = Limits(allow_loopback=True)
    return job.request_id, [
        download(output, folder, provider=provider, key=key, limits=limits) for output in snapshot.outputs
    ]


def said(emulator, transcript):
    sheet = emulator.desks[transcript.provider].sheet
    return sheet.differences + sheet.missing()


def fal_with(change):
    """fal's transcript with its submission, or another call, changed by `change`."""
    document = json.loads(FAL.read_text())
    change(document["calls"])
    return Transcript.parse(json.dumps(document))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_an_adapter_still_talks_as_it_did_when_it_was_recorded(path, converse, tmp_path):
    transcript = Transcript.read(path)

    with Emulator(transcripts=[transcript]) as emulator:
        _, results = buy(adapter(transcript, emulator), transcript, converse, tmp_path)
        assert said(emulator, transcript) == []

    kinds = [CLASSES[file["content_type"].partition("/")[0]] for file in transcript.files]
    assert [one.kind for one in results] == kinds != []


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_second_submission_begins_anew_with_another_id(path, converse, tmp_path):
    transcript = Transcript.read(path)

    with Emulator(transcripts=[transcript]) as emulator:
        provider = adapter(transcript, emulator)
        first, _ = buy(provider, transcript, converse, tmp_path)
        again, _ = buy(provider, transcript, converse, tmp_path, idem_key="another")
        assert said(emulator, transcript) == []

    assert first != again


@pytest.mark.parametrize("name", sorted({entry.name for entry in PROVIDERS} - {"mock"}))
def test_every_vendor_has_a_transcript(name):
    assert [path for path in FILES if Transcript.read(path).provider == name]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_transcript_says_whose_answers_it_holds(path):
    transcript = Transcript.read(path)

    assert transcript.recorded_from in (EMULATOR, VENDOR)
    assert transcript.outcome == "done"
    assert path.stem.startswith(f"{transcript.provider}-{transcript.asked['kind'].replace('.', '-')}")


CHANGES = {
    "body.prompt is another": lambda calls: calls[0]["body"]["json"].update(prompt="A kite"),
    "body.motion is not there any more": lambda calls: calls[0]["body"]["json"].update(motion=1),
    "body.prompt is new": lambda calls: calls[0]["body"]["json"].pop("prompt"),
    "the header x-trace is not sent": lambda calls: calls[0]["headers"].append("x-trace"),
    "the header x-zap-idem-key is new": lambda calls: calls[0]["headers"].remove("x-zap-idem-key"),
    "query.quality is not there any more": lambda calls: calls[0]["query"].update(quality="high"),
    "it has no body": lambda calls: [call.update(body={"bytes": {}}) for call in calls[1:]],
    "is not called any more": lambda calls: calls.append({**calls[1], "path": "{origin}/elsewhere"}),
}


@pytest.mark.parametrize("told", CHANGES)
def test_what_an_adapter_does_otherwise_is_told(told, converse, tmp_path):
    transcript = fal_with(CHANGES[told])

    with Emulator(transcripts=[transcript]) as emulator:
        buy(adapter(transcript, emulator), transcript, converse, tmp_path)
        differences = said(emulator, transcript)

    assert [one for one in differences if told in one]


def test_a_call_that_was_not_recorded_is_told_and_refused(converse, tmp_path):
    transcript = fal_with(lambda calls: calls.pop(1))

    with Emulator(transcripts=[transcript]) as emulator:
        provider = adapter(transcript, emulator)
        job = converse(provider.submit(asked(transcript), key=key_for(provider), idem_key="replay"))
        calls = [call for call in transcript.calls if call["path"].endswith("/status")]
        for _ in calls:
            converse(provider.poll(job, key=key_for(provider)))
        with pytest.raises(ProviderError):
            converse(provider.check_key(key=key_for(provider)))

        assert said(emulator, transcript)[-1].endswith("was not recorded.")


def test_a_job_of_another_id_was_not_recorded(converse, tmp_path):
    transcript = Transcript.read(FAL)

    with Emulator(transcripts=[transcript]) as emulator:
        provider = adapter(transcript, emulator)
        converse(provider.submit(asked(transcript), key=key_for(provider), idem_key="replay"))
        seen = converse(provider.poll(Job(request_id="another", model=asked(transcript).model), key=key_for(provider)))

        assert seen.error_code == "JOB_LOST"
        assert [one for one in said(emulator, transcript) if "was not recorded" in one]


@pytest.mark.parametrize("text", ["", "[]", '{"format": 2}', '{"format": 1, "calls": [], "files": []}', "[" * 9999])
def test_what_is_no_transcript_is_refused(text):
    with pytest.raises(TranscriptInvalid):
        Transcript.parse(text)
