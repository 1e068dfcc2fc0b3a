"""The commands, but for those of datasets."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from discover.cli.data import data
from discover.cli.options import Engines, Json, Search, after_list

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Find closed-form scaling laws, and compare them honestly with the published ones.",
)

app.add_typer(data, name="data")


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
    engine: Engines = None,
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
    from discover.running import run as run_experiment

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
    from discover.running import resume as resume_experiment
    from discover.runs import open_run

    with terminal.progress() as report:
        result = resume_experiment(open_run(run), jobs=jobs, report=report)
    terminal.show_result(result, as_json=json_)


@app.command()
def null(
    experiment: Annotated[str, typer.Argument(help="Name of an experiment, or path of its card.")],
    shuffles: Annotated[int, typer.Option(min=1, help="Runs on shuffled losses; 19 can give p = 0.05.")] = 19,
    engine: Engines = None,
    seed: Annotated[list[int] | None, typer.Option(min=0, help="Seed of the search; may be repeated.")] = None,
    budget: Annotated[str | None, typer.Option(help="Of each search of each run: 30s, 5min, 1h.")] = None,
    out: Annotated[Path, typer.Option(help="Folder for run folders.")] = Path("runs"),
    jobs: Annotated[int | None, typer.Option(min=1, help="Processes; all cores by default.")] = None,
    json_: Json = False,
) -> None:
    """Show what finding nothing looks like: the same search on training losses shuffled among rows."""
    from discover import terminal
    from discover.experiment import load_experiment
    from discover.permutation import permutation_null

    chosen = load_experiment(experiment).but(engines=engine, seeds=seed, budget=budget)
    with terminal.progress() as report:
        found = permutation_null(chosen, shuffles=shuffles, out=out, jobs=jobs, report=report)
    terminal.show_null(found, as_json=json_)


@app.command()
def bench(
    name: Annotated[str, typer.Argument(help="Name of a benchmark, or path of its card.")] = "sldbench",
    tasks: Annotated[
        list[str] | None, typer.Option(metavar="NAME,...", help="Some of the tasks; may be given more than once.")
    ] = None,
    engine: Engines = None,
    seed: Annotated[list[int] | None, typer.Option(min=0, help="Seed of the search; may be repeated.")] = None,
    budget: Annotated[str | None, typer.Option(help="Of each search: 30s, 5min, 1h, or 1000000evals.")] = None,
    inner: Annotated[bool, typer.Option("--inner", help="Inner scores only; held-out rows are not read.")] = False,
    out: Annotated[Path | None, typer.Option(help="Folder of the benchmark; goes on with what it holds.")] = None,
    jobs: Annotated[int | None, typer.Option(min=1, help="Processes; all cores by default.")] = None,
    json_: Json = False,
) -> None:
    """Run the tasks of a benchmark, and show their scores beside the published ones."""
    from discover import terminal
    from discover.bench import run_bench

    names = [part.strip() for text in tasks or () for part in text.split(",") if part.strip()]
    options: dict[str, Any] = {"engines": engine, "seeds": seed, "budget": budget, "held_out": not inner}
    with terminal.progress() as report:
        result = run_bench(name, tasks=names, out=out, jobs=jobs, report=report, **options)
    terminal.show_bench(result, as_json=json_)
    if all(task.failed for task in result.tasks):
        raise typer.Exit(1)


@app.command()
def runs(
    out: Annotated[Path, typer.Option(help="Folder of run folders.")] = Path("runs"),
    json_: Json = False,
) -> None:
    """List the runs."""
    from discover import terminal
    from discover.runs import list_runs

    found = list_runs(out)
    terminal.show_runs(found, as_json=json_)
    if not found and not json_:
        terminal.warn([f"there are no runs in {out}"], word="")


@app.command()
def laws(
    name: Annotated[str | None, typer.Argument(help="Name, or path of a card; all are listed without it.")] = None,
    search: Search = None,
    target: Annotated[str | None, typer.Option(help="Only laws that predict this symbol, as in --target L.")] = None,
    kind: Annotated[str | None, typer.Option(help="Only laws of this kind: published, found or null.")] = None,
    json_: Json = False,
) -> None:
    """List the laws, or show one in full: formula, constants, what it can be fitted to."""
    from discover import terminal
    from discover.errors import InputError, one_of
    from discover.law import load_law
    from discover.verification import problems, read_datasets, read_laws

    if name is not None:
        if (search, target, kind) != (None, None, None):
            raise InputError("give either the name of a law, or --search, --target or --kind")
        law = load_law(name)
        wrong = problems(law)
        terminal.show_law(law, read_datasets()[0], wrong, as_json=json_)
        terminal.warn(wrong)
        return
    known, unreadable = read_laws()
    for chosen, given, all_ in (
        (target, "target", [law.target for law in known]),
        (kind, "kind", ["published", "found", "null"]),
    ):
        if chosen is not None and chosen not in all_:
            raise InputError(f"no law has the {given} {chosen!r}: {one_of(chosen, set(all_))}")
    shown = [law for law in known if target in (None, law.target) and kind in (None, law.kind)]
    count = terminal.show_laws(shown, read_datasets()[0] if json_ else None, search=search, as_json=json_)
    after_list(count, unreadable, "law", as_json=json_)


@app.command()
def fit(
    law: Annotated[str, typer.Argument(help="Name of a law, or path of its card.")],
    dataset: Annotated[str, typer.Argument(help="Name of a dataset, or path of its card.")],
    objective: Annotated[
        str | None,
        typer.Option(help="huber, squared, soft_l1 or mae; with log_ in front, of the logarithm. Default: log_huber."),
    ] = None,
    delta: Annotated[
        str | None, typer.Option(metavar="NUMBER|noise", help="Where the loss turns linear; noise: estimated.")
    ] = None,
    weights: Annotated[str | None, typer.Option(metavar="FORMULA", help="Weight of a row, as sqrt(N).")] = None,
    fix: Annotated[list[str] | None, typer.Option(metavar="E0=1.8", help="Constant that is not fitted.")] = None,
    tie: Annotated[list[str] | None, typer.Option(metavar="beta=alpha", help="Constant that equals another.")] = None,
    bound: Annotated[
        list[str] | None, typer.Option(metavar="alpha=0.1:0.5", help="Legal values of a constant; an end may be open.")
    ] = None,
    constraint: Annotated[
        list[str] | None, typer.Option(metavar="'alpha <= beta'", help="Linear constraint between constants.")
    ] = None,
    starts: Annotated[int, typer.Option(min=1, help="Number of starts.")] = 64,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the starts.")] = 0,
    protocol: Annotated[
        str | None, typer.Option(help="Fit as a source did: a protocol of the law's card, as hoffmann.")
    ] = None,
    hold_out: Annotated[str | None, typer.Option(help="Rows to leave out of the fit and to score on.")] = None,
    intervals: Annotated[str, typer.Option(help="Of the constants: bootstrap, profile or none.")] = "bootstrap",
    resamples: Annotated[int, typer.Option(min=2, help="Resamples of the bootstrap.")] = 1000,
    by: Annotated[str, typer.Option(metavar="row|FEATURE", help="What is resampled: rows, or sizes of N.")] = "row",
    level: Annotated[float, typer.Option(help="Confidence level of the intervals.")] = 0.95,
    derive: Annotated[
        list[str] | None, typer.Option(metavar="'beta/(alpha+beta)'", help="Quantity wanted beside the constants.")
    ] = None,
    sanity: Annotated[bool, typer.Option("--sanity", help="Also how the law behaves beyond the data.")] = False,
    json_: Json = False,
) -> None:
    """Fit a law's constants to a dataset, and say how sure they are."""
    from discover import assignments, terminal
    from discover.dataset import load_dataset
    from discover.fitted import Intervals, fit_dataset
    from discover.law import load_law
    from discover.verification import problems

    loaded = load_law(law)
    options: dict[str, Any] = {"objective": objective, "delta": delta, "weights": weights, "protocol": protocol}
    options |= {"starts": starts, "seed": seed, "hold_out": hold_out, "constraints": constraint or ()}
    options |= {"derive": derive or (), "intervals": Intervals(intervals, level, resamples, by)}  # type: ignore[arg-type]
    options["fixed"] = assignments.numbers(fix or (), "--fix", "E0=1.8")
    options["tied"] = assignments.names(tie or (), "--tie", "beta=alpha")
    options["bounds"] = assignments.ranges(bound or (), "--bound", "alpha=0.1:0.5")
    fitted = fit_dataset(loaded, load_dataset(dataset), **options)
    terminal.show_fit(fitted, fitted.sanity_card() if sanity else None, as_json=json_)
    terminal.warn(problems(loaded))


