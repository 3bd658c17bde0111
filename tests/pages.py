"""A page as a reader sees it: its elements, its texts, and forms that can be filled in and sent."""

from dataclasses import dataclass, field
from html.parser import HTMLParser

from django.test import Client

VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}


@dataclass
class Element:
    """One element, and what stands in it: elements and texts."""

    name: str
    given: dict
    inside: list = field(default_factory=list)

    def __iter__(self):
        """Itself and everything in it, in reading order."""
        yield self
        for one in self.inside:
            if isinstance(one, Element):
                yield from one

    def all(self, name, /, **given):
        """Every element of that name with those attributes; `class_` looks for one class among several."""
        return [one for one in self if one.name == name and one._has(given)]

    def one(self, name, /, **given):
        """The only one of them."""
        found = self.all(name, **given)
        assert len(found) == 1, f"{len(found)} elements are <{name} {given}>"
        return found[0]

    @property
    def text(self):
        """Its words, with single spaces."""
        words = (one.text if isinstance(one, Element) else one for one in self.inside)
        return " ".join(" ".join(words).split())

    def _has(self, given):
        classes = (self.given.get("class") or "").split()
        return all(
            value in classes if name == "class_" else self.given.get(name.replace("_", "-")) == value
            for name, value in given.items()
        )


class _Reader(HTMLParser):
    def __init__(self):
        super().__init__()
        self.root = Element("page", {})
        self.open = [self.root]

    def handle_starttag(self, tag, attrs):
        new = Element(tag, {name: value if value is not None else "" for name, value in attrs})
        self.open[-1].inside.append(new)
        if tag not in VOID and not self.get_starttag_text().endswith("/>"):
            self.open.append(new)

    def handle_startendtag(self, tag, attrs):
        self.open[-1].inside.append(Element(tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open[-1].name == tag, f"</{tag}> closes <{self.open[-1].name}>"
        self.open.pop()

    def handle_data(self, data):
        self.open[-1].inside.append(data)


def parse(answer):
    """The page of an answer. Every element must be closed by its own tag."""
    reader = _Reader()
    reader.feed(answer.content.decode())
    assert len(reader.open) == 1, f"<{reader.open[-1].name}> is never closed"
    return reader.root


class Visitor:
    """A person at a browser without scripts: opens pages, fills in their forms, presses their buttons."""

    def __init__(self, user=None):
        self.client = Client(enforce_csrf_checks=True)
        if user is not None:
            self.client.force_login(user)

    def open(self, path, status=200):
        """The page at that path."""
        answer = self.client.get(path)
        assert answer.status_code == status, answer.content.decode()[:2000]
        return parse(answer)

    def press(self, page, button, **said):
        """The answer to pressing the button with that text, after the fields were filled in by their names."""
        form = next(form for form in page.all("form") if any(one.text == button for one in form.all("button")))
        pressed = next(one for one in form.all("button") if one.text == button)
        body = {one.given["name"]: one.given.get("value", "") for one in form.all("input") if _counts(one)}
        body |= {one.given["name"]: one.text for one in form.all("textarea")}
        return self.client.post(pressed.given.get("formaction") or form.given["action"], {**body, **said})


def _counts(field):
    return "name" in field.given and (field.given.get("type") != "radio" or "checked" in field.given)
