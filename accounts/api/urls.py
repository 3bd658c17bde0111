"""The addresses of sessions, API keys, providers' keys and prices, below /api/."""

from django.urls import path, register_converter

from accounts.api.account import Account, DepartureView, Export, RetentionView
from accounts.api.keys import Key, Keys, RotateKey
from accounts.api.prices import PriceHistory, Prices, SyncPrices
from accounts.api.secrets import (
    MySecret,
    MySecrets,
    OperatorSecret,
    OperatorSecrets,
    SecretAccesses,
    SecretsOfRun,
    TestMySecret,
    TestOperatorSecret,
)
from accounts.api.session import Session
from core.api.converters import KeyPrefix, ProviderName, PublicId

register_converter(KeyPrefix, "key_prefix")
register_converter(PublicId, "run_ref")
register_converter(ProviderName, "provider")

urlpatterns = [
    path("account", Account.as_view(), name="account"),
    path("account/departure", DepartureView.as_view(), name="departure"),
    path("account/export", Export.as_view(), name="export-account"),
    path("account/retention", RetentionView.as_view(), name="retention"),
    path("keys", Keys.as_view(), name="keys"),
    path("keys/<key_prefix:prefix>", Key.as_view(), name="key"),
    path("keys/<key_prefix:prefix>/rotate", RotateKey.as_view(), name="rotate-key"),
    path("prices", Prices.as_view(), name="prices"),
    path("prices/history", PriceHistory.as_view(), name="price-history"),
    path("prices/sync", SyncPrices.as_view(), name="sync-prices"),
    path("session", Session.as_view(), name="session"),
    path("secrets", MySecrets.as_view(), name="secrets"),
    path("secrets/accesses", SecretAccesses.as_view(), name="secret-accesses"),
    path("secrets/operator", OperatorSecrets.as_view(), name="operator-secrets"),
    path("secrets/operator/<provider:provider>", OperatorSecret.as_view(), name="operator-secret"),
    path("secrets/operator/<provider:provider>/test", TestOperatorSecret.as_view(), name="test-operator-secret"),
    path("secrets/runs/<run_ref:run_id>", SecretsOfRun.as_view(), name="secrets-of-run"),
    path("secrets/<provider:provider>", MySecret.as_view(), name="secret"),
    path("secrets/<provider:provider>/test", TestMySecret.as_view(), name="test-secret"),
]
