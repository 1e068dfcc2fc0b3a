"""Typical values of every feature, by symbol: for tests that evaluate whichever law there is a card of."""

from __future__ import annotations

MIXTURES = {"r": ("code", "web", "books")}  # what every mixture is bound to

# One training run, consistent in itself: a language model of a billion parameters on twenty billion tokens.
RUN = {"N": 1e9, "D": 2e10, "uD": 2e10, "C": 1.2e20, "C_min": 1.2e20, "S_min": 2e4, "E": 8.0, "sp": 0.5}
RUN |= {"G": 8.0, "P": 4.0, "P_w": 16.0, "P_a": 16.0, "P_kv": 16.0, "P_post": 8.0, "P_ratio": 4.0, "F": 6e9, "B": 1e6}
RUN |= {"N_nv": 1e9, "N_v": 1e8, "V": 32768.0, "H": 1e11, "eta": 1e-3, "n_lat": 65536.0, "k_act": 32.0, "S": 2e4}
RUN |= {"r_own": 0.3, "r_code": 0.3, "r_web": 0.6, "r_books": 0.1}
RUN |= {"L": 2.5, "L_t": 2.2, "Y": 2020.0, "m": 1e9, "x": 1e9}

# Where runs were made. A law is evaluated, and fitted to its own predictions, within these.
SPANS = {
    "N": (1e7, 1e10),
    "D": (1e9, 1e12),
    "uD": (1e9, 1e12),
    "C": (1e18, 1e24),
    "C_min": (1e18, 1e24),
    "S_min": (1e3, 1e6),
    "E": (1, 512),
    "sp": (0.1, 0.9),
    "L": (1.8, 4),
    "L_t": (1.9, 2.8),
    "Y": (2012, 2023),
    "G": (1, 16),
    "P": (1, 8),
    "P_w": (4, 16),
    "P_a": (4, 16),
    "P_kv": (4, 16),
    "P_post": (3, 16),
    "P_ratio": (1, 16),
    "F": (1e8, 1e11),
    "B": (1e4, 1e7),
    "N_nv": (3e7, 3e9),
    "N_v": (1e6, 1e9),
    "V": (4096, 98304),
    "H": (1e9, 1e12),
    "eta": (1e-4, 1e-2),
    "n_lat": (1e3, 1e6),
    "k_act": (8, 512),
    "S": (1e3, 1e5),
    "r_own": (0.05, 0.9),
    "r_code": (0.05, 0.9),
    "r_web": (0.05, 0.9),
    "r_books": (0.05, 0.9),
    "m": (1e6, 1e10),
    "x": (1e7, 1e12),
}

# Of these no law says that more is worse, far beyond the runs that were made.
MORE_IS_BETTER = {
    "N": (1e6, 1e12),
    "D": (1e8, 1e13),
    "uD": (1e9, 1e12),
    "C": (1e16, 1e26),
    "C_min": (1e16, 1e26),
    "S_min": (1e3, 1e7),
    "E": (1, 512),
    "m": (1e6, 1e12),
    "x": (1e6, 1e12),
    "P": (1, 64),
    "G": (1, 64),
    "P_w": (4, 16),
    "P_a": (4, 16),
    "P_kv": (4, 16),
    "P_post": (3, 16),
    "N_nv": (1e7, 1e11),
    "N_v": (1e6, 1e10),
    "H": (1e9, 1e13),
}
