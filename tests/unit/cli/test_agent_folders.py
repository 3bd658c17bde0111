"""What an agent may have read of a machine, whatever it asks for."""

from pathlib import Path

import pytest

from cli.agent.folders import Folders
from cli.faults import Fault

PNG = b"\x89PNG\r\n\x1a\n" + bytes(40)


@pytest.fixture
def shared(tmp_path):
    """A folder with one picture, beside one that nobody has allowed."""
    for name in ("shared", "private"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "fox.png").write_bytes(PNG)
    return tmp_path / "shared"


def refused(folders, name):
    with pytest.raises(Fault) as caught:
        folders.find(str(name))
    assert caught.value.document["remediation"]
    return caught.value.document["code"]


def test_a_picture_is_found_by_its_whole_path_and_from_the_folder_on(shared):
    folders = Folders([shared])

    assert folders.find(str(shared / "fox.png")) == shared / "fox.png"
    assert folders.find("fox.png") == folders.find("./x/../fox.png") == shared / "fox.png"


def test_a_relative_name_is_tried_in_each_folder(shared, tmp_path):
    (tmp_path / "empty").mkdir()

    assert Folders([tmp_path / "empty", shared]).find("fox.png") == shared / "fox.png"


def test_without_a_folder_nothing_is_read(shared):
    assert refused(Folders([]), shared / "fox.png") == "FILES_NOT_ALLOWED"


def test_what_lies_elsewhere_is_refused_whether_it_is_there_or_not(shared):
    folders = Folders([shared])

    for name in (
        "../private/fox.png",
        shared.parent / "private" / "fox.png",
        "../private/nothing.png",
        "/etc/passwd",
        "~/fox.png/../../..",
        f"{shared}-too/fox.png",
        "..",
        "fox\0.png",
    ):
        assert refused(folders, name) == "FILE_OUTSIDE", name


def test_a_link_leads_no_further_than_the_folders(shared, tmp_path):
    (shared / "out.png").symlink_to(tmp_path / "private" / "fox.png")
    (shared / "out").symlink_to(tmp_path / "private")
    (shared / "in.png").symlink_to(shared / "fox.png")
    (shared / "round").symlink_to(shared / "round")
    folders = Folders([shared])

    assert refused(folders, "out.png") == refused(folders, "out/fox.png") == "FILE_OUTSIDE"
    assert refused(folders, "round") in {"FILE_OUTSIDE", "FILE_NOT_FOUND"}
    assert folders.find("in.png") == shared / "fox.png"


def test_a_folder_that_is_a_link_means_what_it_leads_to(shared, tmp_path):
    (tmp_path / "link").symlink_to(shared)

    assert Folders([tmp_path / "link"]).find(str(tmp_path / "link" / "fox.png")) == shared / "fox.png"


def test_what_is_no_file_or_no_media_is_refused(shared):
    (shared / "notes.png").write_text("secret")
    (shared / "empty.png").touch()
    folders = Folders([shared])

    assert refused(folders, "nothing.png") == refused(folders, ".") == "FILE_NOT_FOUND"
    assert refused(folders, "notes.png") == refused(folders, "empty.png") == "INPUT_NOT_MEDIA"


@pytest.mark.parametrize("name", ["nothing", "shared/fox.png"])
def test_a_server_does_not_start_with_a_folder_that_is_none(shared, tmp_path, name):
    with pytest.raises(Fault) as caught:
        Folders([Path(tmp_path / name)])

    assert caught.value.document["code"] == "FOLDER_NOT_FOUND"
