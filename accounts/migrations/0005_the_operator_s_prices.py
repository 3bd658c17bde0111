"""A price is what money was spent by, so the database itself refuses to change one."""

import django.db.models.functions.datetime
from django.db import migrations, models

UNITS = ["1k_chars", "megapixel", "minute", "request", "second"]
CREATE = """
CREATE FUNCTION prices_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'prices rows never change: add a new price instead'
        USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'prices_append_only';
END
$$;
CREATE TRIGGER prices_append_only BEFORE UPDATE OR DELETE ON prices
    FOR EACH ROW EXECUTE FUNCTION prices_refuse_change();
"""
DROP = """
DROP TRIGGER prices_append_only ON prices;
DROP FUNCTION prices_refuse_change();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0004_a_scope_for_prices"),
    ]

    operations = [
        migrations.CreateModel(
            name="OperatorPrice",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("provider", models.CharField(max_length=40)),
                ("model", models.CharField(max_length=200)),
                (
                    "variant",
                    models.CharField(
                        blank=True,
                        help_text="Such as generate_audio=true,resolution=1080p; empty where it has none.",
                        max_length=200,
                    ),
                ),
                ("unit", models.CharField(blank=True, help_text="Empty: withdrawn.", max_length=12)),
                (
                    "usd",
                    models.DecimalField(
                        blank=True,
                        decimal_places=6,
                        help_text="For one unit. Empty: there is no price any more, and live runs are refused.",
                        max_digits=12,
                        null=True,
                        verbose_name="USD",
                    ),
                ),
                (
                    "source",
                    models.CharField(help_text="Where it was read, or why it was withdrawn.", max_length=200),
                ),
                ("verified_at", models.DateField(help_text="The day when it was read there.")),
                (
                    "set_by",
                    models.CharField(editable=False, help_text="Who set it, as the API names them.", max_length=160),
                ),
                ("set_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
            ],
            options={
                "verbose_name": "price",
                "db_table": "prices",
                "ordering": ["-pk"],
            },
        ),
        migrations.AddIndex(
            model_name="operatorprice",
            index=models.Index(fields=["provider", "model", "variant", "-id"], name="price_newest"),
        ),
        migrations.AddConstraint(
            model_name="operatorprice",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("unit", ""), ("usd", None)),
                    models.Q(("unit__in", UNITS), ("usd__gt", 0), ("usd__isnull", False)),
                    _connector="OR",
                ),
                name="price_whole_or_withdrawn",
            ),
        ),
        migrations.RunSQL(CREATE, DROP),
    ]
