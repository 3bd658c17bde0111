"""How recipes look on the wire."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from core.api.fields import EpochMs, ProblemRow, StrictRequest, Text, TextOrNull, Usd
from zaps.catalogue import Entry, Found, parse_cached
from zaps.models import Zap

Char = serializers.CharField
STATUSES, VISIBILITIES = ["draft", "published"], ["public", "unlisted", "private"]


class InputRow(serializers.Serializer[Any]):
    """What a recipe asks its caller for."""

    name = Char()
    type = Char()
    required = serializers.BooleanField()  # type: ignore[assignment]
    label = Char(allow_null=True)  # type: ignore[assignment]
    hint = Char(allow_null=True)
    options = serializers.ListField(child=Char())


class ZapRow(serializers.Serializer[Any]):
    """A recipe as lists show it: one row of `zaps`, without its text."""

    slug = Char()
    status = serializers.ChoiceField(choices=STATUSES, help_text="draft: the newest text is not published.")
    version = serializers.IntegerField(help_text="The newest published version; 0 when there is none.")
    visibility = serializers.ChoiceField(choices=VISIBILITIES)
    title = Char()
    description = Char()
    tags = serializers.ListField(child=Char())
    estimateUsd = Usd(source="estimate_usd")
    capUsd = serializers.SerializerMethodField()
    inputs = serializers.SerializerMethodField()
    providers = serializers.SerializerMethodField()
    authorId = serializers.SerializerMethodField()
    heroAssetUrl = TextOrNull(source="hero_asset_url")
    compiledFromRunId = TextOrNull(source="compiled_from_run_id")
    finalizedAt = EpochMs(source="finalized_at", allow_null=True)
    finalizedBy = TextOrNull(source="finalized_by")
    createdAt = EpochMs(source="created_at")
    updatedAt = EpochMs(source="updated_at")

    def get_capUsd(self, zap: Zap) -> float:  # noqa: N802 (the wire's word)
        """What a run may cost at most."""
        return float(zap.summary["capUsd"])

    @extend_schema_field(InputRow(many=True))
    def get_inputs(self, zap: Zap) -> list[dict[str, Any]]:
        """What the caller is asked for."""
        return list(zap.summary["inputs"])

    def get_providers(self, zap: Zap) -> list[str]:
        """Which providers its steps name."""
        return list(zap.summary["providers"])

    def get_authorId(self, zap: Zap) -> str | None:  # noqa: N802
        """Null for a recipe that came with the installation."""
        return str(zap.author_id) if zap.author_id is not None else None


class ZapDocument(ZapRow):
    """A recipe with its text."""

    source = Char()  # type: ignore[assignment]
    prompts = serializers.DictField(child=Char())
    contentHash = Char()


class ValidateRequest(StrictRequest):
    """The text of a recipe. `zapMd` is an old word for `source`."""

    source = Text(required=False)  # type: ignore[assignment]
    zapMd = Text(required=False)
    prompts = serializers.DictField(child=Text(allow_blank=True), required=False, help_text="Prompt files, by path.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Exactly one of the two words."""
        if ("source" in attrs) == ("zapMd" in attrs):
            raise serializers.ValidationError({"source": "Send the recipe's text as source."}, code="FIELD_REQUIRED")
        attrs["source"] = attrs.pop("zapMd") if "zapMd" in attrs else attrs["source"]
        return attrs


class ValidateDocument(serializers.Serializer[Any]):
    """What is wrong with a recipe; where nothing is, what it asks for and may cost."""

    ok = serializers.BooleanField()
    errors = ProblemRow(many=True)  # type: ignore[assignment]
    slug = Char(required=False)
    steps = serializers.IntegerField(required=False)
    estimateUsd = Usd(required=False)
    capUsd = Usd(required=False)
    inputs = InputRow(many=True, required=False)
    providers = serializers.ListField(child=Char(), required=False)


class PublishRequest(ValidateRequest):
    """A recipe for the catalogue, and what lists should show of it."""

    slug = Text(required=False, help_text="Only to make sure: must be the recipe's own.")
    status = serializers.ChoiceField(choices=STATUSES, required=False, help_text="Default published.")
    title = Text(required=False, max_length=200)
    description = Text(required=False, allow_blank=True, max_length=4000)
    tags = serializers.ListField(child=Text(max_length=40), required=False, max_length=20)
    visibility = serializers.ChoiceField(choices=VISIBILITIES, required=False)
    heroAssetUrl = Text(required=False, allow_blank=True, max_length=300)
    compiledFromRunId = Text(required=False, allow_blank=True, max_length=40)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """The recipe says its own slug; a caller who says another is mistaken about one of them."""
        attrs = super().validate(attrs)
        if "slug" in attrs and parse_cached(attrs["source"], attrs.get("prompts", {})).slug != attrs["slug"]:
            raise serializers.ValidationError(
                {"slug": "The recipe's own `zap:` says another slug."}, code="SLUG_MISMATCH"
            )
        return attrs

    @property
    def is_draft(self) -> bool:
        """Whether it is to be kept without being published."""
        return bool(self.validated_data.get("status") == "draft")

    def entry(self) -> Entry:
        """What the catalogue takes."""
        given = self.validated_data
        return Entry(
            source=given["source"],
            prompts=given.get("prompts", {}),
            title=given.get("title"),
            description=given.get("description"),
            tags=tuple(given["tags"]) if "tags" in given else None,
            visibility=given.get("visibility"),
            hero_asset_url=given.get("heroAssetUrl"),
            compiled_from_run_id=given.get("compiledFromRunId"),
        )


def zap_document(found: Found) -> dict[str, Any]:
    """The JSON of a ZapDocument."""
    text = {"source": found.source, "prompts": dict(found.prompts), "contentHash": found.content_hash}
    return {**ZapRow(found.zap).data, "version": found.version, **text}
