"""The recipes that people can run: who may see which, and how a text becomes a version.

A private recipe is seen by its author and by staff, an unlisted one by whoever knows its slug, a public one by
everybody and in lists. Drafts are seen by their author and by staff. Whatever may not be seen looks as if it were not
there.
"""

import hashlib
import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from core.errors import Conflict, NotFound
from zaps.bundled import bundled
from zaps.kind import KINDS
from zaps.models import Zap, ZapVersion
from zaps.recipe import Recipe, parse

logger = logging.getLogger(__name__)

_RESERVED = frozenset(
    "admin api docs embed gallery publish quickstart run runs settings static studio validate zap zaps".split()
)
_PARSED_AT_MOST = 256  # recipes; a parsed one is some tens of kilobytes
_TERMS_AT_MOST = 8


class SlugTaken(Conflict):
    """The slug belongs to somebody else, or to nobody ever."""

    code = "SLUG_TAKEN"
    title = "This slug is taken."
    remediation = "Choose another slug in the recipe's `zap:` field."


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A recipe that can be run. `version` is the catalogue's; 0 is a draft that was never published."""

    zap: Zap
    version: int
    source: str = field(repr=False)
    prompts: Mapping[str, str] = field(repr=False)

    @property
    def content_hash(self) -> str:
        """SHA-256 of the text."""
        return content_hash(self.source, self.prompts)

    @property
    def recipe(self) -> Recipe:
        """The parsed text."""
        return parse_cached(self.source, self.prompts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What somebody wants to put into the catalogue. None: as the recipe or the row says."""

    source: str = field(repr=False)
    prompts: Mapping[str, str] = field(default_factory=dict, repr=False)
    title: str | None = None
    description: str | None = None
    tags: tuple[str, ...] | None = None
    visibility: str | None = None
    hero_asset_url: str | None = None
    compiled_from_run_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Saved:
    """The row after saving. `is_new`: the text was not there before."""

    zap: Zap
    is_new: bool


def content_hash(source: str, prompts: Mapping[str, str]) -> str:
    """SHA-256 over a recipe and its prompt files."""
    whole = json.dumps([source, dict(prompts)], sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(whole.encode()).hexdigest()


def parse_cached(source: str, prompts: Mapping[str, str]) -> Recipe:
    """The parsed recipe, remembered by its content. Raises RecipeInvalid."""
    return _parse(source, tuple(sorted(prompts.items())))


@lru_cache(maxsize=_PARSED_AT_MOST)
def _parse(source: str, prompts: tuple[tuple[str, str], ...]) -> Recipe:
    return parse(source, dict(prompts))


def visible(user: User | None) -> QuerySet[Zap]:
    """Every recipe that `user` may see when they know its slug; None is anybody."""
    zaps = Zap.objects.all()
    if user is None:
        return zaps.filter(version__gte=1).exclude(visibility="private")
    if getattr(user, "is_staff", False):
        return zaps
    return zaps.filter(Q(author_id=user.pk) | (Q(version__gte=1) & ~Q(visibility="private")))


def listed(user: User | None, *, query: str = "") -> QuerySet[Zap]:
    """The public recipes and the user's own that match every word of `query`; without their texts."""
    mine = Q(author_id=user.pk) if user is not None else Q()
    public = Q(version__gte=1, visibility="public")
    zaps = Zap.objects.filter(public | mine) if user is not None else Zap.objects.filter(public)
    for term in query.lower().split()[:_TERMS_AT_MOST]:
        zaps = zaps.filter(search_text__contains=term)
    return zaps.defer("source", "prompts", "search_text")


def find(slug: str, user: User | None, *, version: int | None = None) -> Found:
    """The recipe called `slug`: that version, else the newest published, else its author's draft.

    Raises NotFound when there is none that `user` may see.
    """
    zap = visible(user).filter(slug=slug).first()
    if zap is None:
        raise NotFound(f"There is no recipe called {slug!r}.")
    if version is None and (zap.status == "published" or zap.version == 0):
        return Found(zap=zap, version=zap.version, source=zap.source, prompts=zap.prompts)
    row = ZapVersion.objects.filter(zap=zap, version=version or zap.version).first()
    if row is None:
        raise NotFound(f"There is no version {version} of {slug!r}.")
    return Found(zap=zap, version=row.version, source=row.source, prompts=row.prompts)


def find_draft(slug: str, user: User | None) -> Found:
    """The newest text of the recipe, published or not, for its author and staff. Raises NotFound for everybody else."""
    zap = Zap.objects.filter(slug=slug).first()
    if zap is None or user is None or not (user.is_staff or zap.author_id == user.pk):
        raise NotFound(f"There is no recipe called {slug!r} whose draft you may see.")
    version = zap.version if zap.status == "published" else 0
    return Found(zap=zap, version=version, source=zap.source, prompts=zap.prompts)


def save_draft(entry: Entry, *, author: User) -> Saved:
    """Keep the text without publishing it: a published recipe goes on as it was. Raises RecipeInvalid, SlugTaken."""
    return _write(entry, author=author, keep=_keep_draft)


def publish(entry: Entry, *, author: User | None) -> Saved:
    """Make the text the newest version; an unchanged text makes none. `author` None: it came with the installation.

    Raises RecipeInvalid, or SlugTaken when the slug is somebody else's.
    """
    return _write(entry, author=author, keep=_keep_version)


def load_bundled() -> list[str]:
    """Publish the recipes that came with the installation; returns the slugs that changed. Safe to repeat."""
    changed = []
    for one in bundled():
        try:
            saved = publish(Entry(source=one.source, prompts=one.prompts, visibility="public"), author=None)
        except SlugTaken as exc:
            logger.error("bundled recipe not loaded: %s", exc.detail)
            continue
        if saved.is_new:
            changed.append(saved.zap.slug)
    return changed


Keep = Callable[[Zap, Entry, Recipe, User | None], bool]


def _write(entry: Entry, *, author: User | None, keep: Keep) -> Saved:
    recipe = parse_cached(entry.source, entry.prompts)
    if author is not None and (recipe.slug in _RESERVED or recipe.slug in _bundled_slugs()):
        raise SlugTaken(f"The slug {recipe.slug!r} is reserved.")
    with transaction.atomic():
        zap = _own(recipe, author)
        is_new = keep(zap, entry, recipe, author)
    return Saved(zap=zap, is_new=is_new)


def _own(recipe: Recipe, author: User | None) -> Zap:
    """The author's row of that slug, locked, made now if there is none. Raises SlugTaken."""
    author_id = author.pk if author is not None else None
    fresh = Zap(slug=recipe.slug, author_id=author_id, status="draft", estimate_usd=recipe.estimate_usd)
    Zap.objects.bulk_create([fresh], ignore_conflicts=True)  # of two who come first, one waits here and loses below
    zap = Zap.objects.select_for_update().get(slug=recipe.slug)
    if zap.author_id != author_id:
        raise SlugTaken(f"The slug {recipe.slug!r} is taken.")
    return zap


def _keep_draft(zap: Zap, entry: Entry, recipe: Recipe, author: User | None) -> bool:
    is_new = _replace_text(zap, entry)
    if is_new:
        zap.status = "published" if zap.content_hash == _newest_hash(zap) else "draft"
    if zap.version == 0:
        _describe(zap, entry, recipe)
    _save(zap)
    return is_new


def _keep_version(zap: Zap, entry: Entry, recipe: Recipe, author: User | None) -> bool:
    _replace_text(zap, entry)
    is_new = zap.content_hash != _newest_hash(zap)
    if is_new:
        zap.version += 1
        zap.finalized_at = timezone.now()
        zap.finalized_by = f"user:{author.pk}" if author is not None else "installation"
        ZapVersion.objects.create(
            zap=zap, version=zap.version, source=zap.source, prompts=zap.prompts, content_hash=zap.content_hash,
            estimate_usd=recipe.estimate_usd, author_id=zap.author_id,
        )  # fmt: skip
    zap.status = "published"
    _describe(zap, entry, recipe)
    _save(zap)
    return is_new


def _newest_hash(zap: Zap) -> str | None:
    return ZapVersion.objects.filter(zap=zap, version=zap.version).values_list("content_hash", flat=True).first()


def _replace_text(zap: Zap, entry: Entry) -> bool:
    """Whether the entry's text is another than the row's."""
    fingerprint = content_hash(entry.source, entry.prompts)
    is_new = zap.content_hash != fingerprint
    zap.source, zap.prompts, zap.content_hash = entry.source, dict(entry.prompts), fingerprint
    return is_new


def _describe(zap: Zap, entry: Entry, recipe: Recipe) -> None:
    """Fill in what lists show: what the caller gave, else what the recipe says, else what was there."""
    zap.title = entry.title if entry.title is not None else zap.title or recipe.slug.replace("-", " ").capitalize()
    zap.description = entry.description if entry.description is not None else recipe.description
    zap.tags = list(entry.tags) if entry.tags is not None else zap.tags or sorted(set(recipe.slug.split("-")))
    zap.visibility = entry.visibility or _declared_visibility(recipe) or zap.visibility
    zap.hero_asset_url = entry.hero_asset_url if entry.hero_asset_url is not None else zap.hero_asset_url
    if entry.compiled_from_run_id is not None:
        zap.compiled_from_run_id = entry.compiled_from_run_id
    zap.estimate_usd = recipe.estimate_usd
    zap.summary = summarize(recipe)
    words = [zap.slug, zap.title, zap.description, *zap.tags, *zap.summary["providers"]]
    words += [one["name"] for one in zap.summary["inputs"]]
    zap.search_text = " ".join(words).lower()


def _save(zap: Zap) -> None:
    zap.updated_at = Now()
    zap.save()
    zap.refresh_from_db(fields=["updated_at"])


def summarize(recipe: Recipe) -> dict[str, Any]:
    """What lists show of a recipe: money, inputs and providers, as JSON."""
    providers = {
        step.provider or recipe.default_provider for step in recipe.steps if KINDS.get(step.kind).render is None
    }
    return {
        "estimateUsd": float(recipe.estimate_usd),
        "capUsd": float(recipe.cap_usd),
        "inputs": [
            {
                "name": spec.name,
                "type": str(spec.type),
                "required": spec.required,
                "label": spec.label,
                "hint": spec.hint,
                "options": list(spec.options),
            }
            for spec in recipe.inputs.values()
        ],
        "providers": sorted(provider for provider in providers if provider),
    }


def _declared_visibility(recipe: Recipe) -> str | None:
    return recipe.publish.visibility if recipe.publish is not None else None


@lru_cache(maxsize=1)
def _bundled_slugs() -> frozenset[str]:
    return frozenset(one.slug for one in bundled())