@app.command()
def compare(
    sources: Annotated[
        list[str], typer.Argument(metavar="RUN|LAW...", help="A run; or two or more laws, by name or card.")
    ],
    on: Annotated[
        str | None, typer.Option(metavar="DATASET", help="Fit the laws to it; without, formulas alone are compared.")
    ] = None,
    found: Annotated[int, typer.Option(min=1, help="Found laws of a run: the chosen one, and the best others.")] = 3,
    seconds: Annotated[float, typer.Option(min=0.1, help="Limit of each search for settings of constants.")] = 2.0,
    json_: Json = False,
) -> None:
    """Say whether laws are each other, special cases or generalisations, and which errs less."""
    from discover import terminal
    from discover.comparing import compare as compare_laws

    with terminal.progress() as report:
        comparison = compare_laws(*sources, on=on, found=found, seconds=seconds, report=report)
    terminal.show_comparison(comparison, as_json=json_)


@app.command()
def optimal(
    law: Annotated[str, typer.Argument(help="Name of a law of N and D, or path of its card.")],
    compute: Annotated[list[float], typer.Option(metavar="FLOP", help="Budget; may be given more than once.")],
    constants: Annotated[
        int | None,
        typer.Option(min=1, metavar="NUMBER", help="Which published constants or fit; the first set, or the last fit."),
    ] = None,
    at: Annotated[
        list[str] | None, typer.Option(metavar="E=64", help="Value of a feature beside N and D; may be repeated.")
    ] = None,
    flop_per: Annotated[float, typer.Option(help="FLOP for each parameter and token.")] = 6.0,
    tokens_per_parameter: Annotated[
        tuple[float, float], typer.Option(metavar="LOW HIGH", help="The D/N that are searched.")
    ] = (1e-4, 1e8),
    json_: Json = False,
) -> None:
    """Say which N and D are the best for their compute, by a law with the constants of its card."""
    from discover import assignments, terminal
    from discover.optimal import optimal as optimum

    options: dict[str, Any] = {"flop_per": flop_per, "tokens_per_parameter": tokens_per_parameter}
    found = optimum(law, compute, number=constants, at=assignments.numbers(at or (), "--at", "E=64"), **options)
    terminal.show_optimal(found, as_json=json_)


