"""What holds for every text and every recipe."""

from datetime import date
from decimal import Decimal

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from core.money import ZERO
from providers.prices import Quote
from zaps.plan import make_plan
from zaps.planned import InputRef, PlannedStep, Role, Source
from zaps.recipe import Recipe, RecipeInvalid, parse
from zaps.recipe.lint import lint

from .planning import Willing, installed
from .texts import INPUTS, PROMPTS, SMALL, WORLD_CUP

TODAY = date(2026, 11, 21)
FEW = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
FRAGMENTS = [
    *("&a", "*a", "!!python/object:os.system", "<<:", "{", "}", "[", "]", '"', "'", "\t", "\n", "\r", "\x85", "\u2028"),
    *(
        "|",
        ">",
        "%YAML 9.9",
        "---",
        "...",
        "? ",
        "- ",
        ": ",
        "#",
        "~",
        "1e999",
        "-0",
        "\\",
        "\0",
        "\ud800",
        "é",
        "\ufeff",
    ),
    *("extend.*", "user.", ".*", "9" * 50, "{NAME}", "steps", "kind: stitch", "prompts/../x.md"),
]


def survives(source, prompts):
    """Parsing gives a recipe that can be looked at, or problems with places."""
    try:
        recipe = parse(source, prompts)
    except RecipeInvalid as refused:
        problems = refused.problems
    else:
        assert isinstance(recipe, Recipe)
        lint(recipe)
        return
    lines = source.count("\n") + source.count("\r") + 1
    assert problems
    assert all(1 <= problem.line <= lines + 1 and problem.column >= 1 for problem in problems)


@FEW
@given(st.text(max_size=300), st.dictionaries(st.text(max_size=20), st.text(max_size=50), max_size=3))
@example("", {})
@example('"\\UFFFFFFFF"', {})
def test_any_text_is_a_recipe_or_is_refused_with_reasons(text, prompts):
    survives(text, prompts)
    survives(f"---\n{text}\n---\n", prompts)


@FEW
@given(st.data())
def test_a_recipe_with_something_cut_or_put_in_is_one_or_is_refused_with_reasons(data):
    source = WORLD_CUP
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(source)))
        end = min(len(source), start + data.draw(st.integers(0, 30)))
        put = data.draw(st.sampled_from(["", *FRAGMENTS]) | st.text(max_size=8))
        source = source[:start] + put + source[end:]

    survives(source, PROMPTS)


@FEW
@given(st.permutations(WORLD_CUP.split("\n")[1:42]))
def test_a_recipe_with_its_lines_in_any_order_is_one_or_is_refused_with_reasons(lines):
    survives("---\n" + "\n".join(lines) + "\n---\n", PROMPTS)


class Dear:
    """A price book in which everything costs a cent for a second, or a cent."""

    def quote(self, provider, model, *, duration_s=None, width=None, height=None, characters=None, today):
        cents = Decimal("0.01") * (duration_s or 1)
        return Quote(usd=cents, unit="second", source="by hand", verified_at=today)


@st.composite
def recipes(draw):
    """A recipe of some images, clips, extends and a film, with references to any earlier step that can be used."""
    lines, images, clips, extends = [], [], [], []
    for number in range(draw(st.integers(1, 7))):
        kind = draw(
            st.sampled_from(["image.gen", "video.gen", "video.extend"] if clips else ["image.gen", "video.gen"])
        )
        usable = images + clips + [f"{name}.*" for name in extends]
        refs = draw(st.lists(st.sampled_from(usable), max_size=3, unique=True)) if usable else []
        name = f"{kind[6:]}{number}".replace(".", "")
        length = "" if kind == "image.gen" else "duration_s: 5, "
        lines.append(f"  - {{id: s{name}, kind: {kind}, {length}inputs: [{', '.join(refs)}]}}")
        {"image.gen": images, "video.gen": clips, "video.extend": extends}[kind].append(f"s{name}")
    lines.append("  - {id: first, kind: video.gen, duration_s: 5}")
    films = ", ".join([*clips, *(f"{name}.*" for name in extends), "first"])
    lines.append(f"  - {{id: film, kind: stitch, inputs: [{films}]}}")
    head = "zap: some-film\nversion: 2\ndescription: x\nbudget: {estimate_usd: 1, cap_usd: 1000}\nsteps:\n"
    return "---\n" + head + "\n".join(lines) + "\n---\n"


@FEW
@given(recipes(), st.none() | st.integers(0, 64))
def test_every_plan_can_be_run_in_its_order_and_adds_up(source, extends):
    providers = installed(Willing("fal"), Willing("mock"))
    recipe = parse(source, {})

    made = make_plan(
        recipe, inputs={}, mode="live", extend_count=extends, providers=providers, prices=Dear(), today=TODAY
    )

    before = set()
    for position, step in enumerate(made.steps):
        assert step.position == position
        assert step.step_id not in before
        assert set(step.parents) <= before
        assert {ref.name for ref in step.inputs if ref.source == Source.STEP} == set(step.parents)
        before.add(step.step_id)
    assert made.quote_usd == sum((step.quote_usd for step in made.steps), ZERO)


def test_the_recipe_that_is_mutated_can_be_planned():
    providers = installed(Willing("fal"), Willing("gmi"), Willing("mock"))

    made = make_plan(
        parse(WORLD_CUP, PROMPTS), inputs=INPUTS, mode="mock", providers=providers, prices=Dear(), today=TODAY
    )

    assert len(made.steps) == 4
    assert parse(SMALL, {}).slug == "small-one"


_words = st.text(max_size=20)
_money = st.decimals(min_value=0, max_value=10**6, places=6)
_json = st.recursive(
    st.none() | st.booleans() | st.integers() | _words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_words, inner, max_size=3),
    max_leaves=6,
)


@FEW
@given(
    st.builds(
        PlannedStep,
        step_id=_words,
        recipe_step=_words,
        position=st.integers(0, 500),
        kind=_words,
        provider=_words,
        model=st.none() | _words,
        prompt=_words,
        parents=st.lists(_words, max_size=3).map(tuple),
        inputs=st.lists(
            st.builds(InputRef, source=st.sampled_from(Source), name=_words, role=st.sampled_from(Role)), max_size=3
        ).map(tuple),
        duration_s=st.none() | _money,
        aspect=st.none() | _words,
        quote_usd=_money,
        on_unknown=st.sampled_from(["wait", "fail"]),
        params=st.dictionaries(_words, _json, max_size=3),
    )
)
def test_a_planned_step_survives_being_stored(step):
    assert PlannedStep.from_json(step.to_json()) == step
