"""How large a film is, from a recipe's aspect."""

_SIZES = {
    "16:9": (1280, 720),
    "9:16": (720, 1280),
    "1:1": (1080, 1080),
    "4:5": (864, 1080),
    "5:4": (1080, 864),
    "4:3": (960, 720),
    "3:4": (720, 960),
    "3:2": (1080, 720),
    "2:3": (720, 1080),
    "21:9": (1680, 720),
    "9:21": (720, 1680),
    "2:1": (1440, 720),
    "1:2": (720, 1440),
}


def size_for(aspect: str | None) -> tuple[int, int] | None:
    """Width and height in pixels, both even, for an aspect such as "16:9"; None for None: the first clip decides.

    Raises ValueError, naming those there are, for an aspect that we have no size for.
    """
    if aspect is None:
        return None
    try:
        return _SIZES[aspect.replace(" ", "")]
    except KeyError:
        raise ValueError(f"There is no aspect {aspect!r}; there are: {', '.join(_SIZES)}.") from None
