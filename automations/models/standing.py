"""What schedules, triggers and batches have in common: a recipe, and in whose name it is run."""

from django.conf import settings
from django.db import models
from django.db.models.functions import Now


class Standing(models.Model):
    """An order that stands until it is taken back. Its runs are its owner's, and so is what they cost."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    made_by = models.CharField(max_length=80, help_text="Who gave it, as the API names them.")
    name = models.CharField(max_length=80, blank=True, help_text="What its owner calls it.")
    slug = models.CharField(max_length=64, help_text="Of the recipe.")
    version = models.IntegerField(null=True, blank=True, help_text="Of the recipe. Empty: the newest.")
    mode = models.CharField(max_length=8)
    inputs = models.JSONField(default=dict, help_text="What every run is given; media are in storage already.")
    run_cap_usd = models.DecimalField(
        max_digits=12, decimal_places=6, null=True, blank=True, help_text="What one run may cost, below the recipe's."
    )
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        abstract = True


def recipe_index(table: str) -> models.Index:
    """For finding orders by the beginning of their recipe's name."""
    return models.Index(fields=["slug", "-id"], name=f"{table}_recipe", opclasses=["varchar_pattern_ops", "int8_ops"])
