"""`run`, the whole pipeline, from an experiment to the laws that were found and how well they do; and `resume`."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from discover.cards import read_card
from discover.choice import Choice, choice_entry, choose_law
from discover.comparison import leaderboard
from discover.dataset import Dataset
from discover.distil import Proposal, distil
from discover.engines import Budget, Candidate
from discover.errors import DiscoverError, InputError, Interrupted, UnreachableError
from discover.experiment import Experiment, ExperimentCard, load_experiment
from discover.hold_out import held_out_rows, rows_of, training_rows
from discover.law import Law, list_laws, load_law
from discover.matching import baselines_for, is_default_baseline
from discover.paired import paired_comparison
from discover.provenance import note_failure, note_start, now, refuse_other_rows
from discover.result import Result
from discover.runs import RunFolder
from discover.searching import Setup, max_constants, ready_engines, search_all, searches_of
from discover.selection import Rows
from discover.shuffling import shuffled

Report = Callable[[str], None]
UNWANTED = "the run was asked to leave them alone"
MOST_NODES = 80  # of a found law


def run(
    experiment: Experiment | str | Path,
    *,
    out: str | Path = "runs",
    resume: RunFolder | None = None,
    jobs: int | None = None,
    held_out: bool = True,
    report: Report = lambda message: None,
) -> Result:
    """Run an experiment: search, distil, fit, choose, and only then score on the held-out rows.

    Parameters
    ----------
    experiment
        The experiment, its name, or the path of its card.
    out
        Folder under which the run folder is made.
    resume
        A run folder to go on with instead.
    jobs
        Number of processes that fit laws, and of threads that search; all cores by default.
    held_out
        Whether to score on the held-out rows. Without, and where their files cannot be reached, the run ends with the
        choice, and what would say how the laws do on these rows stays empty.
    report
        Called with a line of progress now and then.

    Returns
    -------
    The leaderboard and the chosen law; everything is in the run folder too.
    """
    from discover.report import write_results  # figures need matplotlib, which nothing before this does

    if not isinstance(experiment, Experiment):
        experiment = load_experiment(experiment)
    jobs = jobs or os.cpu_count() or 1
    dataset, unscored = _load(experiment, held_out)
    held = held_out_rows(experiment, dataset)
    if experiment.card.shuffle_seed is not None:
        dataset = shuffled(dataset, held, experiment.card.shuffle_seed)
    rows = training_rows(dataset, held, experiment.card.hold_out)
    if unscored:
        dataset, held = dataset.narrowed(~held), held[~held]
    objective = experiment.objective(dataset, rows.target)
    laws = baselines_of(experiment, dataset)
    engines, without = ready_engines(experiment.card.engines)
    Budget.parse(experiment.card.budget)  # a wrong one shall not wait for the first search

    if resume is not None:
        refuse_other_rows(resume, rows)
    folder = resume or RunFolder.create(Path(out), experiment.name)
    say = _teller(folder, report)
    try:
        note_start(folder, experiment, dataset, held, rows, _references(experiment, dataset), objective, unscored)
        say(f"{dataset.label}: {len(rows.target)} training rows, {held.sum()} held out")
        if unscored:
            say(f"no held-out row will be scored: {unscored}")
        for line in without:
            say(line)
        setup = Setup(experiment, dataset, rows, objective, laws, folder, jobs, say)
        search_all(setup, engines)
        folder.update(state="judging")
        choice = _choose(setup)
        say("scoring on the held-out rows" if not unscored else "no held-out rows to score on")
        outside = None if unscored else rows_of(dataset, held, rows.axis)
        result = _compared(folder, dataset, choice, rows, outside)
        write_results(result, held, rows)
        folder.update(state="done", end=now())
        return result
    except KeyboardInterrupt:
        folder.update(state="interrupted", end=now())
        raise Interrupted(f"interrupted; what was found is kept: discover resume {folder.path}") from None
    except OSError as error:
        note_failure(folder, error)
        where = f"{error.filename}: " if error.filename else ""
        advice = f"when that is mended: discover resume {folder.path}"
        raise DiscoverError(f"{where}{error.strerror or error}; what was found is kept, {advice}") from error
    except Exception as error:
        note_failure(folder, error)
        raise


def resume(folder: RunFolder, *, jobs: int | None = None, report: Report = lambda message: None) -> Result:
    """Go on with a run that was stopped: searches that ended are not done again."""
    path = folder.path / "experiment.toml"
    if not path.is_file():
        raise InputError(f"the run {folder.path} cannot be resumed: it has no experiment.toml")
    card = read_card(path, ExperimentCard)
    experiment = Experiment(folder.manifest.get("experiment", "experiment"), card, folder.path)
    scored = folder.manifest.get("unscored") != UNWANTED
    known, found = folder.dataset.get("sha256"), dict(_load(experiment, scored)[0].sources)
    # Files of held-out rows may have come within reach, or gone out of it.
    if known is not None and not (known.items() <= found.items() or found.items() <= known.items()):
        raise InputError(
            f"the run {folder.path} cannot be resumed: the files of its dataset have changed; start a new run"
        )
    return run(experiment, resume=folder, jobs=jobs, held_out=scored, report=report)


def _load(experiment: Experiment, held_out: bool) -> tuple[Dataset, str]:
    """The dataset, and why its held-out rows are not scored; empty when they are."""
    if not held_out:
        return experiment.load(held_out=False), UNWANTED
    try:
        return experiment.load(), ""
    except UnreachableError as error:
        return experiment.load(held_out=False), str(error)  # the training rows may be in reach all the same


def baselines_of(experiment: Experiment, dataset: Dataset) -> list[Law]:
    """The baselines of the card, or all laws over the dataset's features and target."""
    if experiment.card.baselines is None:
        named = [law for law in list_laws() if is_default_baseline(law, dataset)]
    else:
        named = [load_law(experiment.beside(name)) for name in experiment.card.baselines]
    chosen: list[Law] = []
    for law in named:
        if law.name in {other.name for other in chosen}:
            raise InputError(f"two baselines are called {law.name!r}: name each once, or rename the card of one")
        chosen += baselines_for(law, dataset)
    return chosen


