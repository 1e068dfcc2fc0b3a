"""Choose one law, without seeing a held-out row; `docs/selection.md` says how the rule was fixed."""

from discover.selection.choosing import choose, score
from discover.selection.ensembles import Ensemble, ensemble
from discover.selection.judging import Judged, judge_baselines, judge_carefully, judge_lightly
from discover.selection.objectives import ObjectiveChoice, choose_objective
from discover.selection.rows import Rows
from discover.selection.stability import Stability, stability

__all__ = [
    "Ensemble",
    "Judged",
    "ObjectiveChoice",
    "Rows",
    "Stability",
    "choose",
    "choose_objective",
    "ensemble",
    "judge_baselines",
    "judge_carefully",
    "judge_lightly",
    "score",
    "stability",
]
