"""What a person looks at when a run is done: figures, and the files of the run folder."""

from discover.report.results import write_results

__all__ = ["write_results"]
