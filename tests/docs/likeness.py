"""Is what a command printed what the page shows? And which ids stand for which."""

import re

#: ids and prefixes of keys, as a page invents them
ID = re.compile(r"\b(?:zap_[0-9a-hjkmnp-tv-z]{8}|[a-z]{3,}_[0-9a-hjkmnp-tv-z]{16})(?![0-9a-z])")
_TOKEN = re.compile(
    rf"""(?P<id>{ID.pattern})
    |(?P<gap>\s*…\s*)
    |(?P<moment>\d{{4}}-\d\d-\d\d(?:[ T]\d\d:\d\d(?::\d\d(?:[.\d]*Z)?)?)?|\b\d\d:\d\d:\d\d\b|\b1\d{{12}}\b)
    |(?P<length>\b\d+(?:\.\d+)?\ (?:ms|s|min|h)\b(?:\ \d+\ s\b)?)
    |(?P<space>\s+)
    |(?P<joint>[,:{{}}\[\]]\s+)""",
    re.VERBOSE,
)
_MOMENT = r"(?:\d{4}-\d\d-\d\d(?:[ T]\d\d:\d\d(?::\d\d(?:[.\d]*Z)?)?)?|\d\d:\d\d:\d\d|\d{13})"
_LENGTH = r"\d+(?:\.\d+)?\ (?:ms|s|min|h)(?:\ \d+\ s)?"


def learn(shown, printed, ids):
    """Add to `ids` what the ids of the page stand for. True where what was printed is what the page shows."""
    names = {}
    found = re.fullmatch(_pattern(shown, ids, names), printed.strip(), re.DOTALL)
    if found is None:
        return False
    ids.update({invented: found[group] for invented, group in names.items()})
    return True


def put_in(text, ids):
    """The text with what the page's ids stand for in their places."""
    return ID.sub(lambda one: ids.get(one[0], one[0]), text)


def _pattern(shown, ids, names):
    parts, at = [], 0
    for token in _TOKEN.finditer(shown.strip()):
        parts.append(re.escape(shown.strip()[at : token.start()]))
        parts.append(_like(token, ids, names))
        at = token.end()
    return "".join([*parts, re.escape(shown.strip()[at:])])


def _like(token, ids, names):
    match token.lastgroup:
        case "gap":
            return ".*?"
        case "space":
            return r"\s+"
        case "joint":
            return re.escape(token[0][0]) + r"\s*"
        case "moment":
            return _MOMENT
        case "length":
            return _LENGTH
    invented = token["id"]
    if invented in ids:
        return re.escape(ids[invented])
    if invented in names:
        return f"(?P={names[invented]})"
    names[invented] = f"id{len(names)}"
    return f"(?P<{names[invented]}>{invented.partition('_')[0]}_[0-9a-z]+)"
