"""What can go wrong with media. The sentences are ours: never a tool's own output, never a path of this machine.

MediaError
├── Unreadable     a file is no picture, clip, sound or JSON that we take
└── RenderFailed   making a file from others did not work
"""

from typing import ClassVar

from core.errors import ZapsError


class MediaError(ZapsError):
    """A media file could not be read or made."""

    code: ClassVar[str] = "MEDIA_FAILED"
    title = "A media file could not be read or made."


class Unreadable(MediaError):
    """The file is damaged, of a type that is not taken, or beyond a limit. Reading it again will not help."""

    code = "OUTPUT_VALIDATION_FAILED"
    title = "The file is no picture, clip or sound that can be decoded."
    status = 422
    remediation = "Make it again, or choose another model; SVG, playlists and damaged files are never taken."


class RenderFailed(MediaError):
    """A film, frame or sound could not be made on this machine."""

    code = "LOCAL_STEP_FAILED"
    title = "The film could not be made on this machine."
    retryable = True
    remediation = "Retry the step; the worker's log says what the encoder answered. See that its disk is not full."
