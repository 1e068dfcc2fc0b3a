"""What is wrong with a card is said with card, key and number; what is right is confirmed without compiling."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from discover.cards import card_paths
from discover.download import sha256_of
from discover.errors import InputError
from discover.formula import parse
from discover.law import Check, Law, Published, list_laws, load_law
from discover.verification import checked, evaluate, problems, read_datasets, read_laws, verify

LAWS = list_laws()
CHECKS = [
    pytest.param(law, published, check, id=f"{law.name}-{i}-{k}")
    for law in LAWS
    for i, published in enumerate(law.published)
    for k, check in enumerate(published.checks)
]


def with_published(law: Law, **changes: object) -> Law:
    """The law with its first published set alone, changed."""
    return replace(law, published=(law.published[0].model_copy(update=changes),))


# ---- laws


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.name)
def test_every_law_of_the_registry_holds_what_its_card_says(law: Law) -> None:
    assert problems(law) == []


@pytest.mark.parametrize(("law", "published", "check"), CHECKS)
def test_a_check_gives_the_number_of_the_compiled_law(law: Law, published: Published, check: Check) -> None:
    # The compiled law is another implementation: generated NumPy code instead of a walk over the expression.
    assert checked(law, check, published.values) == pytest.approx(law.check(check, published.values), rel=1e-12)


def test_a_number_that_is_not_reproduced_is_named_with_both_values() -> None:
    check = Check(value=2.2256, at={"N": 1e9, "D": 2e10})
    law = with_published(load_law("hoffmann"), checks=[check])
    # 1.69 + 406.4/1e9**0.34 + 410.7/2e10**0.28
    expected = 1.69 + 406.4 * 1e9**-0.34 + 410.7 * 2e10**-0.28
    (problem,) = problems(law, "baselines/hoffmann.toml")
    assert problem.startswith("baselines/hoffmann.toml: published.0.checks.0: the formula gives 2.5")
    assert f"{expected:.3g}" in problem
    assert problem.endswith("where the source has 2.2256")


def test_a_difference_in_the_last_digit_is_shown_with_enough_digits() -> None:
    value = 1.69 + 406.4 * 1e9**-0.34 + 410.7 * 2e10**-0.28
    check = Check(value=round(value + 2e-5, 5), at={"N": 1e9, "D": 2e10})
    (problem,) = problems(with_published(load_law("hoffmann"), checks=[check]))
    given = problem.split("gives ")[1].split(" ")[0]
    assert float(given) == pytest.approx(value, abs=1e-5)
    assert float(given) != check.value


def test_a_derived_quantity_that_is_not_reproduced_is_named() -> None:
    law = with_published(load_law("hoffmann"), checks=[Check(value=0.46, of="beta/(alpha + beta)")])
    (problem,) = problems(law)
    assert problem == "hoffmann: published.0.checks.0: the formula gives 0.452 where the source has 0.46"


def test_a_check_without_a_feature_says_which() -> None:
    law = with_published(load_law("hoffmann"), checks=[Check(value=2.0, at={"N": 1e9})])
    (problem,) = problems(law)
    assert "needs a value of D" in problem


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [("alpha", -0.3, "values.alpha: -0.3 is outside its bounds, 0 to inf"), ("A", math.nan, "nan is not a number")],
)
def test_an_illegal_constant_is_named_with_its_bounds(name: str, value: float, message: str) -> None:
    law = load_law("hoffmann")
    law = with_published(law, values={**law.published[0].values, name: value}, checks=[])
    (problem,) = problems(law)
    assert message in problem


def test_an_error_that_is_no_standard_error_is_named() -> None:
    law = with_published(load_law("hoffmann"), errors={"A": 0.0}, checks=[])
    (problem,) = problems(law)
    assert "published.0.errors.A: 0.0 is not a standard error" in problem


def test_verifying_a_law_compiles_nothing() -> None:
    law = load_law("hoffmann")
    problems(law)
    assert "compiled" not in vars(law)


# ---- a formula at one point


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a + b*x", 7.0),
        ("x**(-a) + sqrt(b)", 1 / 3 + math.sqrt(2)),
        ("max(a, min(b, x)) - log(exp(x))", -1.0),
        ("exp(1000*x)", math.inf),  # too large for a float
        ("(a - b)**(1/3)", math.nan),  # a fractional power of a negative number
        ("log(a - b)", math.nan),
        ("1/(a - 1)", math.nan),  # NumPy has an infinity here: neither is a number of a source
    ],
)
def test_a_formula_is_worked_out_at_a_point(text: str, expected: float) -> None:
    value = evaluate(parse(text, features=["x"]), {"a": 1.0, "b": 2.0, "x": 3.0})
    assert value == pytest.approx(expected, rel=1e-15, nan_ok=True)


# ---- cards that can be read


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Writes a card into a folder of DISCOVER_PATH."""
    monkeypatch.setenv("DISCOVER_PATH", str(tmp_path / "cards"))

    def own(name: str, text: str) -> Path:
        path = tmp_path / "cards" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    return own


BROKEN = 'title = "Broken"\nformula = "a + b*"\n[features]\nN = "n"\n[constants]\na = { range = [0, 1] }\n'


def test_a_broken_law_does_not_hide_the_others(own: Callable[..., Path]) -> None:
    path = own("baselines/broken.toml", BROKEN)
    laws, wrong = read_laws()
    assert {law.name for law in laws} == {law.name for law in LAWS}
    assert len(wrong) == 1
    assert wrong[0].startswith(f"{path}: formula: this is not a formula")


