"""What the command prints: tables on a terminal, plain lines elsewhere, JSON for programs."""

from discover.terminal.bench import show_bench, show_null
from discover.terminal.checks import show_verdicts
from discover.terminal.comparing import show_comparison
from discover.terminal.datasets import dataset_card_entry, show_dataset, show_datasets, show_fetched
from discover.terminal.fits import show_fit
from discover.terminal.laws import law_entry, show_law, show_laws
from discover.terminal.optimal import show_optimal
from discover.terminal.printing import print_json, progress, warn
from discover.terminal.proposals import show_proposal
from discover.terminal.reproductions import show_reproductions
from discover.terminal.results import show_result
from discover.terminal.runs import show_experiments, show_findings, show_runs

__all__ = [
    "dataset_card_entry",
    "law_entry",
    "print_json",
    "progress",
    "show_bench",
    "show_comparison",
    "show_dataset",
    "show_datasets",
    "show_experiments",
    "show_fetched",
    "show_findings",
    "show_fit",
    "show_law",
    "show_laws",
    "show_null",
    "show_optimal",
    "show_proposal",
    "show_reproductions",
    "show_result",
    "show_runs",
    "show_verdicts",
    "warn",
]
