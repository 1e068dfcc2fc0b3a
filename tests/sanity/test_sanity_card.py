"""The full card: of fits, of laws, of groups, and of every law there is."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from generated import FLOOR, HOFFMANN, TRUTH, noise
from made_fits import made_fit
from rich.console import Console
from sanity_subjects import COLUMNS, KINDS
from typical import MIXTURES, SPANS

import discover
from discover.dataset import load_dataset
from discover.errors import InputError
from discover.fitted import Intervals, fit_dataset
from discover.law import Constant, Law, list_laws, load_law
from discover.sanity import SanityCheck, merged, sanity, sanity_card, sanity_of_groups
from discover.sanity.card import SanityCard
from discover.sanity.exact import ExactLimits
from discover.sanity.lines import full_lines, gate_lines, subject_of
from discover.terminal.sanity import show_sanity

SYNTHETIC = load_dataset("synthetic_chinchilla")


@pytest.fixture(scope="module")
def card() -> SanityCard:
    return sanity_card(made_fit(HOFFMANN, TRUTH, dict.fromkeys(TRUTH, 0.1), 10), SYNTHETIC)


def test_the_card_of_chinchillas_law_has_all_lines(card):
    assert [line.name for line in card.lines] == [
        *("falls in N", "returns diminish in N", "falls in D", "returns diminish in D"),
        *("limit in N", "limit in D", "limit in all sizes", "finite and positive", "no pole, no domain error"),
        "interaction of N and D",
    ]
    assert card.passes
    assert {line.verdict for line in card.lines} == {"pass"}
    assert card.lines[6].value == TRUTH["E0"]


def test_the_card_is_text_a_page_and_a_record(card):
    assert str(card).splitlines()[6].split("  ")[0] == "pass"
    assert str(card).splitlines()[6].endswith(f"tends to E0 = {TRUTH['E0']:.4g}")
    assert card._repr_html_().count("<tr>") == 11
    odd = replace(card, lines=(SanityCheck("falls in N", "fail", "at <b>N</b> & D"),))
    assert "<td>at &lt;b&gt;N&lt;/b&gt; &amp; D</td>" in odd._repr_html_()
    assert not odd.passes
    record = json.loads(json.dumps(card.as_record()))
    assert record[6]["value"] == TRUTH["E0"]
    assert set(record[0]) == {"name", "verdict", "witness", "value"}


def test_it_is_printed_line_by_line(card, capsys):
    show_sanity(
        replace(card, lines=(*card.lines, SanityCheck("an [odd] one", "unknown", "at [N]"))), Console(width=200)
    )
    lines = capsys.readouterr().out.splitlines()
    assert any("tends to E0 = " in line and "pass" in line for line in lines)
    assert any("unknown" in line and "an [odd] one" in line and "at [N]" in line for line in lines)


def test_a_law_takes_its_published_constants_or_those_given():
    assert discover.sanity_card is sanity_card
    values = {**TRUTH, "E0": -9.0}
    lines = {line.name: line for line in sanity_card(HOFFMANN, SYNTHETIC, values=values).lines}
    assert (lines["limit in all sizes"].verdict, lines["limit in all sizes"].value) == ("fail", -9.0)
    with pytest.raises(InputError, match="law 'gadre' has no published constants: give values, or a fit of it"):
        sanity_card(load_law("gadre"), SYNTHETIC)
    with pytest.raises(InputError, match="a fit has its own constants: leave out values"):
        sanity_card(made_fit(HOFFMANN, TRUTH, TRUTH, 10), SYNTHETIC, values=TRUTH)
    with pytest.raises(InputError, match="law 'muennighoff' does not fit dataset"):
        sanity_card(load_law("muennighoff"), SYNTHETIC)


def test_the_data_of_a_fit_are_the_rows_that_it_saw():
    fitted = fit_dataset(HOFFMANN, SYNTHETIC, hold_out="N >= 1e9", intervals=Intervals("none"))
    lines = {line.name: line for line in fitted.sanity_card().lines}
    largest = SYNTHETIC.table.N[SYNTHETIC.table.N < 1e9].max()
    assert lines["limit in D"].witness.endswith(f"at N = {largest:.3g}")


def test_where_the_target_need_not_fall_sizes_are_mere_counts():
    kept = replace(SYNTHETIC, target=SYNTHETIC.target.model_copy(update={"falls": False}))
    names = [line.name for line in sanity_card(HOFFMANN, kept, values=TRUTH).lines]
    assert names == ["finite and positive", "no pole, no domain error", "optimum in N", "optimum in D"]


def test_groups_have_lines_of_their_own_and_one_card_together():
    sizes = np.geomspace(1e7, 1e10, 12)
    floors = {name: 1.0 + k / 10 for k, name in enumerate("abcdefgh")}
    parts = {name: {"E0": floor, "A": 480.0, "alpha": 0.35} for name, floor in floors.items()}
    parts["b"] = {"E0": 1.0, "A": -480.0, "alpha": 0.35}
    groups = np.repeat(np.array(list(parts), dtype=object), 12)
    columns = {"N": np.tile(sizes, len(parts))}
    target = 2 * noise(0.01, len(groups))
    cards = sanity_of_groups(FLOOR, parts, columns, target, groups, {"N": "size"}, full=True)
    assert [cards[name][2].value for name in "acd"] == [floors[name] for name in "acd"]
    together = {line.name: line for line in merged(cards)}
    assert together["finite and positive"].verdict == "unknown"  # in one group of eight
    assert together["finite and positive"].witness.startswith("in 1 of 8 groups, as b: not at N = 1e+07")
    assert together["limit in N"].witness.startswith("in 1 of 8 groups, as b: rises")
    good = merged({name: lines for name, lines in cards.items() if name != "b"})
    assert good[2].witness == "as a: tends to E0 = 1"
    assert merged({"b": cards["b"], "a": cards["a"]})[0].verdict == "fail"


LAWS = {law.name: law for law in list_laws()}


@pytest.mark.parametrize("name", LAWS)
def test_every_law_has_a_full_card_that_agrees_with_the_gate(name):
    law = LAWS[name]
    law = law if law.bound else law.bind({mixture: MIXTURES.get(mixture, ("a", "b")) for mixture in law.mixtures})
    random = np.random.default_rng(0)
    columns = {
        key: np.exp(random.uniform(*np.log(SPANS[key]), 30)) if key in SPANS else random.uniform(0.05, 0.9, 30)
        for key in law.columns
    }
    kinds = {key: KINDS.get(key, "share" if max(column) < 1 else "count") for key, column in columns.items()}
    typical = {key: _middle(constant) for key, constant in law.parameters.items()}
    for values in (law.published[0].values, typical) if law.published else (typical,):
        subject = subject_of(law, values, columns, kinds)
        gate = gate_lines(subject, positive=True, bent=())
        full = {line.name: line for line in full_lines(subject, ExactLimits(total=0), positive=True, bent=())}
        assert {line.name: full[line.name].verdict for line in gate} == {line.name: line.verdict for line in gate}
        for line in full.values():
            assert line.verdict in ("pass", "fail", "unknown")
            assert line.witness or line.verdict == "pass"
        if full["finite and positive"].verdict == "pass":
            assert full["no pole, no domain error"].verdict == "pass"  # no published form has any


def _middle(constant: Constant) -> float:
    low, high = constant.range
    return float(np.sqrt(low * high)) if constant.log else (low + high) / 2


def test_the_full_card_is_had_by_the_function_of_the_gate():
    law = Law("mine", "mine", "1.8 + 1/E", {"E": ""}, {})
    names = [line.name for line in sanity(law, {}, {"E": COLUMNS["E"]}, KINDS, full=True)]
    gate = [line.name for line in sanity(law, {}, {"E": COLUMNS["E"]}, KINDS)]
    assert gate == ["finite and positive"]
    assert names == [*gate, "no pole, no domain error", "optimum in E"]
