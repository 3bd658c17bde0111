"""From the tree to a Recipe: the top level. Every problem is noted; what could not be read is left at its default."""

import re
from collections.abc import Collection, Mapping
from decimal import Decimal

from core.money import usd
from zaps.kind import KINDS
from zaps.recipe.copies import becomes_several
from zaps.recipe.errors import Log, did_you_mean, shown
from zaps.recipe.fields import Field, Section
from zaps.recipe.read_blocks import read_aspect
from zaps.recipe.read_step import StepReader
from zaps.recipe.refs import Names
from zaps.recipe.schema import TIERS, Embed, InputSpec, InputType, Publish, Recipe, StepSpec
from zaps.recipe.tree import Fields, Items, Scalar

STEPS_AT_MOST = 100
_SLUG = re.compile(r"[a-z0-9][a-z0-9-]{1,62}[a-z0-9]")
_SLUG_RULE = "3 to 64 lower-case letters, digits and hyphens, with no hyphen at either end"
_INPUT_NAME = re.compile(r"\w(?:[\w -]{0,62}\w)?")
_OUTPUT = re.compile(r"\w[\w .-]{0,99}")
_USD_AT_MOST = 1_000_000
_USD_LEAST = Decimal("0.000001")


def read_recipe(root: Section, *, prompts: Mapping[str, str], providers: Collection[str], log: Log) -> Recipe:
    """The recipe in `root`; worth something only when the log stays empty."""
    slug = _slug(root.need("zap"))
    version = _version(root.need("version"))
    description = field.text(empty_is_fine=True) if (field := root.need("description")) else None
    inputs = _inputs(root.get("inputs"))
    defaults = field.section() if (field := root.get("defaults")) else None
    provider, models, aspect, on_unknown = _defaults(defaults, providers)
    cap, estimate = _budget(root.need("budget"))
    reader = StepReader(inputs=inputs, prompts=prompts, providers=providers)
    steps = _steps(root.need("steps"), reader)
    output = _output(root.get("output"))
    publish = _publish(root.get("publish"))
    extra = root.third_party("lineage", "compiled_from_run_id")
    root.close()
    return Recipe(
        slug=slug or "",
        version=version or 0,
        description=description or "",
        inputs=inputs,
        cap_usd=cap,
        estimate_usd=estimate,
        steps=steps,
        default_provider=provider,
        default_models=models,
        default_on_unknown=on_unknown or "wait",
        aspect=aspect,
        output=output,
        publish=publish,
        extra=extra,
        prompts=dict(prompts),
        where=log.where,
    )


def _slug(field: Field | None) -> str | None:
    return field.matching(_SLUG, code="RECIPE_SLUG", rule=f"a slug is {_SLUG_RULE}") if field else None


def _version(field: Field | None) -> int | None:
    if field is None:
        return None
    if isinstance(field.node, Scalar) and field.node.text in ("1", "2"):
        return int(field.node.text)
    field.wrong("RECIPE_VERSION", "version must be 1 or 2.")
    return None


def _inputs(field: Field | None) -> dict[str, InputSpec]:
    if field is None:
        return {}
    section = field.section()
    found: dict[str, InputSpec] = {}
    for name, one in section.each():
        if not _INPUT_NAME.fullmatch(name):
            rule = "1 to 64 letters, digits, underscores, hyphens and inner spaces"
            one.log.add(
                "RECIPE_INPUT_NAME",
                f"An input cannot be called {shown(name)}: a name is {rule}.",
                at=section.key_at(name),
                path=one.path,
            )
        found[name] = _input(name, one)
    return found


def _input(name: str, field: Field) -> InputSpec:
    section = field.section()
    kind = one.choice(InputType) if (one := section.need("type")) else None
    required = one.flag() if (one := section.get("required")) else None
    label = one.text(empty_is_fine=True) if (one := section.get("label")) else None
    hint = one.text(empty_is_fine=True) if (one := section.get("hint")) else None
    listed = section.get("options")
    options = listed.texts() if listed else ()
    section.close()
    if (
        kind == InputType.SELECT
        and not options
        and not (listed and isinstance(listed.node, Items) and listed.node.items)
    ):
        field.wrong(
            "RECIPE_SELECT_OPTIONS",
            f"{field.path} is a select, so it needs `options`: a list of the words to choose from.",
        )
    if listed and len(set(options)) < len(options):
        listed.wrong("RECIPE_SELECT_OPTIONS", f"{field.path} lists the same option twice.")
    return InputSpec(
        name=name, type=InputType(kind or "string"), required=bool(required), label=label, hint=hint, options=options
    )


