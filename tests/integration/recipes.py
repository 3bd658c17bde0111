"""Recipes that the tests run."""

DOOR = """---
zap: blue-door
version: 1
description: A door opens.
inputs:
  NAME: {type: string, required: true}
  PHOTO: {type: image}
defaults: {provider: mock}
budget: {estimate_usd: 0, cap_usd: 5}
steps:
  - {id: door, kind: image.gen, prompt: "A blue door for {NAME}"}
  - {id: opens, kind: video.gen, prompt: It opens, inputs: [door], duration_s: 5}
  - {id: film, kind: stitch, inputs: [opens]}
---
A door, and then what is behind it.
"""


def door(*, slug="blue-door", description="A door opens.", visibility=None):
    """The recipe under another name; with a publish block when `visibility` is given."""
    text = DOOR.replace("zap: blue-door", f"zap: {slug}").replace("A door opens.", description)
    if visibility:
        text = text.replace("\nsteps:", f"\npublish: {{visibility: {visibility}}}\nsteps:")
    return text
