"""A scaling law as a scikit-learn regressor: `LawRegressor`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.utils import Tags
from sklearn.utils.validation import (
    _check_sample_weight,
    check_array,
    check_consistent_length,
    check_is_fitted,
    check_X_y,
    column_or_1d,
    validate_data,
)

from discover.columns import names_of, position_of, take_columns
from discover.errors import InputError, one_of
from discover.fitting import fit_rows
from discover.law import Law, load_law


class LawRegressor(RegressorMixin, BaseEstimator):  # type: ignore[misc]
    """A scaling law whose constants are fitted to rows.

    Parameters
    ----------
    law
        A law, the name of one (``"hoffmann"``), or the path of its card.
    columns
        Column of ``X`` of each feature of the law, by the feature's symbol: a name, or a position from 0. Features that
        are not mentioned are the columns of their own names. Default: in a data frame the columns of the law's symbols,
        wherever they stand; an array must have exactly the law's features, in its order (`Law.columns`).
    objective
        What is minimised: ``"huber"``, ``"squared"``, ``"soft_l1"`` or ``"mae"``, with ``log_`` in front of the
        logarithm. Default: `log_huber` where all targets are positive, else `huber`.
    delta
        Where Huber's or the soft loss turns from squared to linear, in the unit of the residual.
    starts
        Number of random starts.
    seed
        Seed of the starts.

    Attributes
    ----------
    law_
        The law.
    fit_
        The fit, with its covariance, the agreement of its starts, and ``warnings``: what its reader must know.
    constants_
        Value of each constant, by name; with groups, this for each group, by the group's name.
    errors_
        Standard error of each constant, as `constants_`; NaN where the rows do not determine it.
    columns_
        Position in ``X`` of each feature of the law, by symbol.
    n_features_in_
        Number of columns of ``X``.
    feature_names_in_
        Names of the columns of ``X``, shape (n_features_in_,); only where all are texts.

    Examples
    --------
    >>> N = np.geomspace(1e7, 1e10, 30)
    >>> regressor = LawRegressor("powerlaw_one_feature").fit(N[:, None], (8.8e13 / N) ** 0.076)
    >>> round(regressor.constants_["alpha"], 6)
    0.076
    """

    def __init__(
        self,
        law: Law | str | Path,
        *,
        columns: Mapping[str, str | int] | None = None,
        objective: str | None = None,
        delta: float | None = None,
        starts: int = 64,
        seed: int = 0,
    ) -> None:
        self.law = law
        self.columns = columns
        self.objective = objective
        self.delta = delta
        self.starts = starts
        self.seed = seed

    def fit(self, X: Any, y: Any, sample_weight: Any = None, groups: Any = None) -> LawRegressor:
        """Fit the constants of the law.

        Parameters
        ----------
        X
            Array or data frame, shape (rows, columns), in the units of the law's card. Only the law's columns must be
            numbers.
        y
            Target, shape (rows,).
        sample_weight
            How much each row counts, shape (rows,), zero or more.
        groups
            Group of each row, shape (rows,): each group gets constants of its own, apart from those that the law's card
            calls shared. Names that are no texts become texts.

        Returns
        -------
        The regressor itself.

        Raises
        ------
        InputError, FitError
            Both are a `ValueError`. When there is no such law, column or objective; when rows or weights are not legal
            numbers; when there are fewer rows than constants, or the law has no finite prediction at any start.
        """
        law = _resolved(self.law)
        table = self._validated(X, y, reset=True)
        self.columns_ = _positions(law, self.columns, names_of(X), self.n_features_in_)
        # One row is not enough: a law of a single constant would pass through it, and nothing be learnt.
        table, target = check_X_y(
            take_columns(table, list(self.columns_.values())),
            y,
            dtype=np.float64,
            y_numeric=True,
            ensure_min_samples=2,
            ensure_min_features=0,
            estimator=self,
        )
        options: dict[str, Any] = {"objective": self.objective, "delta": self.delta}
        options |= {"starts": self.starts, "seed": self.seed}
        if sample_weight is not None:
            options["weights"] = _weights(sample_weight, table)
        names = None if groups is None else _group_names(groups, table)
        self.law_ = law
        self.fit_ = fit_rows(law, self._features(table), target, names, **options)
        parts = self.fit_.parts
        self.constants_ = parts[""].values if names is None else {name: part.values for name, part in parts.items()}
        self.errors_ = parts[""].errors if names is None else {name: part.errors for name, part in parts.items()}
        return self

    def predict(self, X: Any, groups: Any = None) -> np.ndarray:
        """Predict the target.

        Parameters
        ----------
        X
            As in `fit`.
        groups
            Group of each row, shape (rows,), where the law was fitted to groups; otherwise not used.

        Returns
        -------
        Predictions, shape (rows,); NaN or infinite where the formula has no finite real value.

        Raises
        ------
        InputError
            A `ValueError`. When the law was fitted to groups and `groups` is missing, or names one that was not fitted.
        """
        check_is_fitted(self)
        table = take_columns(self._validated(X, reset=False), list(self.columns_.values()))
        table = check_array(table, dtype=np.float64, ensure_min_features=0, estimator=self, input_name="X")
        names = None if groups is None else _group_names(groups, table)
        prediction = self.fit_.predict(self._features(table), names)
        return np.broadcast_to(prediction, len(table)).copy()  # a law of no features has one prediction for all rows

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.regressor_tags.poor_score = True  # a law describes its own runs, not any table of numbers
        return tags

    def _validated(self, X: Any, y: Any = "no_validation", *, reset: bool) -> Any:
        """`X` with rows and columns, of a number and names that are those of the fit; a data frame stays one.

        What it holds is checked once the law's columns are chosen: the others may hold anything.
        """
        if hasattr(X, "columns"):
            validate_data(self, X, y, reset=reset, skip_check_array=True)
            return X
        if y is None:  # scikit-learn's own message
            validate_data(self, X, y, reset=reset)
        return validate_data(self, X, reset=reset, dtype=None, ensure_all_finite=False)

    def _features(self, table: np.ndarray) -> dict[str, np.ndarray]:
        return dict(zip(self.columns_, table.T, strict=True))


def _resolved(law: Any) -> Law:
    if isinstance(law, Law):
        return law
    if isinstance(law, str | Path):
        return load_law(law)
    raise InputError(f"law must be a Law, the name of one or the path of its card, not {law!r}")


def _positions(
    law: Law, columns: Mapping[str, str | int] | None, names: Sequence[str] | None, width: int
) -> dict[str, int]:
    """Position in X of each feature of the law."""
    symbols = list(law.columns)
    in_order = {symbol: position for position, symbol in enumerate(symbols)}
    if columns is None and names is None:
        if symbols and width != len(symbols):
            raise InputError(
                f"law {law.name!r} needs {len(symbols)} columns, {', '.join(symbols)} in this order, and X has "
                f"{width}: say which are meant, as in columns={in_order}"
            )
        return in_order
    given = {} if columns is None else columns
    if not isinstance(given, Mapping):
        raise InputError(f"columns must be a mapping from features to columns, as in {in_order}, not {given!r}")
    for symbol in given:
        if symbol not in symbols:
            raise InputError(f"columns: law {law.name!r} has no feature {symbol!r}: {one_of(symbol, symbols)}")
    positions = {}
    for symbol in symbols:
        try:
            positions[symbol] = position_of(given.get(symbol, symbol), names, width)
        except InputError as error:
            raise InputError(f"the feature {symbol!r} of law {law.name!r}: {error}; columns says where it is") from None
    return positions


def _weights(sample_weight: Any, table: np.ndarray) -> np.ndarray:
    weights = np.asarray(_check_sample_weight(sample_weight, table, dtype=np.float64))
    if (weights < 0).any():
        row = int(np.flatnonzero(weights < 0)[0])
        raise InputError(f"sample_weight is {weights[row]:g} in row {row} (from 0): a weight is zero or more")
    return weights


def _group_names(groups: Any, table: np.ndarray) -> np.ndarray:
    names = column_or_1d(groups, dtype=object)
    check_consistent_length(table, names)
    missing = np.flatnonzero(pd.isna(names))
    if len(missing):
        raise InputError(f"groups has no value in row {missing[0]} (from 0): each row needs its group")
    return np.array([str(name) for name in names], dtype=object)
