"""What the catalogue holds of an account that leaves.

Drafts and private recipes go. What others can see stays, since their runs and branches are made of it; its author
becomes the number that the account becomes, and an unpublished text over it goes.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db.models import Q

from accounts.leaving import Part
from zaps.models import Zap, ZapVersion

_SHOWN = Q(version__gte=1, visibility__in=["public", "unlisted"])


def remove(user_pk: int) -> Sequence[str]:
    """All that nobody else can see."""
    mine = Zap.objects.filter(author_id=user_pk)
    mine.exclude(_SHOWN).delete()
    for zap in mine.filter(status="draft"):
        newest = ZapVersion.objects.get(zap=zap, version=zap.version)
        mine.filter(pk=zap.pk).update(
            source=newest.source, prompts=newest.prompts, content_hash=newest.content_hash, status="published"
        )
    mine.exclude(finalized_by="").update(finalized_by=f"user:{user_pk}")
    return ()


def export(user_pk: int) -> Mapping[str, Iterable[Mapping[str, Any]]]:
    """Recipes with their texts, and every version that was published."""
    return {
        "recipes": Zap.objects.filter(author_id=user_pk)
        .order_by("pk")
        .values("slug", "status", "version", "visibility", "source", "prompts", "title", "description", "tags")
        .iterator(chunk_size=100),
        "recipe-versions": ZapVersion.objects.filter(zap__author_id=user_pk)
        .order_by("pk")
        .values("zap__slug", "version", "source", "prompts", "created_at")
        .iterator(chunk_size=100),
    }


PART = Part(name="zaps", remove=remove, export=export)