def _defaults(
    section: Section | None, providers: Collection[str]
) -> tuple[str | None, dict[str, str], str | None, str | None]:
    if section is None:
        return None, {}, None, None
    provider = one.choice(providers, code="RECIPE_UNKNOWN_PROVIDER") if (one := section.get("provider")) else None
    models = _models(section.get("models"))
    aspect = read_aspect(section.get("aspect"))
    on_unknown = one.choice(("wait", "fail")) if (one := section.get("on_unknown")) else None
    section.close()
    return provider, models, aspect, on_unknown


def _models(field: Field | None) -> dict[str, str]:
    if field is None:
        return {}
    models: dict[str, str] = {}
    section = field.section()
    kinds = [f"{kind.name}{tier}" for kind in KINDS for tier in ("", *(f".{tier}" for tier in TIERS))]
    for name, one in section.each():
        model = one.text()
        if name not in kinds and not name.startswith("x_"):
            message = f"There is no step kind {shown(name)}.{did_you_mean(name, kinds)}"
            one.log.add("RECIPE_UNKNOWN_KIND", message, at=section.key_at(name), path=one.path)
        elif model is not None:
            models[name] = model
    return models


def _budget(field: Field | None) -> tuple[Decimal, Decimal]:
    if field is None:
        return Decimal(0), Decimal(0)
    section = field.section()
    cap = one.number(least=0, most=_USD_AT_MOST, above=True) if (one := section.need("cap_usd")) else None
    estimated = section.need("estimate_usd")
    estimate = estimated.number(least=0, most=_USD_AT_MOST) if estimated else None
    section.close()
    if cap is not None and cap < _USD_LEAST:
        section_path = f"{field.path}.cap_usd"
        field.log.add_at(section_path, "RECIPE_RANGE", f"{section_path} is less than a millionth of a dollar.")
    if cap is not None and estimated is not None and estimate is not None and estimate > cap:
        estimated.wrong("RECIPE_BUDGET", f"The estimate of {estimate} USD is above the cap of {cap} USD.")
    return usd(cap or 0), usd(estimate or 0)


def _steps(field: Field | None, reader: StepReader) -> tuple[StepSpec, ...]:
    if field is None:
        return ()
    listed = field.items()
    if isinstance(field.node, Items) and not field.node.items:
        field.wrong("RECIPE_MISSING", "A recipe needs at least one step.")
    if len(listed) > STEPS_AT_MOST:
        field.wrong("RECIPE_TOO_MANY", f"There are {len(listed)} steps; a recipe has at most {STEPS_AT_MOST}.")
        return ()
    all_steps = frozenset(filter(None, map(_bare_id, listed)))
    steps: list[StepSpec] = []
    for one in listed:
        earlier = frozenset(step.id for step in steps if step.id)
        several = frozenset(step.id for step in steps if becomes_several(step))
        names = Names(inputs=reader.inputs, earlier=earlier, several=several, own=_bare_id(one), all_steps=all_steps)
        step = reader.read(one, names)
        steps.append(step)
        if step.id in earlier:
            field.log.add_at(
                f"{one.path}.id", "RECIPE_DUPLICATE_ID", f"There is already a step called {shown(step.id)}."
            )
    return tuple(steps)


def _bare_id(field: Field) -> str:
    if isinstance(field.node, Fields) and (entry := field.node.entries.get("id")) and isinstance(entry.node, Scalar):
        return entry.node.text
    return ""


def _output(field: Field | None) -> str | None:
    rule = "a file name without a folder, such as Zap.mp4"
    return field.matching(_OUTPUT, code="RECIPE_OUTPUT", rule=rule) if field else None


def _publish(field: Field | None) -> Publish | None:
    if field is None:
        return None
    section = field.section()
    slug = _slug(section.get("slug"))
    visibility = one.choice(("public", "unlisted", "private")) if (one := section.get("visibility")) else None
    embed = _embed(one) if (one := section.get("embed")) else None
    section.close()
    return Publish(slug=slug, visibility=visibility or "public", embed=embed)


def _embed(field: Field) -> Embed:
    section = field.section()
    enabled = one.flag() if (one := section.get("enabled")) else None
    origins = one.texts() if (one := section.get("allowOrigins")) else ("*",)
    width = one.whole(least=240, most=3840) if (one := section.get("width")) else None
    height = one.whole(least=240, most=2160) if (one := section.get("height")) else None
    theme = one.choice(("auto", "dark", "light")) if (one := section.get("theme")) else None
    section.close()
    return Embed(
        enabled=enabled is not False,
        allow_origins=origins,
        width=width or 1280,
        height=height or 720,
        theme=theme or "auto",
    )
