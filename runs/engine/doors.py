"""The way to a provider on behalf of a run: its adapter, the key that the run may use, and the account behind it."""

from dataclasses import dataclass, field

from accounts.vault.access import Use
from accounts.vault.credentials import Credential, Source, credential
from accounts.vault.keyring import Keyring
from providers import registry
from providers.contract import Provider
from runs import policy
from runs.models import Attempt, Run
from runs.transitions.batches import Leased

_KEYRING = Keyring()


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """An adapter and the key to use it with. `account` stands for the account at the provider, `source` for whose."""

    provider: Provider
    key: str = field(repr=False)
    account: str
    source: str


def door_of(attempt: Attempt, why: str) -> Door:
    """The way for an attempt: before its submission the key that counts now, afterwards one from the same source.

    Raises KeyRefused (KEY_MISSING) where there is none that the run may use. Not for inside a transaction.
    """
    run = attempt.run
    use = Use(
        why=why,
        used_for=run.principal_id,
        run_id=run.run_id,
        step_id=attempt.step.step_id,
        attempt=attempt.number,
    )
    return _open(attempt.provider, run, use, attempt.key_source)


def door_for_polls(leased: Leased) -> Door:
    """The way for the polls of every job that was sent with the same key. Raises KeyRefused."""
    run = Run.objects.only("run_id", "owner", "principal_id").get(pk=leased.run_id)
    use = Use(why="poll", used_for=run.principal_id)
    if not leased.key_source:
        return _open(leased.provider, run, use, "")
    return _door(
        leased.provider,
        _KEYRING.get(
            leased.provider,
            owner_id=run.owner_id,
            request_ref=run.run_id,
            source=Source(leased.key_source),
            use=use,
        ),
    )


def submit_lease_s(provider: Provider) -> int:
    """How long a submission there may be out; files that it has to be sent are fetched first."""
    return policy.submit_lease_s(provider.submit_timeout_s + (0 if provider.fetches_files else policy.FETCH_S))


def arrived_s(provider: Provider) -> float:
    """After so long, a submission has arrived or never will: it is begun within its lease, then it has its own time."""
    return submit_lease_s(provider) + policy.CONNECT_S + provider.submit_timeout_s


def door_key(leased: Leased) -> tuple[object, ...]:
    """Equal for jobs that are polled with the same key."""
    alone = leased.run_id if leased.key_source == Source.REQUEST else None
    return leased.provider, leased.key_source, leased.tenant, alone


def _open(name: str, run: Run, use: Use, key_source: str) -> Door:
    source = Source(key_source) if key_source else None
    return _door(name, credential(name, owner_id=run.owner_id, use=use, request_ref=run.run_id, source=source))


def _door(name: str, found: Credential) -> Door:
    return Door(
        provider=registry.provider(name), key=found.key.reveal(), account=found.account, source=str(found.source)
    )
