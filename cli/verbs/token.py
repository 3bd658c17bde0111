"""Make an API token, and show it this once."""

import argparse
import importlib
from typing import TYPE_CHECKING

from django.contrib.auth import get_user_model

from cli import faults, inprocess, talk
from cli.exits import Exit

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser


def declare(parser: argparse.ArgumentParser) -> None:
    """Its arguments."""
    verbs = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    create = verbs.add_parser("create", help="make a token", allow_abbrev=False)
    create.add_argument("name", metavar="NAME", help="what you call it")
    create.add_argument("--user", metavar="U", help="whose it is; by default the staff user `local`")
    create.add_argument(
        "--scope",
        action="append",
        metavar="S",
        dest="scopes",
        help="read, run, live, publish, secrets or prices, repeatable; by default all",
    )
    create.add_argument("--json", action="store_true", help="print one JSON document")


def run(args: argparse.Namespace) -> Exit:
    """Exit 0 when it was made."""
    inprocess.stand_here()
    tokens = importlib.import_module("accounts.tokens")  # its tables can be imported only now
    user = inprocess.local_user() if args.user is None else _user(args.user)
    kept, plain = (
        tokens.create_token(user, args.name, args.scopes) if args.scopes else tokens.create_token(user, args.name)
    )
    if args.json:
        talk.give_json(
            {
                "token": plain,
                "name": kept.name,
                "prefix": kept.prefix,
                "user": user.get_username(),
                "scopes": kept.scopes,
            }
        )
    else:
        talk.give(plain)
        talk.say(f"Token {kept.name!r} of {user.get_username()}: {', '.join(kept.scopes)}. It is not shown again.")
    return Exit.DONE


def _user(name: str) -> "AbstractBaseUser":
    user = get_user_model()._default_manager.filter(username=name).first()
    if user is None:
        raise faults.bad_input(
            "USER_UNKNOWN", f"There is no user {name!r}.", "`python manage.py createsuperuser` makes one."
        )
    return user
