"""Figures in the text format that Prometheus reads, version 0.0.4."""

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_LABEL_ESCAPES = str.maketrans({"\\": "\\\\", "\n": "\\n", '"': '\\"'})
_HELP_ESCAPES = str.maketrans({"\\": "\\\\", "\n": "\\n"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One value, told apart from its like by labels."""

    value: float | Decimal
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gauge:
    """Values that go up and down, under one name. Names of it and of labels are ours: letters and underscores."""

    name: str
    help: str
    samples: tuple[Sample, ...]


def gauge(name: str, about: str, value: float | Decimal | None) -> Gauge:
    """One value without labels; nothing where there is none."""
    return Gauge(name=name, help=about, samples=() if value is None else (Sample(value=value),))


def gauge_by(name: str, about: str, label: str, values: Mapping[str, float | Decimal]) -> Gauge:
    """A value for each word of one label."""
    samples = tuple(Sample(value=value, labels={label: word}) for word, value in sorted(values.items()))
    return Gauge(name=name, help=about, samples=samples)


def write(gauges: Iterable[Gauge]) -> str:
    """The page. A gauge without samples is left out."""
    return "".join(f"{line}\n" for one in gauges if one.samples for line in _lines(one))


def _lines(one: Gauge) -> Iterator[str]:
    yield f"# HELP {one.name} {one.help.translate(_HELP_ESCAPES)}"
    yield f"# TYPE {one.name} gauge"
    for sample in one.samples:
        labels = ",".join(f'{name}="{word.translate(_LABEL_ESCAPES)}"' for name, word in sample.labels.items())
        yield f"{one.name}{{{labels}}} {_number(sample.value)}" if labels else f"{one.name} {_number(sample.value)}"


def _number(value: float | Decimal) -> str:
    if isinstance(value, Decimal):
        return f"{value:f}"
    if math.isfinite(value):
        return repr(value)
    return "NaN" if math.isnan(value) else "+Inf" if value > 0 else "-Inf"
