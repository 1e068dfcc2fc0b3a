"""Names are set as the papers set them."""

from __future__ import annotations

import pytest

from discover.export.names import latex_name, latex_names


@pytest.mark.parametrize(
    ("name", "latex"),
    [
        ("A", "A"),
        ("E0", "E_{0}"),
        ("c_10", "c_{10}"),
        ("N_c", "N_{c}"),
        ("alpha_N", r"\alpha_{N}"),
        ("eta", r"\eta"),
        ("uD", "U_{D}"),  # unique tokens: Muennighoff et al. 2023 write U_D
        ("R_D_star", "R_{D}^{*}"),
        ("E_hat", r"\hat{E}"),
        ("E_max", r"E_{\mathrm{max}}"),
        ("x_alpha_2", r"x_{\alpha,2}"),
        ("loss", r"\mathrm{loss}"),
        ("log-loss %", r"\text{log-loss \%}"),
    ],
)
def test_a_name_is_set_as_papers_set_it(name, latex):
    assert latex_name(name) == latex


def test_names_that_would_look_alike_are_spelled_out():
    assert latex_names(["uD", "U_D", "alpha"]) == {
        "uD": r"\mathrm{uD}",
        "U_D": r"\mathrm{U\_D}",
        "alpha": r"\alpha",
    }
