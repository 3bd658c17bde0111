"""Numbers that people type."""


def number(text: str) -> int | float | str:
    """The number, or else the text, which the interface will refuse in its own words."""
    try:
        return int(text) if text.lstrip("-").isdigit() else float(text)
    except ValueError:
        return text