def test_a_broken_dataset_does_not_hide_the_others(own: Callable[..., Path]) -> None:
    path = own("data/mine.toml", "title = [")
    cards, wrong = read_datasets()
    assert set(cards) == set(card_paths("data")) - {"mine"}
    assert wrong[0].startswith(f"{path}: the card is not TOML")


# ---- verdicts


def table(rows: int) -> str:
    sizes = np.geomspace(1e7, 1e9, rows)
    return "N,loss\n" + "".join(f"{n:.6g},{2 + 100 / n**0.3:.6g}\n" for n in sizes)


CARD = """title = "Mine"
hold_out = "N >= 5e8"
files = [{ path = "mine.csv", sha256 = "SHA" }]
rows = { count = 10 }
features = { N = { column = "N" } }
target = { column = "loss" }
"""


def test_a_dataset_whose_files_are_here_is_read(own: Callable[..., Path]) -> None:
    sha = sha256_of(own("data/mine.csv", table(10)))
    own("data/mine.toml", CARD.replace("SHA", sha))
    (verdict,) = verify(["mine"])
    assert (verdict.state, verdict.problems) == ("ok", ())
    assert verdict.detail == "rows: 10, held out: 2, files: 1"


def test_a_file_that_was_changed_is_named(own: Callable[..., Path]) -> None:
    path = own("data/mine.csv", table(10))
    own("data/mine.toml", CARD.replace("SHA", "0" * 64))
    (verdict,) = verify(["mine"])
    assert verdict.state == "wrong"
    assert f"files.0: the checksum of {path} is wrong" in verdict.problems[0]


def test_rows_that_the_card_does_not_expect_are_counted(own: Callable[..., Path]) -> None:
    sha = sha256_of(own("data/mine.csv", table(11)))
    own("data/mine.toml", CARD.replace("SHA", sha))
    (verdict,) = verify(["mine"])
    assert verdict.state == "wrong"
    assert "11 rows remain, the card says 10" in verdict.problems[0]


def test_a_missing_file_beside_the_card_is_wrong(own: Callable[..., Path]) -> None:
    own("data/mine.toml", CARD)
    (verdict,) = verify(["mine"])
    assert verdict.state == "wrong"
    assert "there is no file" in verdict.problems[0]


def test_nothing_is_downloaded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("discover.download._download", lambda *_: pytest.fail("something was downloaded"))
    states = {verdict.state for verdict in verify(["chinchilla_epoch", "farseer_25b", "regmix_1m"])}
    assert states == {"not downloaded"}


def test_a_copy_in_the_cache_is_verified(tmp_path: Path) -> None:
    # conftest puts the cache into tmp_path/cache
    _, card = "chinchilla_epoch", read_datasets()[0]["chinchilla_epoch"]
    assert card.files[0].url is not None
    copy = tmp_path / "cache" / card.files[0].url.removeprefix("https://")
    copy.parent.mkdir(parents=True)
    copy.write_text("not the file", encoding="utf-8")
    (verdict,) = (verdict for verdict in verify(["chinchilla_epoch"]) if verdict.card == "dataset")
    assert verdict.state == "wrong"
    assert "checksum" in verdict.problems[0]


@pytest.mark.mirror
@pytest.mark.usefixtures("mirror")
def test_every_card_of_the_project_is_right() -> None:
    verdicts = list(verify())
    assert [problem for verdict in verdicts for problem in verdict.problems] == []
    assert {verdict.name for verdict in verdicts if verdict.card == "law"} == {law.name for law in LAWS}


def test_an_experiment_that_names_what_is_not_there_is_wrong(own: Callable[..., Path]) -> None:
    own("experiments/mine.toml", 'dataset = "synthetic_chinchilla"\nfeatures = ["N", "uD"]\nbaselines = ["hofmann"]\n')
    (verdict,) = verify(["mine"])
    assert verdict.state == "wrong"
    assert "has no feature 'uD'" in verdict.problems[0]
    assert "did you mean 'hoffmann'?" in verdict.problems[1]


def test_a_name_may_be_several_cards() -> None:
    found = [verdict.card for verdict in verify(["farseer"])]
    assert found == [word for word, kind in KINDS if "farseer" in card_paths(kind)]
    assert len(found) > 1


KINDS = (("law", "baselines"), ("dataset", "data"), ("experiment", "experiments"))


def test_a_mirror_that_is_not_there_is_said_before_anything_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISCOVER_MIRROR", "/no/such/folder")
    with pytest.raises(InputError, match="DISCOVER_MIRROR is '/no/such/folder'"):
        verify()


def test_a_name_that_is_no_card_is_refused_before_anything_is_read() -> None:
    with pytest.raises(InputError, match="did you mean 'hoffmann'"):
        verify(["synthetic_chinchilla", "hofmann"])


def test_a_reproduction_on_an_unknown_dataset_is_named(own: Callable[..., Path]) -> None:
    text = card_paths("baselines")["hoffmann"].read_text(encoding="utf-8")
    own("baselines/mine.toml", text + '[[published.reproductions]]\ndataset = "nowhere"\n')
    (verdict,) = verify(["mine"])
    assert verdict.state == "wrong"
    assert "there is no dataset 'nowhere'" in verdict.problems[-1]
