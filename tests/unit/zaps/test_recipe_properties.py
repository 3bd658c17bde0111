"""What holds for every text and every recipe."""

from datetime import date
from decimal import Decimal

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from core.errors import BadInput, OverBudget
from core.money import ZERO
from providers.prices import UNITS, Price, Quote
from zaps.plan import make_plan
from zaps.planned import Gate, InputRef, Judging, PlannedStep, Retrying, Role, Source
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

    def quote(self, provider, model, *, duration_s=None, **asked):
        cents = Decimal("0.01") * (duration_s or 1)
        return Quote(usd=cents, price=None)


_CONDITIONS = ["LOGO: given", "LOGO: missing", "STYLE: [noir]", "COUNT: [1, 2.5]", "STYLE: [anime], LOGO: given"]
_ANYWHERE = [
    "candidates: 3", "judge: {threshold: 80}", "rlhf: true", "rlhf: optional", "gate: {timeout_s: 9}", "shared: true",
    "retry: {max: 2, backoff_s: 1}", "retry: {fallback_model: m}", "retry: {max: 1, fallback_provider: mock}",
    "tier: draft", "model: own", "aspect: '9:16'", "inputs: [user.LOGO]", "params: {seed: 1}",
]  # fmt: skip
_BY_KIND = {
    "image.gen": ["matrix: {LOOK: [a, b]}", "matrix: {A: [x, y], B: [z]}", "duration_s: 5"],
    "image.edit": ["matrix: {LOOK: [a]}"],
    "video.gen": ["first_frame: {from: prev, upscale: 2x}", "matrix: {LOOK: [a, b]}"],
    "video.extend": [
        "extend: {mode: anchored}", "extend: {mode: chain}", "first_frame: {upscale: 4k}", "repeat: {max: 2}",
        "repeat: {min: 1}",
    ],
    "stitch": ["stitch: {format: webm}", "stitch: {engine: hyperframes}", "audio: {mix: replace}"],
}  # fmt: skip


@st.composite
def recipes(draw):
    """A recipe of some steps with references to earlier ones, and with fields that may or may not suit them."""
    lines, usable, clips = [], [], []
    for number in range(draw(st.integers(1, 6))):
        kind = draw(st.sampled_from(["image.gen", "image.edit", "video.gen", *(["video.extend"] if clips else [])]))
        fields = draw(st.lists(st.sampled_from(_ANYWHERE + _BY_KIND[kind] * 3), max_size=4))
        fields = list({one.partition(":")[0]: one for one in fields}.values())
        refs = draw(st.lists(st.sampled_from(usable), max_size=3, unique=True)) if usable else []
        name = draw(st.sampled_from(["needs", "reference_images"]))
        fields += [f"{name}: [{', '.join(refs)}]"] if refs else []
        if draw(st.booleans()):
            fields.append(f"when: {{{draw(st.sampled_from(_CONDITIONS))}}}")
        length = ["duration_s: 5"] if kind.startswith("video") else []
        lines.append(f"  - {{{', '.join([f'id: s{number}', f'kind: {kind}', *length, *fields])}}}")
        usable.append(f"s{number}.*")
        clips += [f"s{number}.*"] if kind.startswith("video") else []
    films = ", ".join([*clips, "first"])
    film = draw(st.sampled_from(["rlhf: true", "tier: final", *_BY_KIND["stitch"]]))
    lines.append("  - {id: first, kind: video.gen, duration_s: 5}")
    lines.append(f"  - {{id: film, kind: stitch, inputs: [{films}], {film}}}")
    head = (
        "zap: some-film\nversion: 2\ndescription: x\ninputs:\n  LOGO: {type: image}\n  COUNT: {type: number}\n"
        "  STYLE: {type: select, options: [noir, anime]}\nbudget: {estimate_usd: 1, cap_usd: 5}\nsteps:\n"
    )
    return "---\n" + head + "\n".join(lines) + "\n---\n"


_values = st.fixed_dictionaries(
    {},
    optional={
        "LOGO": st.just("https://example.com/logo.png"),
        "STYLE": st.sampled_from(["noir", "anime"]),
        "COUNT": st.sampled_from([1, 2.5, 7]),
    },
)


@settings(FEW, max_examples=400)
@given(recipes(), _values, st.none() | st.integers(0, 8), st.sampled_from(["plan", "mock", "live"]))
def test_an_accepted_recipe_has_a_plan_or_says_which_fields_stand_against_it(source, values, extends, mode):
    try:
        recipe = parse(source, {})
    except RecipeInvalid:
        return

    def planned():
        return make_plan(
            recipe, inputs=values, mode=mode, extend_count=extends, judge_usd=Decimal("0.01"),
            providers=installed(Willing("fal"), Willing("mock")), prices=Dear(), today=TODAY,
        )  # fmt: skip

    try:
        made = planned()
    except OverBudget:
        return
    except BadInput as refused:
        problems = refused.problems
    else:
        assert planned() == made
        can_be_run(made)
        return
    assert problems
    assert all(problem.path and (problem.line or problem.path == "extendCount") for problem in problems)


def can_be_run(made):
    before, skipped = set(), set()
    for position, step in enumerate(made.steps):
        named = {ref.name for ref in step.inputs if ref.source == Source.STEP}
        assert step.position == position
        assert step.step_id not in before | skipped
        assert named <= set(step.parents) <= before
        assert PlannedStep.from_json(step.to_json()) == step
        if step.skipped:
            assert (step.first_usd, step.parents, step.inputs) == (ZERO, (), ())
        (skipped if step.skipped else before).add(step.step_id)
    assert made.quote_usd == sum((step.first_usd for step in made.steps), ZERO)
    assert made.quote_usd <= made.cap_usd


def test_the_recipe_that_is_mutated_can_be_planned():
    providers = installed(Willing("fal"), Willing("gmi"), Willing("mock"))

    made = make_plan(
        parse(WORLD_CUP, PROMPTS), inputs=INPUTS, mode="mock", providers=providers, prices=Dear(), today=TODAY
    )

    assert len(made.steps) == 4
    assert parse(SMALL, {}).slug == "small-one"


_words = st.text(max_size=20)
_money = st.decimals(min_value=0, max_value=10**6, places=6)
_prices = st.none() | st.builds(
    Price,
    provider=_words,
    model=_words,
    variant=_words,
    unit=st.sampled_from(sorted(UNITS)),
    usd=_money,
    source=_words,
    verified_at=st.dates(),
)
_gates = st.builds(Gate, timeout_s=st.none() | st.integers(1, 99), on_timeout=st.sampled_from(["approve", "reject"]))
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
        price=_prices,
        candidates=st.integers(1, 16),
        retry=st.builds(
            Retrying,
            max=st.integers(0, 8),
            backoff_s=_money,
            fallback_model=st.none() | _words,
            fallback_usd=_money,
            fallback_price=_prices,
        ),
        judge=st.none() | st.builds(Judging, criteria=st.lists(_words).map(tuple), threshold=_money, hold=_gates),
        gate=st.none() | _gates,
        shared=st.booleans(),
        skipped=st.booleans(),
        on_unknown=st.sampled_from(["wait", "fail"]),
        params=st.dictionaries(_words, _json, max_size=3),
    )
)
def test_a_planned_step_survives_being_stored(step):
    assert PlannedStep.from_json(step.to_json()) == step
