"""A law -> the text of its card: copied into `baselines/`, a found law is a baseline of the next experiment."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from discover.export.toml import dumps
from discover.law import FittedValues, Law

if TYPE_CHECKING:  # a card is written without the fitter
    from discover.fitting import Fit


def law_card(law: Law, *, title: str | None = None, fits: Sequence[FittedValues] = ()) -> str:
    """TOML text of the card of `law`, in the format that `discover.law` reads.

    Parameters
    ----------
    law
        The law. Its name is not part of the card: it is the stem of the file that the text is written to.
    title
        Title of the card; by default the law's.
    fits
        Fits to be kept in the card, after those that the law has. An error of `None` is left out: TOML has no null,
        and a missing error says the same.

    Returns
    -------
    The text. Read again (UTF-8) it gives a law equal to `law` with that title and those fits.

    Raises
    ------
    InputError
        When a text cannot be written in UTF-8; the message names the key.

    Examples
    --------
    >>> from discover.law import load_law
    >>> print(law_card(load_law("constant")).splitlines()[0])
    title = "Constant"
    """
    data: dict[str, Any] = {
        "title": law.title if title is None else title,
        "kind": law.kind,
        "target": law.target,
        "unit": law.unit,
        "formula": law.formula,
        "any_feature": law.any_feature or None,
        "mixtures": list(law.mixtures) or None,
        "unverified": law.unverified or None,
        "notes": law.notes or None,
        "let": dict(law.let) or None,
        "cite": _plain(law.cite) if law.cite else None,
        "features": dict(law.features),
        "components": {name: list(parts) for name, parts in law.components.items()} or None,
        "constants": {name: _plain(constant) for name, constant in law.constants.items()},
        "published": [_plain(published) for published in law.published] or None,
        "protocols": {name: _plain(protocol) for name, protocol in law.protocols.items()} or None,
        "reproductions": [_plain(reproduction) for reproduction in law.reproductions] or None,
        "fits": [_plain(fit) for fit in (*law.fits, *fits)] or None,
    }
    return dumps(data)


def fitted_values(fit: Fit, dataset: str, *, group: str = "", run: str = "") -> FittedValues:
    """A fit, of one group of rows where there are groups, as its law's card keeps it.

    Parameters
    ----------
    fit
        The fit.
    dataset
        Name of the dataset that the rows came from.
    group
        Name of the group that the rows are.
    run
        Name of the run that made the fit.

    Returns
    -------
    Values and errors by constant; an error that the rows do not determine is `None`.
    """
    return FittedValues(
        dataset=dataset,
        group=group,
        rows=fit.n_rows,
        values=dict(fit.values),
        errors={name: error if math.isfinite(error) else None for name, error in fit.errors.items()},
        objective=fit.loss,
        run=run,
    )


def _plain(model: BaseModel) -> dict[str, Any]:
    """The keys of a card's model that say something: what equals its default, or is `None`, is left out."""
    return {key: _without_none(value) for key, value in model.model_dump(exclude_defaults=True).items()}


def _without_none(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _without_none(inner) for key, inner in value.items() if inner is not None}
    return [_without_none(item) for item in value] if isinstance(value, list | tuple) else value
