import os

import pytest

from cli.faults import Fault
from cli.recipes import find_recipe, find_text


def make_folder(path, source="---\nzap: a-film\n---\n"):
    (path / "prompts").mkdir(parents=True)
    (path / "Zap.md").write_bytes(source.encode())
    (path / "prompts" / "a.md").write_text("A lighthouse.")
    return path


def test_a_folder_is_read_with_its_prompts(tmp_path):
    found = find_recipe(str(make_folder(tmp_path / "film")))

    assert found.place == str(tmp_path / "film" / "Zap.md")
    assert found.prompts == {"prompts/a.md": "A lighthouse."}


def test_a_text_is_read_as_it_is(tmp_path):
    make_folder(tmp_path / "film", source="\ufeff---\r\nzap: a-film\r\n---\r\n")

    assert find_text(str(tmp_path / "film" / "Zap.md")).source == "\ufeff---\r\nzap: a-film\r\n---\r\n"


def test_a_word_that_is_no_file_is_a_slug(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    assert find_recipe("hello-film") == "hello-film"


def test_a_folder_without_a_recipe_is_not_in_the_way_of_a_slug(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "hello-film").mkdir()

    assert find_recipe("hello-film") == "hello-film"


@pytest.mark.parametrize("word", ["./nothing", "nothing.md", "No Slug", "a"])
def test_a_word_that_is_neither_file_nor_slug_is_refused(word, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    with pytest.raises(Fault) as raised:
        find_recipe(word)

    assert raised.value.document["code"] == "FILE_NOT_FOUND"


def test_a_prompt_that_links_out_of_the_folder_is_left_out(tmp_path):
    folder = make_folder(tmp_path / "film")
    (tmp_path / "secret.md").write_text("secret")
    os.symlink(tmp_path / "secret.md", folder / "prompts" / "b.md")

    assert list(find_text(str(folder)).prompts) == ["prompts/a.md"]


def test_a_file_that_is_no_text_is_refused(tmp_path):
    (tmp_path / "Zap.md").write_bytes(b"\xff\xfe\x00")

    with pytest.raises(Fault) as raised:
        find_text(str(tmp_path))

    assert raised.value.document["code"] == "FILE_NOT_UTF8"
