"""`discover optimal`: compute-optimal models of a law's card, on the command line."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from calling import Said, calling

from discover.allocation import RATIOS, allocate
from discover.cli import commands
from discover.law import load_law
from discover.optimal import optimal

FOUND = """
title = "A law that was found"
kind = "found"
formula = "E0 + A/N**alpha + B/D**alpha"
[features]
N = "parameters"
D = "tokens"
[constants]
E0 = {{ range = [0.1, 4] }}
A = {{ range = [1, 1e4] }}
B = {{ range = [1, 1e4] }}
alpha = {{ range = [0.1, 1] }}
{fits}
"""
FIT = """
[[fits]]
dataset = "{dataset}"
group = "{group}"
rows = 40
values = {{ E0 = 1.8, A = {A}, B = 900, alpha = 0.35 }}
"""


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Said]:
    """The command in this process."""
    return calling(monkeypatch, capsys)


def found_law(folder: Path, *fits: str) -> str:
    """Path of the card of a law that was found, with these fits."""
    path = folder / "mine.toml"
    path.write_text(FOUND.format(fits="".join(fits)), encoding="utf-8")
    return str(path)


def test_the_table_has_a_line_for_each_budget(call: Callable[..., Said]) -> None:
    said = call("optimal", "hoffmann", "--compute", "1e22", "--compute", "1e24", "--constants", "2")
    assert said.returncode == 0
    assert "MassiveText (set 2 of 9)" in said.stdout
    assert "C = 6 N D" in said.stdout
    assert "N: total parameters, embeddings included" in said.stdout  # whose count it is
    lines = said.stdout.splitlines()
    heading = next(k for k, line in enumerate(lines) if line.startswith("compute"))
    assert lines[heading].split() == ["compute", "N", "D", "D/N", "L", "a", "b"]
    assert lines[heading + 1].split() == ["1e+22", "6.34e+09", "2.63e+11", "41.4", "2.1149", "0.457", "0.543"]
    assert len(lines) == heading + 3


def test_json_has_full_digits(call: Callable[..., Said]) -> None:
    record = json.loads(call("optimal", "hoffmann", "--compute", "1e22", "--json").stdout)
    law = load_law("hoffmann")
    expected = allocate(law, law.published[0].values, 1e22)  # the first set by default
    (entry,) = record["optima"]
    assert (entry["compute"], entry["interior"], entry["reason"]) == (1e22, True, "")
    for name in ("N", "D", "loss", "a", "b", "tokens_per_parameter"):
        assert entry[name] == pytest.approx(float(getattr(expected, name)), rel=1e-12)
    assert 6 * entry["N"] * entry["D"] == pytest.approx(1e22)


def test_an_optimum_that_is_none_is_null_and_has_a_reason(call: Callable[..., Said]) -> None:
    arguments = ("optimal", "step_law_lr", "--compute", "1e22")  # a learning rate falls in N, whatever the budget
    (entry,) = json.loads(call(*arguments, "--json").stdout)["optima"]
    assert entry["N"] is entry["loss"] is entry["a"] is None
    assert entry["interior"] is False
    assert "largest N" in entry["reason"]
    shown = call(*arguments).stdout
    assert entry["reason"] in shown
    assert "nan" not in shown


def test_other_features_are_fixed_by_at(call: Callable[..., Said]) -> None:
    said = call("optimal", "kumar_precision", "--compute", "1e22", *["--at", "P_w=8", "--at", "P_a=8"])
    assert said.returncode == 2
    assert "fix P_kv, as with" in said.stderr
    said = call("optimal", "kumar_ptq", "--compute", "1e22", "--at", "P_post=4", "--json")
    law = load_law("kumar_ptq")
    expected = allocate(law, law.published[0].values, 1e22, at={"P_post": 4.0})
    assert json.loads(said.stdout)["at"] == {"P_post": 4.0}
    assert json.loads(said.stdout)["optima"][0]["N"] == pytest.approx(float(expected.N), rel=1e-12)
    assert "P_post = 4" in call("optimal", "kumar_ptq", "--compute", "1e22", "--at", "P_post=4").stdout


def test_flop_and_range_are_options(call: Callable[..., Said]) -> None:
    budget = ("optimal", "farseer", "--compute", "1e22", "--json")
    record = json.loads(call(*budget, "--flop-per", "2").stdout)
    (entry,) = record["optima"]
    assert record["flop_per"] == 2
    assert 2 * entry["N"] * entry["D"] == pytest.approx(1e22)
    wide = json.loads(call(*budget, "--tokens-per-parameter", "1e-9", "1e8").stdout)
    assert "narrow it" in wide["optima"][0]["reason"]


def test_a_found_law_has_the_constants_of_its_last_fit(tmp_path: Path) -> None:
    card = found_law(
        tmp_path, FIT.format(dataset="small", group="", A=500), FIT.format(dataset="all", group="", A=1800)
    )
    last, first = optimal(card, [6e20]), optimal(card, [6e20], number=1)
    assert last.origin == "fit to all, 40 rows (fit 2 of 2)"
    assert first.origin == "fit to small, 40 rows (fit 1 of 2)"
    # one exponent: N/D = (A/B)**(1/alpha)
    for found, A in ((last, 1800), (first, 500)):
        assert found.allocations[""].N[0] == pytest.approx(np.sqrt(1e20 * (A / 900) ** (1 / 0.35)), rel=1e-10)


def test_each_group_of_a_fit_has_its_own_optimum(tmp_path: Path, call: Callable[..., Said]) -> None:
    parts = [FIT.format(dataset="two", group=group, A=A) for group, A in (("code", 500), ("[web]", 1800))]
    card = found_law(tmp_path, FIT.format(dataset="before", group="", A=1), *parts)
    found = optimal(card, [1e20, 1e22])
    assert list(found.allocations) == ["code", "[web]"]
    assert [entry["group"] for entry in found.as_record()["optima"]] == ["code", "code", "[web]", "[web]"]
    shown = call("optimal", card, "--compute", "1e20").stdout
    assert "fits to the groups of two" in shown
    assert [line.split()[0] for line in shown.splitlines()[-3:]] == ["group", "code", "[web]"]
    assert "group code" in optimal(card, [1e20], number=2).origin


def test_constants_that_were_not_seen_in_a_source_are_marked() -> None:
    assert load_law("kumar_ptq").published[0].unverified
    assert optimal("kumar_ptq", [1e20], at={"P_post": 4.0}).origin.endswith(" [unverified]")
    assert "unverified" not in optimal("hoffmann", [1e20]).origin


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["hofmann"], "did you mean 'hoffmann'?"),
        (["clark_separable"], "has no D, its features are N, E"),
        (["gadre"], "law 'gadre' has no constants: none were published"),
        (["hoffmann", "--constants", "12"], "has 9 sets of published constants, no number 12"),
        (["muennighoff"], "--at uD=1"),
        (["muennighoff", "--at", "uD"], "--at 'uD': write a name and what it gets, as in --at E=64"),
        (["muennighoff", "--at", "uD=many"], "'many' is no number; write --at E=64"),
        (["muennighoff", "--at", "uD=1e9", "--at", "uD=2e9"], "--at 'uD=2e9': uD was given already, 1e9"),
        (["hoffmann", "--flop-per", "0"], "flop_per is 0"),
    ],
)
def test_what_is_wrong_is_one_sentence(arguments: list[str], message: str, call: Callable[..., Said]) -> None:
    said = call("optimal", *arguments, "--compute", "1e22")
    assert said.returncode == 2
    assert message in said.stderr
    assert len(said.stderr.splitlines()) == 1
    assert said.stdout == ""


def test_the_command_searches_the_range_that_python_searches() -> None:
    # The command repeats it, since it imports nothing before it is called.
    assert inspect.signature(commands.optimal).parameters["tokens_per_parameter"].default == RATIOS


def test_a_budget_must_be_positive(call: Callable[..., Said]) -> None:
    said = call("optimal", "hoffmann", "--compute", "0")
    assert said.returncode == 2
    assert "give a positive number of FLOP" in said.stderr
