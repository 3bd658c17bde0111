"""Whether a step is made at all: its `when`, held against the values that the caller gave."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from zaps.recipe.schema import Condition


def are_met(conditions: tuple[Condition, ...], values: Mapping[str, Any]) -> bool:
    """Do all of them hold? A value that is not given is none of any list."""
    return all(_is_met(condition, values.get(condition.name)) for condition in conditions)


def _is_met(condition: Condition, value: Any) -> bool:
    if condition.given is not None:
        return (value is not None) is condition.given
    if value is None:
        return False
    if isinstance(value, str):
        return value in condition.one_of
    return Decimal(str(value)) in {Decimal(one) for one in condition.one_of}  # 5 is 5.0
