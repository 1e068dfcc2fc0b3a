"""The command `discover`: parses, calls, prints. What it does is in the other modules."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Find closed-form scaling laws, and compare them honestly with the published ones.",
)

Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
Name = Annotated[str | None, typer.Argument(help="Name, or path of a card; all are listed without it.")]


def main() -> None:
    """Run the command; an error of the user's becomes one sentence and an exit status."""
    arguments = [argument for argument in sys.argv[1:] if argument != "--debug"]
    debug = len(arguments) < len(sys.argv) - 1
    try:
        app(args=arguments, prog_name="discover")
    except BrokenPipeError:  # the reader of the output went away, as `head` does
        sys.stderr.close()
        sys.exit(1)
    except Exception as error:
        from discover.errors import DiscoverError

        if debug:
            raise
        expected = isinstance(error, DiscoverError | OSError)
        message = (
            _sentence(error) if expected else f"{type(error).__name__}: {error} (this is a bug; --debug shows where)"
        )
        print(f"discover: {message}", file=sys.stderr)
        sys.exit(getattr(error, "exit_status", 1))


def _sentence(error: Exception) -> str:
    if isinstance(error, OSError):
        return f"{error.filename}: {error.strerror}" if error.filename else str(error.strerror or error)
    return str(error)


@app.callback(invoke_without_command=True)
def _root(
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
) -> None:
    if version:
        from discover import __version__

        print(__version__)
        raise typer.Exit


@app.command()
def run(
    experiment: Annotated[str | None, typer.Argument(help="Name of an experiment, or path of its card.")] = None,
    engine: Annotated[list[str] | None, typer.Option(help="Search engine; may be given more than once.")] = None,
    seed: Annotated[
        list[int] | None, typer.Option(min=0, help="Seed of the search; may be given more than once.")
    ] = None,
    budget: Annotated[str | None, typer.Option(help="Of each search: 30s, 5min, 1h, or 1000000evals.")] = None,
    hold_out: Annotated[str | None, typer.Option(help="Rows to hold out, as 'N >= 1e9'.")] = None,
    out: Annotated[Path, typer.Option(help="Folder for run folders.")] = Path("runs"),
    jobs: Annotated[int | None, typer.Option(min=1, help="Processes; all cores by default.")] = None,
    list_: Annotated[bool, typer.Option("--list", help="List the experiments.")] = False,
    json_: Json = False,
) -> None:
    """Search for laws on an experiment's small models and judge them on its large ones."""
    from discover import terminal
    from discover.errors import InputError
    from discover.experiment import list_experiments, load_experiment
    from discover.experiment import run as run_experiment

    if list_:
        terminal.show_experiments(list_experiments(), as_json=json_)
        return
    if experiment is None:
        raise InputError("name an experiment, or the path of its card (discover run --list lists them)")
    chosen = load_experiment(experiment).but(engines=engine, seeds=seed, budget=budget, hold_out=hold_out)
    with terminal.progress() as report:
        result = run_experiment(chosen, out=out, jobs=jobs, report=report)
    terminal.show_result(result, as_json=json_)


@app.command()
def resume(
    run: Annotated[str, typer.Argument(help="Folder of a run that was stopped, or an experiment's name.")],
    jobs: Annotated[int | None, typer.Option(min=1, help="Processes; all cores by default.")] = None,
    json_: Json = False,
) -> None:
    """Go on with a run that was stopped; nothing finished is done twice."""
    from discover import terminal
    from discover.experiment import resume as resume_experiment
    from discover.runs import open_run

    with terminal.progress() as report:
        result = resume_experiment(open_run(run), jobs=jobs, report=report)
    terminal.show_result(result, as_json=json_)


@app.command()
def runs(
    out: Annotated[Path, typer.Option(help="Folder of run folders.")] = Path("runs"),
    json_: Json = False,
) -> None:
    """List the runs."""
    from discover import terminal
    from discover.runs import list_runs

    terminal.show_runs(list_runs(out), as_json=json_)


@app.command()
def laws(name: Name = None, json_: Json = False) -> None:
    """List the laws, or show one in full."""
    from discover import terminal
    from discover.law import list_laws, load_law

    if name is None:
        terminal.show_laws(list_laws(), as_json=json_)
    else:
        terminal.show_law(load_law(name), as_json=json_)


@app.command()
def data(
    words: Annotated[list[str] | None, typer.Argument(metavar="[NAME | fetch [NAME...]]", help="A dataset.")] = None,
    json_: Json = False,
) -> None:
    """List the datasets, show one, or download their files (fetch)."""
    from discover import terminal
    from discover.dataset import list_datasets, load_dataset, read_dataset_card
    from discover.errors import InputError

    words = words or []
    if not words:
        terminal.show_datasets(list_datasets(), as_json=json_)
    elif words[0] == "fetch":
        names = words[1:] or list(list_datasets())
        with terminal.progress() as report:
            terminal.show_fetched([terminal.told(report, load_dataset, name) for name in names], as_json=json_)
    elif len(words) > 1:
        raise InputError(f"discover data takes one name, or 'fetch' and names, not {' '.join(words)!r}")
    else:
        read_dataset_card(words[0])  # an error of the card comes before a download
        terminal.show_dataset(load_dataset(words[0]), as_json=json_)


@app.command()
def fit(
    law: Annotated[str, typer.Argument(help="Name of a law, or path of its card.")],
    dataset: Annotated[str, typer.Argument(help="Name of a dataset, or path of its card.")],
    objective: Annotated[str | None, typer.Option(help="log_huber, log_squared, huber or squared.")] = None,
    delta: Annotated[float | None, typer.Option(help="Where Huber's loss turns linear.")] = None,
    starts: Annotated[int, typer.Option(min=1, help="Number of starts.")] = 64,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the starts.")] = 0,
    hold_out: Annotated[str | None, typer.Option(help="Rows to leave out of the fit and to score on.")] = None,
    json_: Json = False,
) -> None:
    """Fit a law's constants to a dataset."""
    from discover import terminal
    from discover.dataset import load_dataset
    from discover.fitted import fit_dataset
    from discover.law import load_law

    options: dict[str, Any] = {"objective": objective, "delta": delta, "starts": starts, "seed": seed}
    fitted = fit_dataset(load_law(law), load_dataset(dataset), hold_out=hold_out, **options)
    terminal.show_fit(fitted, as_json=json_)


@app.command()
def export(
    source: Annotated[str, typer.Argument(metavar="RUN|LAW", help="Run folder, experiment's name, or law.")],
    format_: Annotated[str, typer.Option("--format", help="latex, table, document, card or json.")] = "latex",
    law: Annotated[str | None, typer.Option(help="A law of the run; the chosen one by default.")] = None,
    output: Annotated[Path | None, typer.Option(help="File to write; standard output by default.")] = None,
) -> None:
    """Write a run's law or leaderboard, or a law, as LaTeX, card or JSON."""
    from discover.exporting import export as export_text
    from discover.runs import write_text

    text = export_text(source, format_, law=law)
    if output is None:
        print(text, end="" if text.endswith("\n") else "\n")
    else:
        write_text(output, text)


@app.command()
def doctor(
    install_pysr: Annotated[bool, typer.Option("--install-pysr", help="Download Julia and PySR's packages.")] = False,
    json_: Json = False,
) -> None:
    """Say what works here, what is missing, and what to do."""
    from discover import doctor as examination
    from discover import terminal

    if install_pysr:
        examination.install_pysr()
    terminal.show_findings(examination.examine(), as_json=json_)
