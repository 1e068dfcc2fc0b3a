"""Is one formula another one, up to its constants: what SymPy can say, within a time limit.

Two laws are the same when each is the other for some constants; one is a special case when settings of the other's
constants (0, 1, -1, infinity, one tied to another) give it. The proof is a solution for the other constants, which is
told. Nothing follows from no settings being found: there may be some of another kind. The ranges in which a card lets
constants move are not compared.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from types import TracebackType
from typing import Any, Self

from discover.child import Child
from discover.disguise.normal import Formula
from discover.disguise.relation import Answer, Relation, relation
from discover.formula import to_text
from discover.law import Constant, Law

SECONDS = 2.0  # that the search for settings takes at most, for each of two directions
GRACE = 3.0  # seconds more for one expression, after which the child process is stopped


@dataclass(frozen=True)
class Symbolic:
    """What the formula of a law is to that of another one.

    Attributes
    ----------
    relation
        ``same``, ``special case`` (of the other one), ``generalisation`` or ``could not tell``.
    settings
        What constants of the more general law are set to, or how they are tied, to give the other one.
    constants
        The rest of its constants, in terms of the other law's.
    reason
        Why it could not be told.
    """

    relation: Relation
    settings: tuple[str, ...] = ()
    constants: Mapping[str, str] = field(default_factory=dict)
    reason: str = ""


class Symbolically:
    """Compares formulas in a child process that is stopped when SymPy takes too long; use as a context manager.

    >>> from discover.law import load_law
    >>> with Symbolically() as compare:
    ...     found = compare(load_law("hoffmann"), load_law("skaling"))
    >>> found.relation, found.settings
    ('special case', ('k = 1',))
    """

    def __init__(self, seconds: float = SECONDS) -> None:
        self.seconds = seconds
        self._child = Child("discover.disguise.worker", "formulas cannot be compared", seconds + GRACE)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._child.__exit__(kind, error, trace)

    def __call__(self, one: Law, other: Law) -> Symbolic:
        """What `one` is to `other`, by their formulas."""
        alike = set(one.mixtures) == set(other.mixtures)
        first, second = (formula_of(law, expanded=law.bound and not alike) for law in (one, other))
        is_special, has_special = self._ask(first, second), self._ask(second, first)
        found = relation(_answer(is_special), _answer(has_special))
        told = is_special if found in ("same", "special case") else has_special
        if found == "could not tell":
            return Symbolic(found, reason=_reason(one, other, is_special, has_special))
        return Symbolic(found, tuple(told["settings"]), told["constants"])

    def _ask(self, one: Formula, other: Formula) -> dict[str, Any]:
        """At which settings `other` is `one`."""
        if not {*one.features, *one.mixtures} <= {*other.features, *other.mixtures}:
            return {"found": False, "ended": True}
        answer = self._child.ask({"one": asdict(one), "other": asdict(other), "seconds": self.seconds})
        return answer or {"found": False, "ended": False}


def formula_of(law: Law, *, expanded: bool = False) -> Formula:
    """What is compared of a law; `expanded` writes its sums out over the components of its mixtures."""
    if expanded:
        return _formula(to_text(law.expanded), tuple(law.columns), (), law.parameters)
    features = tuple(name for name in law.features if name not in law.mixtures)
    return _formula(to_text(law.expression), features, law.mixtures, law.constants)


def _formula(
    text: str, features: tuple[str, ...], mixtures: tuple[str, ...], constants: Mapping[str, Constant]
) -> Formula:
    signed = tuple(name for name, constant in constants.items() if constant.lower < 0)
    return Formula(text, features, mixtures, tuple(constants), signed)


def _answer(told: Mapping[str, Any]) -> Answer:
    return "yes" if told.get("found") else "unknown"


def _reason(one: Law, other: Law, *told: Mapping[str, Any]) -> str:
    errors = [str(answer["error"]) for answer in told if "error" in answer]
    if errors:
        return errors[0]
    if not all(answer["ended"] for answer in told):
        return "the time limit passed"
    mine, others = (set(law.columns if law.bound else law.features) for law in (one, other))
    if mine - others and others - mine:
        return "each has a feature that the other one has not"
    return "no settings of constants were found that make one the other"
