"""What ids look like in an address: anything else is a 404 before it reaches a view, or the database."""


class _Text:
    regex = ""

    def to_python(self, value: str) -> str:
        """As it stands."""
        return value

    def to_url(self, value: str) -> str:
        """As it stands."""
        return value


class PublicId(_Text):
    """`run_4k9f2c8s1x7q3b5z`: see core.ids."""

    regex = "[a-z]{2,12}_[0-9a-z]{1,24}"


class KeyPrefix(_Text):
    """The part of an API key that may be shown: `zap_4k9f2c8s`."""

    regex = "zap_[0-9a-z]{8}"


class Slug(_Text):
    """A recipe's slug; never one of the words that stand at its place."""

    regex = "(?!(?:run|validate|publish)(?:/|$))[a-z0-9][a-z0-9-]{1,62}[a-z0-9]"


class ProviderName(_Text):
    """A provider's name; never one of the words that stand at its place."""

    regex = "(?!(?:operator|accesses|runs)(?:/|$))[a-z][a-z0-9_-]{0,39}"


class Token(_Text):
    """Sixteen random bytes: the end of an address that nobody can guess."""

    regex = "[0-9a-f]{32}"
