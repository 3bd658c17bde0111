"""A finished run becomes a new draft recipe: the author's text, with what the run found out written into it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import ROUND_UP, Decimal
from itertools import count
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction

from core.errors import Conflict
from core.money import ZERO
from runs.learning.made import Made, by_recipe_step, steps_made
from runs.models import Run
from runs.states import RunStatus
from zaps import catalogue
from zaps.kind import KINDS
from zaps.models import Zap
from zaps.recipe import Recipe, RecipeInvalid
from zaps.recipe.frontmatter import split
from zaps.recipe.schema import StepSpec
from zaps.recipe.write import Change, rewrite

_HEADROOM = Decimal("1.25")  # of the estimate: what a run may cost before it is stopped
_CENT = Decimal("0.01")
_SLUG_AT_MOST = 64
_SAVES = 3  # times that a fresh slug is looked for
_FACTS = "x_run"


class RunNotDone(Conflict):
    """Only a run that made its film says what it takes to make it."""

    code = "RUN_NOT_DONE"
    title = "The run is not done."
    remediation = "Wait until it is done, or compile another run of the recipe."


@dataclass(frozen=True, slots=True, kw_only=True)
class Compiled:
    """A draft. `cost_usd` is what the run cost, all its tries; `zap` is the catalogue's row where it was saved."""

    run_id: str
    slug: str
    source: str = field(repr=False)
    prompts: Mapping[str, str] = field(repr=False)
    lineage: Mapping[str, Any]
    cost_usd: Decimal
    attempts: int
    zap: Zap | None = None
    is_new: bool = False

    @property
    def recipe(self) -> Recipe:
        """The parsed text."""
        return catalogue.parse_cached(self.source, self.prompts)


def compile_run(run: Run) -> Compiled:
    """The draft that `run` teaches, not saved. Raises RunNotDone, and RecipeInvalid where its text is none today."""
    return _compile(run, _fresh_slug(run.zap_slug))


def compile_and_save(run: Run, author: User) -> Compiled:
    """The same, saved as a draft of `author` under a fresh slug; done again, it is the same draft.

    Raises what `compile_run` raises, and SlugTaken when others were faster every time.
    """
    with transaction.atomic():
        User.objects.select_for_update(no_key=True).get(pk=author.pk)  # of two at once, the second finds the first
        for zap in Zap.objects.filter(author_id=author.pk, compiled_from_run_id=run.run_id).order_by("pk"):
            compiled = _compile(run, zap.slug)
            if zap.content_hash == catalogue.content_hash(compiled.source, compiled.prompts):
                return replace(compiled, zap=zap)
        return _save(run, author)


def _save(run: Run, author: User, *, tries: int = _SAVES) -> Compiled:
    compiled = _compile(run, _fresh_slug(run.zap_slug))
    entry = catalogue.Entry(source=compiled.source, prompts=compiled.prompts, compiled_from_run_id=run.run_id)
    try:
        saved = catalogue.save_draft(entry, author=author)
    except catalogue.SlugTaken:  # somebody took it this moment
        if tries == 1:
            raise
        return _save(run, author, tries=tries - 1)
    return replace(compiled, zap=saved.zap, is_new=saved.is_new)


def _fresh_slug(slug: str) -> str:
    """`slug-2`, or with the first higher number that nobody has."""
    taken = set(Zap.objects.filter(slug__startswith=slug[: _SLUG_AT_MOST - 8]).values_list("slug", flat=True))
    numbered = (f"{slug[: _SLUG_AT_MOST - 1 - len(str(n))].rstrip('-')}-{n}" for n in count(2))
    return next(one for one in numbered if one not in taken)


