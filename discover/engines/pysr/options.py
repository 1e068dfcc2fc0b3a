"""The table `[options.pysr]` of an experiment card: how PySR searches, and on what machines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from discover.cards import Card, validate
from discover.errors import one_of

MANAGERS = ("slurm", "pbs", "lsf", "sge", "qrsh", "scyld", "htc")
TOURNAMENT = 15  # members of a population that PySR compares at once: a population is no smaller

Count = Annotated[int, Field(ge=1, strict=True)]


class PySROptions(Card):
    """The keys of the table; each has the name and the meaning of PySR's, whose default it keeps.

    Attributes
    ----------
    procs
        Processes that search; without it, the threads of one process do.
    cluster_manager
        The job queue on which they are started: one of `MANAGERS`. On Slurm, `procs` is the number of tasks of the
        allocation.
    heap_size_hint_in_bytes, worker_timeout
        Of each such process.
    populations, population_size, ncycles_per_iteration, maxdepth, parsimony, batching, batch_size
        Of the search.
    """

    procs: Count | None = None
    cluster_manager: str | None = None
    heap_size_hint_in_bytes: Count | None = None
    worker_timeout: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    populations: Count | None = None
    population_size: Annotated[int, Field(ge=TOURNAMENT, strict=True)] | None = None
    ncycles_per_iteration: Count | None = None
    maxdepth: Count | None = None
    parsimony: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None
    batching: bool | Literal["auto"] | None = None
    batch_size: Count | None = None

    @field_validator("cluster_manager")
    @classmethod
    def _known(cls, value: str | None) -> str | None:
        if value is not None and value not in MANAGERS:
            raise ValueError(f"there is no job queue {value!r}: {one_of(value, MANAGERS)}")
        return value

    @model_validator(mode="after")
    def _counted(self) -> PySROptions:
        if self.cluster_manager is not None and self.procs is None:
            raise ValueError("cluster_manager needs procs, the number of processes to start there")
        return self

    @property
    def several_processes(self) -> bool:
        """Whether the search is that of several processes."""
        return self.procs is not None


def read_options(table: Mapping[str, Any]) -> PySROptions:
    """The options of the table `[options.pysr]`.

    Raises
    ------
    CardError
        When a key is not known or a value not legal, with what is.
    """
    return validate(dict(table), PySROptions, where="options of the engine pysr")
