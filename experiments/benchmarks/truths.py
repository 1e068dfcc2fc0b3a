"""The published laws that discovery is asked to find again, with their constants and where they are sampled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

FITTED = ""  # in place of a source: the card prints no constants


@dataclass(frozen=True)
class Truth:
    """A law whose constants are known.

    Attributes
    ----------
    law
        Name of its card.
    source
        Beginning of the source of its constants among those that the card has; empty where they are those of our fit to
        the measurements of the design.
    on
        Beginning of what the constants hold for, where a source has several sets.
    dataset
        Dataset whose features are the design; empty where there is none, and the design is generated.
    spans
        Lowest and highest value of each feature of a generated design, in the order of the features. The first is the
        one along which the largest sizes are held out.
    """

    law: str
    source: str
    dataset: str
    spans: Mapping[str, tuple[float, float]] = field(default_factory=dict, hash=False)
    on: str = ""


_CHINCHILLA = {"N": (5.7e7, 1.6e10), "D": (8e8, 3.2e11)}
_FARSEER = {"N": (1e8, 6.4e9), "D": (1e9, 5.1e11)}
_ROUTED = {"N": (1.65e7, 1.3e9), "E": (1.0, 512.0)}

PUBLISHED = (
    Truth("hoffmann", "Besiroglu et al. 2024 (arXiv 2404.10102), refit", "chinchilla_epoch", _CHINCHILLA),
    Truth("kaplan_nd", "Kaplan et al. 2020, Table 2", "chinchilla_epoch", _CHINCHILLA),
    # D varies too, and has no say: what is found must leave it out.
    Truth("kaplan_n", "Kaplan et al. 2020, Eq. 1.1", "farseer", _FARSEER),
    Truth("henighan_n", "Henighan et al. 2020, Table 1", "chinchilla_epoch", _CHINCHILLA, on="mathematics"),
    Truth("kaplan_ns", "Kaplan et al. 2020, Table 3", "", {"N": (1e6, 1.5e9), "S_min": (1e3, 2.5e5)}),
    Truth("skaling", "Busbridge et al. 2025", "farseer", _FARSEER),
    Truth(
        "muennighoff",
        "Muennighoff et al. 2023, parametric fit",
        "datablations",
        {"N": (7e6, 8.7e9), "D": (1e8, 9e11), "uD": (1e8, 1.8e11)},
    ),
    Truth("clark_saturating", "Clark et al. 2022, Table 3, S-Base", "routed_moe_s_base", _ROUTED),
    Truth("step_law_lr", "Li et al. 2025, Step Law", "steplaw_optima_eta", {"N": (6e7, 1.1e9), "D": (2e9, 1e11)}),
    Truth("parscale", "Chen et al. 2025, the Pile", "", {"N": (5e8, 4.4e9), "P": (1.0, 8.0)}),
    Truth(
        "krajewski_granular",
        "Krajewski et al. 2024, Table 1, MoE",
        "",
        {"N": (1.3e8, 3.7e9), "D": (1.6e10, 1.3e11), "G": (1.0, 16.0)},
    ),
    Truth("farseer", "Li et al. 2025, the authors' notebook", "farseer", _FARSEER),
)

# Laws whose papers print no constants, or none of their own: these are as real as a fit to measurements makes them.
MORE = (
    Truth("gadre", FITTED, "chinchilla_epoch"),
    Truth("clark_separable", FITTED, "routed_moe_s_base"),
    Truth("clark_bilinear", FITTED, "routed_moe_s_base"),
    Truth("rectified_sft", FITTED, "rectified_sft"),
)

TRUTHS = {truth.law: truth for truth in (*PUBLISHED, *MORE)}
