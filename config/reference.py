"""docs/settings.md, drawn from what the settings and the providers read."""

from collections.abc import Iterable, Iterator

from config.env import Declared
from config.settings import ENV
from providers.registry import PROVIDERS, base_url_variable

_HEAD = """\
# Settings

Every value comes from the environment. Values are checked at the start; what is wrong is listed all at once, one
line each, and nothing starts. An empty variable counts as unset. A secret may stand in a file instead:
`SECRET_KEY_FILE` names the file of `SECRET_KEY`.

This page is drawn by `./dev docs`.
"""
_TOOLS = (
    Declared(
        name="ZAPS_PG_BIN",
        kind="folder",
        default="the wheel's, else the system's",
        about="Where the embedded PostgreSQL's `initdb` and `postgres` lie.",
    ),
    Declared(
        name="ZAPS_VALKEY_BIN",
        kind="file",
        default="the wheel's, else the one on PATH",
        about="The embedded broker's program, `valkey-server` or `redis-server`.",
    ),
    Declared(
        name="ZAP_API_URL",
        kind="address",
        default="this machine",
        about="Where the `zap` command finds its server.",
    ),
    Declared(name="ZAP_TOKEN", kind="secret", default="none", about="The API token that `zap` shows there."),
)


def page() -> str:
    """The whole page."""
    return "\n".join(
        [
            _HEAD,
            "## The service\n",
            *_table(sorted(ENV.declared, key=lambda one: one.name)),
            "\n## Providers\n",
            "A provider whose key is missing is refused in live runs. An address is an origin without a path.\n",
            *_table(_of_providers()),
            "\n## Embedded servers and the command line\n",
            *_table(_TOOLS),
            "",
        ]
    )


def _table(rows: Iterable[Declared]) -> Iterator[str]:
    yield "| variable | value | default | what it does |"
    yield "|---|---|---|---|"
    for row in rows:
        yield f"| `{row.name}` | {row.kind} | {row.default or 'none'} | {row.about} |"


def _of_providers() -> Iterator[Declared]:
    """Of those that come with the program: the page is the same wherever it is drawn."""
    ours = [one for one in PROVIDERS if type(one).__module__.startswith(f"{PROVIDERS.package}.")]
    for kind in sorted(ours, key=lambda one: one.name):
        if kind.key_variable:
            yield Declared(name=kind.key_variable, kind="secret", default="none", about=f"The key for {kind.name}.")
        for variable in kind.key_extras:
            about = f"Belongs to the key for {kind.name}."
            yield Declared(name=variable, kind="text", default="none", about=about)
        if kind.webhook_variable:
            about = f"What {kind.name} signs its webhooks with."
            yield Declared(name=kind.webhook_variable, kind="secret", default="none", about=about)
        if kind.default_base_url or kind.self_hosted:
            yield Declared(
                name=base_url_variable(kind.name),
                kind="address",
                default=kind.default_base_url,
                about=f"Where {kind.name} answers.",
            )
        for variable in kind.variables:
            yield Declared(name=variable, kind="text", default="none", about=f"See the adapter {kind.name}.")
