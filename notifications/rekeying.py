"""The secrets of webhooks, encrypted again along with everything in the vault."""

from accounts.vault.cipher import SecretUnreadable
from accounts.vault.rotation import Rotated
from notifications.endpoints import seal_again
from notifications.models import Endpoint


def rotate() -> Rotated:
    """Encrypt all of them with the first of ZAP_SECRET_KEYS. Raises VaultClosed."""
    count, unreadable = 0, []
    for endpoint in Endpoint.objects.order_by("pk").iterator(chunk_size=500):
        try:
            count += seal_again(endpoint)
        except SecretUnreadable:
            unreadable.append(f"webhook {endpoint.hook_id} of {endpoint.owner_id}")
    return Rotated(count=count, unreadable=tuple(unreadable))
