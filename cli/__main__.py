"""`zap VERB …`, also as `python -m cli`. Only the module of the verb that was asked for is imported."""

import argparse
import importlib
import os
import sys
import traceback
from collections.abc import Sequence
from typing import NoReturn

from cli import faults, talk
from cli.exits import Exit
from core.errors import ZapsError

VERBS = {  # verb: what it is for
    "run": "make a film from a recipe",
    "plan": "say what a run would do and cost, and do nothing",
    "validate": "check recipes, and say where they are wrong",
    "lint": "check recipes for what is allowed and unwise",
    "new": "begin a recipe, from an example or from another",
    "status": "show a run, or the newest runs",
    "watch": "follow a run until it ends or waits for a person",
    "approve": "let what a waiting step made count, and go on",
    "reject": "refuse what a waiting step made",
    "retry": "make a waiting or failed step again",
    "resume": "go on with a run that failed, was canceled or waits for money",
    "rerun-from": "make a step and what follows from it again",
    "fork": "begin a new run with some inputs changed",
    "feedback": "say what you think of a run",
    "cancel": "stop a run",
    "schedule": "run a recipe by the clock",
    "batch": "run a recipe for every row of a file",
    "delete": "delete what was given, said and made in a run",
    "compile": "turn a finished run into a new draft recipe",
    "improve": "say what a recipe's runs cost, where they failed, and what to change",
    "usage": "say what was spent, and what is left of the budgets",
    "dead-letters": "show the steps that failed for good, or make them again",
    "flow": "send events to flows, and see what became of them",
    "flow-worker": "carry out the steps of the flows on this machine",
    "up": "serve everything from this machine",
    "drain": "run one cycle of the drain in this process",
    "live-smoke": "buy the cheapest thing of a provider, and write down how it answered",
    "emulator": "play the providers on this machine, for trying and testing",
    "token": "make, list, rotate and revoke API keys",
    "prices": "show, set and bring up to date what models cost",
    "account": "take out what is held of your account, or delete it",
    "keys": "set, list, try and delete providers' keys",
    "webhooks": "tell addresses of yours what becomes of your runs",
    "providers": "say which providers are configured, priced and reachable",
    "info": "say what this installation is made of",
    "doctor": "find out what is wrong here, and say how to mend it",
    "docs": "read the manual",
    "mcp": "let an agent work with Zaps, by the Model Context Protocol",
    "help": "show this, or what a verb takes",
}


class Parser(argparse.ArgumentParser):
    """argparse, whose complaints are faults like every other."""

    def error(self, message: str) -> NoReturn:
        """Raises Fault."""
        sentence = f"{message[:1].upper()}{message[1:]}."
        raise faults.bad_input("USAGE", sentence, f"`{self.prog} --help` shows what it takes.")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one verb and return its exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        return int(_obey(words))
    except ZapsError as exc:
        return _complain(faults.of_error(exc), words)
    except faults.Fault as exc:
        return _complain(exc, words)
    except KeyboardInterrupt:
        talk.say("Stopped.")
        return 130
    except BrokenPipeError:  # whoever read our output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return int(Exit.FAILED)
    except Exception:
        traceback.print_exc()
        return _complain(_broken(), words)


def _obey(words: list[str]) -> Exit:
    verb = words[0] if words else "help"
    if verb in {"help", "-h", "--help"}:
        return _help(words[1:])
    if verb not in VERBS:
        raise faults.bad_input("VERB_UNKNOWN", f"There is no verb {verb!r}.", "`zap help` lists the verbs.")
    module = importlib.import_module(f"cli.verbs.{verb.replace('-', '_')}")
    parser = Parser(prog=f"zap {verb}", description=module.__doc__, allow_abbrev=False)
    module.declare(parser)
    ended: Exit = module.run(parser.parse_args(words[1:]))
    return ended


def _help(words: list[str]) -> Exit:
    if words and words[0] != "help":
        return _obey([words[0], "--help"])
    width = max(map(len, VERBS))
    talk.give("Usage: zap VERB …\n")
    for verb, purpose in VERBS.items():
        talk.give(f"  {verb:<{width}}  {purpose}")
    talk.give("\n`zap help VERB` shows what a verb takes. ZAP_API_URL and ZAP_TOKEN point it at a server elsewhere.")
    return Exit.DONE


def _broken() -> faults.Fault:
    return faults.fault(
        "INTERNAL",
        "Something failed on our side; the lines above say where.",
        exit_code=Exit.FAILED,
        remediation="Try again; when it stays, report those lines.",
    )


def _complain(fault: faults.Fault, words: list[str]) -> int:
    if "--json" in words:
        talk.give_json(fault.document)
    for line in faults.lines(fault.document, place=fault.place):
        talk.say(line)
    return int(fault.exit_code)


if __name__ == "__main__":
    sys.exit(main())