def _compile(run: Run, slug: str) -> Compiled:
    if run.status != RunStatus.DONE:
        raise RunNotDone(f"The run {run.run_id} is {run.status}.", runStatus=run.status)
    recipe = catalogue.parse_cached(run.source, run.prompts)
    made = steps_made(run)
    lineage = {"source_zap": run.zap_slug, "source_version": run.zap_version}
    changes = [
        Change(path=(), key="zap", value=slug),
        Change(path=(), key="compiled_from_run_id", value=run.run_id, after="description"),
        Change(path=(), key="lineage", value=lineage, after="description"),
        *_of_publish(recipe, slug),
        *_of_budget(recipe, made),
        *_of_steps(recipe, made),
    ]
    cost, tries = sum((one.all_usd for one in made), ZERO), sum(one.attempts for one in made)
    comment = (
        f"Compiled from {run.run_id}, a {run.provider_mode} run: {tries} attempts, {cost.normalize():f} USD in all."
    )
    source = rewrite(run.source, changes, comment=comment)
    try:
        split(source)
    except RecipeInvalid:  # with the facts it is too long
        source = rewrite(run.source, [one for one in changes if one.key != _FACTS], comment=comment)
    catalogue.parse_cached(source, run.prompts)
    return Compiled(
        run_id=run.run_id, slug=slug, source=source, prompts=run.prompts, lineage=lineage, cost_usd=cost, attempts=tries
    )


def _of_publish(recipe: Recipe, slug: str) -> Iterator[Change]:
    if recipe.publish is not None and recipe.publish.slug is not None:
        yield Change(path=("publish",), key="slug", value=slug)


def _of_budget(recipe: Recipe, made: Sequence[Made]) -> Iterator[Change]:
    """What it cost when everything worked. A run that only the mock made knows nothing of money."""
    if not any(one.at_a_provider for one in made):
        return
    estimate = sum((one.pass_usd for one in made), ZERO)
    cap = (estimate * _HEADROOM).quantize(_CENT, rounding=ROUND_UP)
    yield Change(path=("budget",), key="estimate_usd", value=_short(estimate))
    if cap > recipe.cap_usd:
        yield Change(path=("budget",), key="cap_usd", value=_short(cap))


def _of_steps(recipe: Recipe, made: Sequence[Made]) -> Iterator[Change]:
    found = by_recipe_step(made)
    for index, spec in enumerate(recipe.steps):
        path = ("steps", index)
        mine = found.get(spec.id, [])
        itself = [one for one in mine if one.kind == spec.kind]
        pinned = len({(one.provider, one.model) for one in itself}) == 1 and itself[0].at_a_provider
        if pinned:
            yield from _pin(path, spec, itself[0])
        if spec.kind in KINDS and KINDS.get(spec.kind).repeats and (itself or not spec.when):
            number = len(itself)
            value = {"min": number, "max": number, "default": number}
            yield Change(path=path, key="repeat", value=value, after="kind")
        if mine:
            yield Change(path=path, key=_FACTS, value=_facts(spec, mine, pinned=pinned), after="kind")


def _pin(path: tuple[str | int, ...], spec: StepSpec, made: Made) -> Iterator[Change]:
    """Ask at once for whom it ended up with; a fallback and its first choice change places."""
    yield Change(path=path, key="provider", value=made.provider, after="kind")
    yield Change(path=path, key="model", value=made.model, after="kind", instead_of="tier")
    has_fallback = spec.retry is not None and (spec.retry.fallback_provider or spec.retry.fallback_model)
    if has_fallback and made.by_fallback:
        for key, value in zip(("fallback_provider", "fallback_model"), made.planned, strict=True):
            yield Change(path=(*path, "retry"), key=key, value=value)


def _facts(spec: StepSpec, made: Sequence[Made], *, pinned: bool) -> dict[str, Any]:
    """What was found out; by planned step where there were several."""
    if len(made) == 1 and made[0].step_id == spec.id:
        return _fact(made[0], pinned=pinned)
    return {one.step_id: _fact(one, pinned=pinned) for one in made}


def _fact(made: Made, *, pinned: bool) -> dict[str, Any]:
    fact: dict[str, Any] = {"cost_usd": _short(made.all_usd), "attempts": made.attempts}
    if made.seed is not None:
        fact["seed"] = made.seed
    if made.is_reused:
        fact["reused"] = True
    if not pinned and made.at_a_provider:
        fact |= {"provider": made.provider, "model": made.model}
    return fact


def _short(amount: Decimal) -> Decimal:
    """Without the zeros at its end."""
    return amount.normalize()
