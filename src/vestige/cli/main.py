"""`vestige`: the verbs, and how their errors reach the shell."""

import os
import sys
import warnings

import typer

from vestige.cli.attacks import list_attacks
from vestige.cli.audit import audit
from vestige.cli.data import data
from vestige.cli.score import score
from vestige.core.errors import InputError, RunFolderError

BAD_INPUT, FAILED, INTERRUPTED = 2, 3, 130

app = typer.Typer(
    name="vestige",
    help="What a trained neural network still remembers of the people in its training data.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command()(audit)
app.command()(score)
app.command("attacks")(list_attacks)
app.add_typer(data, name="data")


def main() -> None:
    """Run the command; exit 0 done, 1 exceeds the policy, 2 bad input, 3 failed, 4 cannot tell, 130 stopped."""
    if "VESTIGE_DEBUG" not in os.environ:
        warnings.filterwarnings("ignore", category=FutureWarning)
    try:
        app()
    except (InputError, RunFolderError) as error:
        _say(error)
        sys.exit(BAD_INPUT)
    except KeyboardInterrupt:
        print(
            "vestige: interrupted; finished models are kept, run the same command to go on", file=sys.stderr
        )
        sys.exit(INTERRUPTED)


def _say(error: Exception) -> None:
    print(f"vestige: {' '.join(str(error).split())}", file=sys.stderr)
