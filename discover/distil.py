"""From raw candidates to laws: simplified within a time limit, constants named, duplicates merged.

Simplifying runs in a child process that is killed when an expression takes too long; such an expression keeps its raw
form. A law that comes out has open constants: the fitter decides their values, from the ones the engine found.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

from discover.child import Child
from discover.complexity import complexity
from discover.engines.base import Candidate
from discover.formula import FormulaError, parse
from discover.law import Law
from discover.skeleton import skeleton

TIME_LIMIT = 2.0  # seconds for one expression


@dataclass(frozen=True)
class Proposal:
    """A law with open constants that engines proposed.

    Attributes
    ----------
    law
        The skeleton; its constants' ranges are wide around the values that the engine found.
    start
        Those values: the first start of a fit.
    origins
        The candidates that have this skeleton, by engine and seed, the best first.
    """

    law: Law
    start: Mapping[str, float]
    origins: tuple[Candidate, ...] = field(repr=False)

    @property
    def engine(self) -> str:
        """The engine, or the engines, that proposed the law."""
        return "+".join(sorted({candidate.engine for candidate in self.origins}))


def distil(
    candidates: Iterable[Candidate],
    features: Mapping[str, str],
    *,
    target: str = "L",
    unit: str = "nats/token",
    max_constants: int = 9,
    max_complexity: int = 45,
    time_limit: float = TIME_LIMIT,
    jobs: int = 1,
) -> list[Proposal]:
    """Turn candidates into laws with open constants, one a skeleton, the simplest first.

    Parameters
    ----------
    candidates
        What the engines found.
    features
        Meaning of each feature, by symbol; a candidate over other names is left out.
    max_constants, max_complexity
        Laws with more constants, or formulas with more nodes, are left out.
    time_limit
        Seconds that simplifying one expression may take.
    jobs
        Number of child processes that simplify.
    """
    by_formula: dict[str, list[Candidate]] = {}
    for candidate in sorted(candidates, key=lambda c: (c.complexity, c.loss, c.formula, c.engine, c.seed)):
        by_formula.setdefault(candidate.formula, []).append(candidate)
    found: dict[str, Proposal] = {}
    for origins, simple in zip(by_formula.values(), _simplified(by_formula, features, time_limit, jobs), strict=True):
        law_and_start = _law(simple, origins[0], features, target, unit)
        if law_and_start is None:
            continue
        law, start = law_and_start
        if law.features and len(law.constants) <= max_constants and law.complexity <= max_complexity:
            earlier = found.get(law.formula)
            if earlier is None:
                found[law.formula] = Proposal(law, start, tuple(origins))
            else:
                found[law.formula] = replace(earlier, origins=(*earlier.origins, *origins))
    return sorted(found.values(), key=lambda p: (len(p.law.constants), p.law.complexity, p.law.formula))


def _simplified(formulas: Iterable[str], features: Mapping[str, str], time_limit: float, jobs: int) -> list[str | None]:
    """Simple form of each formula, in order, by `jobs` children at once."""
    texts = list(formulas)
    parts = [texts[k::jobs] for k in range(jobs)]

    def work(part: list[str]) -> list[str | None]:
        with Simplifier(time_limit) as simplifier:
            return [simplifier(text, list(features)) for text in part]

    results: list[str | None] = [None] * len(texts)
    with ThreadPoolExecutor(max_workers=jobs) as pool:
        for k, answers in enumerate(pool.map(work, parts)):
            results[k::jobs] = answers
    return results


def _law(
    simple: str | None, candidate: Candidate, features: Mapping[str, str], target: str, unit: str
) -> tuple[Law, dict[str, float]] | None:
    """The law and the values of its constants, of the simple form or else of the raw one; `None` for no law."""
    for text in (simple, candidate.formula):
        if text is None:
            continue
        try:
            expression = parse(text, features=features, constants=())
            if complexity(expression) > 200:
                return None
            shape = skeleton(expression, list(features))
            used = {symbol.name for symbol in expression.free_symbols}
            law = Law(
                name="found",
                title=f"Found by {candidate.engine}",
                kind="found",
                formula=shape.formula,
                features={name: meaning for name, meaning in features.items() if name in used},
                constants=shape.constants,
                target=target,
                unit=unit,
            )
            parse(law.formula, features=law.features, constants=law.constants)
        except (FormulaError, ValueError, OverflowError, TypeError):
            continue  # what cannot be written as a law is none; the raw form may be one
        return law, shape.values
    return None


class Simplifier(Child):
    """Simplifies the texts of formulas in a child process, each within a time limit.

    Use as a context manager; calling it gives the simple text, or `None` when the limit passed or SymPy failed.
    """

    def __init__(self, time_limit: float = TIME_LIMIT) -> None:
        super().__init__("discover.simplify", "formulas cannot be simplified", time_limit)

    def __call__(self, formula: str, features: list[str]) -> str | None:
        """Simple form of `formula`, or `None`."""
        answer = self.ask({"formula": formula, "features": features}) or {}
        simple: str | None = answer.get("formula")
        return simple
