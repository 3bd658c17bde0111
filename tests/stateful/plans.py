"""Small plans of every shape: what a recipe can ask the engine for."""

from dataclasses import dataclass
from decimal import Decimal

from hypothesis import strategies as st

from tests.factories import make_plan, planned
from zaps.planned import LOCAL, Gate, Judging, Retrying

LOOK_USD = Decimal("0.01")
FALLBACK = {"fallback_provider": "vendor", "fallback_model": "vendor/two", "fallback_usd": Decimal("0.1")}


@dataclass(frozen=True, kw_only=True)
class Sketch:
    """A step in a few words, so that a failing example can be read. `gate`: its time-out and what it does then."""

    needs: tuple[str, ...] = ()
    local: bool = False
    usd: str = "0.25"
    candidates: int = 1
    retries: int = 0
    backoff_s: int = 0
    fallback: bool = False
    judged: bool = False
    gate: tuple[int | None, str] | None = None
    on_unknown: str = "wait"
    shared: bool = False
    skipped: bool = False

    def __repr__(self):
        plain = Sketch()
        said = {name: value for name, value in vars(self).items() if value != getattr(plain, name)}
        return f"Sketch({', '.join(f'{name}={value!r}' for name, value in said.items())})"

    def planned(self, name):
        gate = Gate(timeout_s=self.gate[0], on_timeout=self.gate[1]) if self.gate else None
        judge = Judging(threshold=Decimal("0.5"), quote_usd=LOOK_USD) if self.judged else None
        if self.local:
            return planned(
                name,
                *self.needs,
                kind="test.copy",
                provider=LOCAL,
                model="",
                gate=gate,
                judge=judge,
                shared=self.shared,
            )
        elsewhere = FALLBACK if self.fallback else {}
        return planned(
            name, *self.needs, provider="vendor", model="vendor/one", quote=self.usd, candidates=self.candidates,
            retry=Retrying(max=self.retries, backoff_s=Decimal(self.backoff_s), **elsewhere), judge=judge, gate=gate,
            on_unknown=self.on_unknown, shared=self.shared, skipped=self.skipped,
        )  # fmt: skip


def plan_of(sketches, cap):
    """The plan of these steps, called a, b, c and d. Without a cap it may cost just what it is quoted at."""
    steps = [sketch.planned(name) for name, sketch in zip("abcd", sketches, strict=False)]
    enough = sum((step.first_usd for step in steps), Decimal(0))
    return make_plan(*steps, cap=enough if cap is None else cap, mode="live")


@st.composite
def sketches(draw):
    """One to four steps, each of which may need some of those before it."""
    made = []
    for place in range(draw(st.integers(1, 4))):
        needs = draw(st.lists(st.sampled_from("abcd"[:place]), unique=True, max_size=2)) if place else []
        made.append(draw(_sketch(tuple(needs))))
    return made


def _sketch(needs):
    gate = st.none() | st.tuples(st.sampled_from([None, 600]), st.sampled_from(["reject", "approve"]))
    return st.builds(
        Sketch,
        needs=st.just(needs),
        local=st.sampled_from([False, False, True]) if needs else st.just(False),
        usd=st.sampled_from(["0.25", "0.5", "0"]),
        candidates=st.integers(1, 3),
        retries=st.integers(0, 2),
        backoff_s=st.sampled_from([0, 30]),
        fallback=st.booleans(),
        judged=st.booleans(),
        gate=gate,
        on_unknown=st.sampled_from(["wait", "fail"]),
        shared=st.booleans(),
        skipped=st.integers(0, 7).map(lambda number: number == 7),
    )
