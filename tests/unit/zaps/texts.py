"""Recipes to break: a whole one, and a way to change it."""

WORLD_CUP = """\
---
zap: big-entrance
version: 2
description: A player walks in.
inputs:
  image: {type: image, required: true}
  NAME: {type: string, required: true}
  NO: {type: string, required: true}
defaults:
  provider: gmi
  models: {video.gen: seedance-2-0-260128, video.extend: seedance-2-0-260128}
budget:
  estimate_usd: 7.5
  cap_usd: 15
steps:
  - id: sketch
    kind: image.edit
    provider: fal
    model: fal-ai/flux/dev
    inputs: [user.image]
    prompt: A sketch of {NAME}.
  - id: sheet
    kind: image.edit
    provider: fal
    model: fal-ai/flux/dev
    inputs: [sketch]
    prompt: prompts/sheet.md
  - id: opening
    kind: video.gen
    duration_s: 15
    reference_images: [sheet]
    candidates: 1
    judge: {enabled: true, criteria: [likeness, pace, light]}
    rlhf: optional
    prompt: Number {NO} enters.
  - id: extend
    kind: video.extend
    duration_s: 15
    repeat: {min: 0, max: 64, default: 0}
    extend: {mode: chain}
    first_frame: {from: prev.last_frame}
    prompt: The crowd rises.
  - id: finalize
    kind: stitch
    inputs: [opening, extend.*]
    stitch: {engine: auto, format: mp4, quality: standard}
    audio: {mix: keep}
output: Zap.mp4
---
Prose that nobody reads.
"""
PROMPTS = {"prompts/sheet.md": "Four views of {NAME}.\n"}
INPUTS = {"image": "https://example.com/face.png", "NAME": "Ada", "NO": "10"}

SMALL = """\
---
zap: small-one
version: 2
description: One picture.
inputs:
  NAME: {type: string}
budget:
  estimate_usd: 1
  cap_usd: 5
steps:
  - id: still
    kind: image.gen
    prompt: A picture of {NAME}.
  - id: clip
    kind: video.gen
    duration_s: 5
    reference_images: [still]
  - id: film
    kind: stitch
    inputs: [clip]
---
"""


def changed(text: str, old: str, new: str) -> str:
    """`text` with `old` replaced; `old` must stand there exactly once."""
    assert text.count(old) == 1, old
    return text.replace(old, new)
