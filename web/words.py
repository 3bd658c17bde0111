"""The words that people read where the interface has codes."""

from collections.abc import Iterable

STATUS = {
    "queued": "Queued",
    "running": "Running",
    "waiting": "Needs you",
    "done": "Done",
    "failed": "Failed",
    "skipped": "Not needed",
    "canceled": "Canceled",
}
KIND = {
    "image.gen": "Picture",
    "image.edit": "Edited picture",
    "image.upscale": "Larger picture",
    "video.gen": "Clip",
    "video.edit": "Edited clip",
    "video.extend": "Next clip",
    "video.upscale": "Larger clip",
    "audio.music": "Music",
    "audio.tts": "Voice",
    "audio.sfx": "Sound",
    "stitch": "Film",
    "keyframes": "Stills",
}
# What a step that nobody answers does by itself.
OTHERWISE = {"approve": "the best is approved", "reject": "all are refused", "retry": "it is tried again"}
_WAITS = {
    "provider_queue": "In line at the provider",
    "provider_limit": "Waits for a free place at the provider",
    "provider_paused": "Nothing is sent to this provider for a while: an operator paused it, or it failed too often",
    "rate_limit": "The provider asked us to slow down",
    "budget": "Waits for money",
    "approval": "Waits for your decision",
    "backoff": "Something failed that may pass; it is tried again shortly",
    "submission_unknown": "It is not known whether the provider got the order; it is not sent twice",
}


def waiting_for(reason: str | None, parents: Iterable[str]) -> str:
    """Why a step or a run does not move, as the beginning of a sentence; "" where nothing keeps it."""
    if reason == "dependency":
        names = list(parents)
        return f"Waits for {', '.join(names)}" if names else "Waits for its turn"
    return _WAITS.get(reason or "", "")


def duration(seconds: float) -> str:
    """`0.4 s`, `12 s`, `3 min 05 s`, `2 h 10 min`."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def usd(amount: float | None) -> str:
    """`$0`, `$0.025`, `$1.15`; `?` for what is not known. From a dollar on, cents are enough."""
    if amount is None:
        return "?"
    if amount == 0:
        return "$0"
    text = f"{amount:.{2 if amount >= 1 else 4}f}".rstrip("0")
    whole, _, cents = text.partition(".")
    return f"${whole}.{cents:0<2}"
