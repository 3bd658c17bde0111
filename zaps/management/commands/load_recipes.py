"""manage.py load_recipes: put the recipes that came with the installation into the catalogue."""

from typing import Any

from django.core.management.base import BaseCommand

from zaps.catalogue import load_bundled


class Command(BaseCommand):
    """Safe to repeat: an unchanged recipe makes no new version."""

    help = "Put the bundled recipes into the catalogue. Safe to repeat."

    def handle(self, *args: Any, **options: Any) -> None:
        """Names what is new or changed."""
        changed = load_bundled()
        self.stdout.write(f"loaded: {', '.join(changed)}" if changed else "nothing new")
