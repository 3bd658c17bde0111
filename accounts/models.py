"""Who is calling, what they have already asked for once, the keys that they spend, and the operator's prices."""

from datetime import datetime

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now


class ApiToken(models.Model):
    """A key that a program shows instead of a password. Only its digest is kept."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="api_tokens")
    name = models.CharField(max_length=80, help_text="What its owner calls it.")
    prefix = models.CharField(
        max_length=16, unique=True, help_text="The first characters, to tell tokens apart in lists and logs."
    )
    digest = models.CharField(max_length=64, unique=True, help_text="SHA-256 of the whole token.")
    old_digest = models.CharField(
        max_length=64, unique=True, null=True, blank=True, help_text="Of what it was before it was rotated."
    )
    old_until = models.DateTimeField(null=True, blank=True, help_text="Until then the old one opens doors too.")
    scopes = ArrayField(
        models.CharField(max_length=16), help_text="read, run, live, publish, secrets, prices, keys, flows, account."
    )
    created_at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True, help_text="To the minute.")
    rotated_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "api_tokens"
        ordering = ["-pk"]
        verbose_name = "API token"
        indexes = [models.Index(fields=["name"], name="api_token_name", opclasses=["varchar_pattern_ops"])]  # LIKE 'a%'
        constraints = [
            models.CheckConstraint(
                condition=Q(
                    scopes__contained_by=[
                        "account",
                        "flows",
                        "keys",
                        "live",
                        "prices",
                        "publish",
                        "read",
                        "run",
                        "secrets",
                    ]
                ),
                name="api_token_scopes_known",
            ),
            models.CheckConstraint(
                condition=Q(old_digest=None, old_until=None) | Q(old_digest__isnull=False, old_until__isnull=False),
                name="api_token_old_one_ends",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"

    def is_live(self, *, at: datetime) -> bool:
        """Whether it opens doors at that moment."""
        return self.revoked_at is None and (self.expires_at is None or at < self.expires_at)


class IdempotencyKey(models.Model):
    """One request that must not be carried out twice, and, once it was, its answer.

    `lease_until` says how long an unanswered claim keeps others out; `lease_token` is new on every claim, so that a
    slow holder whose claim was taken over cannot answer any more.
    """

    principal = models.CharField(max_length=160, help_text="Whose key it is; the same key of two callers is two keys.")
    key = models.CharField(max_length=255)
    request_hash = models.CharField(max_length=64, help_text="SHA-256 of method, path and body.")
    lease_until = models.DateTimeField()
    lease_token = models.UUIDField()
    response_status = models.IntegerField(null=True, blank=True, help_text="Empty while the request is at work.")
    response_body = models.JSONField(null=True, blank=True)
    run_id = models.CharField(max_length=40, blank=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "idempotency_keys"
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(fields=["principal", "key"], name="idempotency_key_once"),
            models.CheckConstraint(
                condition=Q(response_status=None) | Q(response_body__isnull=False), name="idempotency_key_answer_whole"
            ),
        ]
        indexes = [
            models.Index(fields=["created_at"], name="idempotency_key_age"),  # for the purge
            models.Index(fields=["run_id"], name="idempotency_key_run", condition=~Q(run_id="")),  # operators' search
        ]

    def __str__(self) -> str:
        return f"{self.principal} {self.key}"


class Secret(models.Model):
    """One value of a provider's key, encrypted. The values of one provider, owner and request are a set: used together.

    Only `accounts.vault` reads `ciphertext`. What else stands here tells two keys apart and opens nothing.
    """

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.CASCADE, related_name="secrets",
        help_text="Empty: the operator's.",
    )  # fmt: skip
    provider = models.CharField(max_length=40)
    name = models.CharField(max_length=80, help_text="Such as fal_key; a provider may have several.")
    request_ref = models.CharField(
        max_length=40, blank=True, help_text="The run that it was sent along with; empty where it is kept for all."
    )
    account = models.CharField(max_length=48, help_text="Names the account at the provider; equal keys have the same.")
    ciphertext = models.TextField(editable=False)
    last_four = models.CharField(max_length=4, blank=True, help_text="Of a value that is long enough to spare them.")
    fingerprint = models.CharField(max_length=32, help_text="Equal values have the same; it tells nothing else.")
    set_by = models.CharField(max_length=160, help_text="Who set it, as the API names them.")
    created_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(db_default=Now(), help_text="When it was last set.")
    rotated_at = models.DateTimeField(null=True, blank=True, help_text="When it was last encrypted again.")

    class Meta:
        db_table = "secrets"
        ordering = ["provider", "request_ref", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["owner", "provider", "name", "request_ref"], name="secret_once", nulls_distinct=False
            ),
            models.CheckConstraint(
                condition=Q(request_ref="") | Q(owner__isnull=False), name="secret_sent_by_somebody"
            ),
        ]
        indexes = [
            # For the clean-up, and for taking back what was sent along with a run.
            models.Index(fields=["request_ref"], name="secret_sent_along", condition=~Q(request_ref="")),
            # Whoever sets a key that is known already is given the same account.
            models.Index(fields=["provider", "fingerprint"], name="secret_account"),
        ]

    def __str__(self) -> str:
        return f"{self.provider} {self.name}"


class SecretAccess(models.Model):
    """One time that a key was decrypted: whose, for whom, and why. Kept for ZAP_SECRET_LOG_DAYS."""

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+", db_index=False,
        help_text="Whose key; empty: the operator's, or somebody's who is gone.",
    )  # fmt: skip
    provider = models.CharField(max_length=40)
    source = models.CharField(max_length=8, help_text="request, creator or operator.")
    account = models.CharField(max_length=48)
    used_for = models.CharField(max_length=160, help_text="For whom, as the API names them.")
    why = models.CharField(max_length=16, help_text="submit, poll, settle, cancel, webhook or test.")
    run_id = models.CharField(max_length=40, blank=True)
    step_id = models.CharField(max_length=80, blank=True)
    attempt = models.IntegerField(null=True, blank=True, help_text="Its number within the step.")
    at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "secret_access_log"
        ordering = ["-pk"]
        verbose_name = "secret access"
        verbose_name_plural = "secret accesses"
        indexes = [
            models.Index(fields=["owner", "-id"], name="secret_access_of_owner"),
            models.Index(fields=["at"], name="secret_access_age"),  # for the purge
            # Operators' lists: of a run, and of what is rare.
            models.Index(fields=["run_id"], name="secret_access_run", condition=~Q(run_id="")),
            models.Index(fields=["source", "-id"], name="secret_access_source"),
        ]

    def __str__(self) -> str:
        return f"{self.provider} {self.why}"


class OperatorKeyGrant(models.Model):
    """Somebody who may spend the operator's keys where ZAP_OPERATOR_KEYS_FOR says `allowed`."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, primary_key=True, on_delete=models.CASCADE, related_name="operator_key_grant"
    )
    granted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, editable=False, on_delete=models.SET_NULL, related_name="+"
    )
    granted_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        db_table = "operator_key_grants"
        ordering = ["-granted_at"]
        verbose_name = "leave to spend the operator's keys"
        verbose_name_plural = "leaves to spend the operator's keys"

    def __str__(self) -> str:
        return str(self.user)


