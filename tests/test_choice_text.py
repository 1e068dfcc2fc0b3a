"""What is said of a choice."""

from __future__ import annotations

from discover.choice_text import choice_lines

ENTRY = {
    "objective": "log_squared",
    "objectives": {"log_huber (delta 0.001)": 0.01234567, "log_squared": 0.008},
    "selected": "found_02",
    "chosen_again": {"found_02": 0.71, "found_01": 0.2, "found_07": 0.05, "found_03": 0.03, "found_04": 0.01},
    "proposed_by": ["grammar-0", "operon-3"],
    "searches": 4,
}


def test_the_loss_and_the_law_have_a_line_each():
    assert choice_lines(ENTRY) == [
        "All laws are fitted with the loss log_squared: inner error of the best few 0.008; "
        "with log_huber (delta 0.001) 0.0123.",
        "From resamples of the inner hold-outs found_02 is chosen again in 71 % (found_01 in 20 %, found_07 in 5 %, "
        "2 others in the rest); 2 of 4 searches proposed it (grammar-0, operon-3).",
    ]


def test_a_loss_of_the_card_was_compared_with_none():
    assert choice_lines({**ENTRY, "objectives": {}})[0] == "All laws are fitted with the loss log_squared."


def test_a_loss_with_which_nothing_could_be_predicted_is_infinite():
    # JSON has no infinity: the manifest has null.
    said = choice_lines({**ENTRY, "objectives": {"log_squared": 0.008, "log_mae": None}})[0]
    assert said.endswith("0.008; with log_mae infinite.")


def test_a_null_law_is_proposed_by_no_search():
    (_, said) = choice_lines({**ENTRY, "proposed_by": [], "chosen_again": {"found_02": 1.0}})
    assert said == "From resamples of the inner hold-outs found_02 is chosen again in 100 %."


def test_where_no_law_was_chosen_only_the_loss_is_told_and_an_older_run_tells_nothing():
    chosen = {key: value for key, value in ENTRY.items() if key.startswith("objective")}
    assert len(choice_lines(chosen)) == 1
    assert choice_lines({}) == []


def test_a_small_share_is_not_none():
    (_, said) = choice_lines({**ENTRY, "chosen_again": {"found_02": 0.996, "found_01": 0.004}})
    assert "is chosen again in 100 % (found_01 in less than 1 %)" in said