def _references(experiment: Experiment, dataset: Dataset) -> list[str]:
    """Names or paths under which the run's baselines are loaded again."""
    if experiment.card.baselines is not None:
        return [experiment.beside(name) for name in experiment.card.baselines]
    return [law.name for law in list_laws() if is_default_baseline(law, dataset)]


def distilled(
    experiment: Experiment, dataset: Dataset, rows: Rows, candidates: Sequence[Candidate], *, jobs: int = 1
) -> list[Proposal]:
    """The laws that candidates are, within the limits of an experiment."""
    return distil(
        candidates,
        dataset.meanings,
        target=dataset.target.symbol,
        unit=dataset.target.unit,
        max_constants=max_constants(experiment, rows),
        max_complexity=MOST_NODES,
        jobs=jobs,
    )


def _choose(setup: Setup) -> Choice:
    """Turn the candidates into laws, choose among them, and write down how."""
    experiment, dataset, rows, folder = setup.experiment, setup.dataset, setup.rows, setup.folder
    candidates = folder.candidates()
    proposals = distilled(experiment, dataset, rows, candidates, jobs=setup.jobs)
    setup.say(f"{len(candidates)} candidates, {len(proposals)} forms: fitting them and {len(setup.laws)} baselines")
    choice = choose_law(experiment, proposals, setup.laws, rows, setup.objective, jobs=setup.jobs, say=setup.say)
    folder.update(choice=choice_entry(experiment, rows, choice, searches_of(folder)))
    return choice


def _compared(folder: RunFolder, dataset: Dataset, choice: Choice, rows: Rows, outside: Rows | None) -> Result:
    """The laws side by side, and the chosen one against the known ones on the held-out rows, when there are such."""
    judged = choice.judged
    board = leaderboard(judged, choice.selected, rows, outside, choice.average)
    compared = None if outside is None else paired_comparison(choice.selected, judged, outside)
    return Result(folder, dataset, board, judged, choice.selected, compared, choice.average)


def _teller(folder: RunFolder, report: Report) -> Report:
    def say(message: str) -> None:
        folder.log(message)
        report(message)

    return say
