"""`vestige`: the verbs, and how their errors reach the shell."""

import sys

import typer

from vestige.cli.attacks import list_attacks
from vestige.cli.audit import audit
from vestige.cli.compare import compare
from vestige.cli.data import data
from vestige.cli.dynamics import dynamics
from vestige.cli.explain import explain
from vestige.cli.leakage import leakage
from vestige.cli.localize import localize
from vestige.cli.score import score
from vestige.cli.study import study
from vestige.core.errors import InputError, RunFolderError

BAD_INPUT = 2

app = typer.Typer(
    name="vestige",
    help="What a trained neural network still remembers of the people in its training data.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command()(audit)
app.command()(compare)
app.command()(dynamics)
app.command()(explain)
app.command()(leakage)
app.command()(localize)
app.command()(score)
app.command()(study)
app.command("attacks")(list_attacks)
app.add_typer(data, name="data")


def main() -> None:
    """Run the command: 0 done, 1 exceeds the policy, 2 bad input, 3 invalid, 4 cannot tell, 130 stopped."""
    try:
        app()
    except (InputError, RunFolderError) as error:
        print(f"vestige: {' '.join(str(error).split())}", file=sys.stderr)
        sys.exit(BAD_INPUT)
