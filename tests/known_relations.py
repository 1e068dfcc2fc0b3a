"""What is known of the relations between published laws, from their formulas as the papers have them.

Each entry: a special case, the general law, and at which of its constants.
"""

from __future__ import annotations

SPECIAL = [
    ("gadre", "hoffmann", {"alpha = beta"}),
    ("hoffmann", "skaling", {"k = 1"}),
    ("gadre", "skaling", {"k = 1", "alpha = beta"}),
    ("kaplan_nd", "skaling", {"E0 = 0", "beta = 1"}),
    ("hoffmann", "droppo_elibol", {"alpha = 1"}),
    ("kaplan_nd", "droppo_elibol", {"E0 = 0", "alpha_D = alpha"}),
    ("henighan_n", "hoffmann", {"B = 0"}),
    ("kaplan_n", "henighan_n", {"E0 = 0"}),
    ("clark_separable", "clark_bilinear", {"c = 0"}),
    ("clark_separable", "moe_powerlaw_floor", {"E0 = 0"}),
    ("clark_bilinear", "moe_bilinear_floor", {"E0 = 0"}),
    ("clark_bilinear", "clark_saturating", {"E_start = 1", "E_max -> infinity"}),
    ("moe_powerlaw_floor", "moe_bilinear_floor", {"c = 0"}),
    ("bnsl_1", "bnsl_2", {"c_1 = 0"}),
    ("alabdulmohsin_m2", "bnsl_1", {"c_1 = 0"}),
    ("alabdulmohsin_m1", "alabdulmohsin_m2", {"E0 = 0"}),
    ("alabdulmohsin_m1", "alabdulmohsin_m3", {"gamma = 0"}),
    ("mixture_loglinear", "ye_m4", {"E0 = 0"}),
    ("regmix_linear", "sldagent_mixture", {"a = 1", "b = 0"}),
    ("hoffmann", "krajewski_granular", {"g = 0"}),
    ("hoffmann", "frantar_sparsity", {"a_S = 0"}),
    ("hoffmann", "abnar_sparsity", {"c = 0", "d = 0"}),
    ("hoffmann", "ho_progress", {"alpha_prime = 0", "beta_prime = 0"}),
    ("gadre", "kumar_ptq", {"C_T = 0"}),
]
SAME = [
    ("henighan_n", "alabdulmohsin_m2"),
    ("kaplan_n", "powerlaw_one_feature"),
    ("kaplan_n", "alabdulmohsin_m1"),
]
NEITHER = [  # by formula nothing is found: a law has an x that the other lacks, or bends in another way
    ("vanilla_sft", "rectified_sft"),
    ("ye_m1", "ye_m3"),
    ("ye_m3", "ye_m4"),
    ("kaplan_nd", "hoffmann"),
    ("clark_separable", "hoffmann"),
    ("upcycling", "upcycling_additive"),
]