# Plain strings: see providers.prices.UNITS, which a migration must not follow.
_UNITS = ["1k_chars", "megapixel", "minute", "request", "second"]


class OperatorPrice(models.Model):
    """What a model costs from now on, by the operator's word, which goes before the book that ships with the program.

    Rows are only added: the newest of a provider, model and variant counts, the older ones are its history.
    """

    provider = models.CharField(max_length=40)
    model = models.CharField(max_length=200)
    variant = models.CharField(
        max_length=200, blank=True, help_text="Such as generate_audio=true,resolution=1080p; empty where it has none."
    )
    unit = models.CharField(max_length=12, blank=True, help_text="Empty: withdrawn.")
    usd = models.DecimalField(
        "USD", max_digits=12, decimal_places=6, null=True, blank=True,
        help_text="For one unit. Empty: there is no price any more, and live runs are refused.",
    )  # fmt: skip
    source = models.CharField(max_length=200, help_text="Where it was read, or why it was withdrawn.")
    verified_at = models.DateField(help_text="The day when it was read there.")
    set_by = models.CharField(max_length=160, editable=False, help_text="Who set it, as the API names them.")
    set_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        db_table = "prices"
        ordering = ["-pk"]
        verbose_name = "price"
        constraints = [
            models.CheckConstraint(
                condition=Q(unit="", usd=None) | Q(unit__in=_UNITS, usd__gt=0, usd__isnull=False),
                name="price_whole_or_withdrawn",
            ),
        ]
        indexes = [
            # For the newest of each.
            models.Index(fields=["provider", "model", "variant", "-id"], name="price_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.provider} {self.model} {self.variant}".rstrip()


class Retention(models.Model):
    """For how long somebody keeps their runs, where that is shorter than the operator does."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, primary_key=True, on_delete=models.CASCADE, related_name="retention"
    )
    days = models.PositiveIntegerField(help_text="After its end a run is deleted, unless it is marked to be kept.")

    class Meta:
        db_table = "retentions"
        constraints = [models.CheckConstraint(condition=Q(days__gte=1), name="retention_at_least_a_day")]

    def __str__(self) -> str:
        return f"{self.days} days"


class Departure(models.Model):
    """An account that was told to go. The number of its user stays, with the money that moved under it."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="departure")
    digest = models.CharField(max_length=64, unique=True, editable=False, help_text="SHA-256 of the receipt.")
    asked_by = models.CharField(max_length=160, help_text="Who asked for it, as the API names them.")
    asked_at = models.DateTimeField(db_default=Now())
    principals = ArrayField(
        models.CharField(max_length=160), default=list, help_text="What the API called them: the user, and their keys."
    )
    waits_for = ArrayField(models.CharField(max_length=300), default=list, blank=True)
    due_at = models.DateTimeField(
        null=True, blank=True, db_default=Now(), help_text="When to go on; empty: it is gone."
    )
    lease_until = models.DateTimeField(null=True, blank=True, help_text="Until then somebody is at it.")
    done_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "departures"
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(done_at=None, due_at__isnull=False) | Q(done_at__isnull=False, due_at=None),
                name="departure_is_due_or_done",
            ),
        ]
        indexes = [models.Index(fields=["due_at"], name="departure_due", condition=Q(done_at=None))]

    def __str__(self) -> str:
        return f"departure of user {self.user_id}"
