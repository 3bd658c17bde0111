"""Filters for the pages."""

from datetime import UTC, datetime

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from web import words

register = template.Library()
register.filter("usd", words.usd)
register.filter("duration", words.duration)


@register.filter
def status_word(status: str) -> str:
    """`waiting` is `Needs you`."""
    return words.STATUS.get(status, status)


@register.filter
def kind_word(kind: str) -> str:
    """`image.gen` is `Picture`."""
    return words.KIND.get(kind, kind)


@register.filter
def moment(epoch_ms: int | None) -> SafeString | str:
    """A moment of the interface as a <time>, in UTC."""
    if epoch_ms is None:
        return ""
    at = datetime.fromtimestamp(epoch_ms / 1000, UTC)
    return format_html('<time datetime="{}">{} UTC</time>', at.isoformat(), at.strftime("%-d %b %Y, %H:%M"))


@register.filter
def words_of(text: str) -> list[str]:
    """A text's words, to go through in a template."""
    return text.split()