@app.command()
def reproduce(
    names: Annotated[list[str] | None, typer.Argument(metavar="[LAW]...", help="Laws; all without any.")] = None,
    output: Annotated[Path | None, typer.Option(help="File for a page of Markdown.")] = None,
    json_: Json = False,
) -> None:
    """Compute published numbers anew, on the datasets that law cards name for them."""
    from discover import terminal
    from discover.reproductions import reproduce as compute
    from discover.reproductions import reproductions
    from discover.runs import write_text

    results = []
    with terminal.progress() as report:
        for law, published, reproduction in reproductions(names or ()):
            report(f"{law.name} on {reproduction.dataset}")
            results.append(compute(law, published, reproduction))
    if output is not None:
        from discover.report.reproduced import reproductions_page

        write_text(output, reproductions_page(results))
    terminal.show_reproductions(results, as_json=json_)


@app.command()
def export(
    source: Annotated[str, typer.Argument(metavar="RUN|LAW", help="Run folder, experiment's name, or law.")],
    format_: Annotated[str, typer.Option("--format", help="latex, table, document, card, json or bibtex.")] = "latex",
    law: Annotated[str | None, typer.Option(help="A law of the run; the chosen one by default.")] = None,
    set_: Annotated[int, typer.Option("--set", min=1, help="Of a law: which set of published constants.")] = 1,
    output: Annotated[Path | None, typer.Option(help="File to write; standard output by default.")] = None,
) -> None:
    """Write a run's law or leaderboard, or a law, as LaTeX, card, JSON or BibTeX (its paper)."""
    from discover.exporting import export as export_text
    from discover.runs import write_text

    text = export_text(source, format_, law=law, number=set_)
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
