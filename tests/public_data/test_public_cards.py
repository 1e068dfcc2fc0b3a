"""The public datasets against the raw files, which are read here with pandas alone: every card and file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from public import CARDS, SLDBENCH, loaded

from discover.dataset import DatasetCard, load_dataset
from discover.errors import DiscoverError

pytestmark = [pytest.mark.mirror, pytest.mark.usefixtures("mirror")]


# ---- every card
# rows of the table (a row that belongs to every group counts in each), held-out rows by the card's rule, groups
COUNTS = {
    "chinchilla_epoch": (240, 23, 0),
    "chinchilla_epoch_all": (245, 24, 0),
    "datablations": (182, 33, 0),
    "datablations_all": (229, 54, 0),
    "farseer": (404, 36, 0),
    "farseer_25b": (404, None, 0),
    "mixinglaws_2mix": (20, 4, 2),
    "mixinglaws_3mix": (123, 60, 3),
    "mixinglaws_5mix": (520, 4 * 5 * 6, 20),
    "mixinglaws_5mix_sizes": (520, 5 * 26, 5),
    "mixinglaws_ct": (100, 30, 2),
    "mixinglaws_redpajama": (103, 20, 0),
    "mixinglaws_redpajama_domains": (2266, 440, 22),
    "multipowerlaw": (27, 6, 0),
    "rectified_sft": (90 * 14, 90 * 2, 90),
    "regmix": ((768 + 256 + 64) * 13, 64 * 13, 13),
    "regmix_1b": (64 * 13, 16 * 13, 13),
    "regmix_1m": (768 * 13, 256 * 13, 13),
    "regmix_60m": (256 * 13, 56 * 13, 13),
    "routed_moe": (54 + 53 + 51 + 3 * 8, 3 * 10, 3),
    "routed_moe_runs": (223, 28, 0),
    "routed_moe_s_base": (61, 10, 0),
    "sldbench_data_constrained": (161, None, 0),
    "sldbench_domain_mixture": (80 * 5, None, 20),
    "sldbench_easy_question": (389, None, 9),
    "sldbench_lr_bsz": (2702, None, 0),
    "sldbench_moe": (193, None, 0),
    "sldbench_parallel": (36, None, 2),
    "sldbench_sft": (504, None, 42),
    "sldbench_vocab": (1080, None, 0),
    "steplaw_best": (17, 2, 0),
    "steplaw_best_batch": (17, 2, 0),
    "steplaw_best_eta": (17, 2, 0),
    "steplaw_dense": (1730, 151, 0),
    "steplaw_moe": (708, 174, 0),
    "steplaw_optima_batch": (231, 33, 0),
    "steplaw_optima_eta": (231, 33, 0),
    "vocab_scaling": (1200, 200, 0),
}


def test_every_public_dataset_is_counted_here() -> None:
    assert set(CARDS) == set(COUNTS)


@pytest.mark.parametrize("name", CARDS)
def test_a_public_dataset_has_its_rows_its_hold_out_and_its_groups(name: str) -> None:
    dataset, (rows, held_out, groups) = loaded(name), COUNTS[name]
    assert len(dataset.table) == rows
    assert (len(set(dataset.groups())) if dataset.grouped else 0) == groups
    assert all(source.startswith("https://") for source in dataset.sources)
    if held_out is None:
        with pytest.raises(DiscoverError, match=r"files of their own, which were not read"):
            dataset.held_out_rows()
    else:
        assert dataset.held_out_rows().sum() == held_out


# smallest and largest target of each family, to the digits that tell a wrong column or unit
RANGES = {
    "chinchilla_epoch": (2.07, 3.41),
    "chinchilla_epoch_all": (2.07, 5.01),
    "datablations": (2.33, 8.11),
    "datablations_all": (2.33, 11.02),
    "farseer": (0.46, 0.71),  # bits per character: in nats per token a model of this size could not be below one
    "routed_moe_runs": (1.99, 3.17),
    "steplaw_dense": (2.12, 3.16),
    "steplaw_moe": (2.17, 2.95),
    "vocab_scaling": (-5.35, -0.51),
    "mixinglaws_5mix": (1.21, 3.97),
    "regmix": (0.83, 8.72),
    "regmix_1m": (1.80, 8.72),
    "regmix_60m": (1.49, 6.67),
    "regmix_1b": (0.83, 3.46),
    "rectified_sft": (0.56, 4.39),
    "multipowerlaw": (2.61, 3.40),
    "sldbench_parallel": (0.99, 2.12),
    "sldbench_easy_question": (-0.78, 0),
}


@pytest.mark.parametrize("name", RANGES)
def test_losses_lie_where_the_paper_has_them(name: str) -> None:
    low, high = RANGES[name]
    losses = loaded(name).losses()
    assert low <= losses.min() < low + 0.02 * (high - low)
    assert high - 0.02 * (high - low) < losses.max() <= high


@pytest.mark.parametrize("name", CARDS)
def test_mixtures_sum_to_one_and_own_shares_are_among_their_components(name: str) -> None:
    dataset = loaded(name)
    for symbol, parts in dataset.components.items():
        shares = dataset.table[[f"{symbol}_{part}" for part in parts]].to_numpy()
        assert np.abs(shares.sum(axis=1) - 1).max() < 0.005
        if "r_own" in dataset.features:
            assert (np.abs(shares - dataset.table[["r_own"]].to_numpy()).min(axis=1) == 0).all()


# ---- files
def _files(card: DatasetCard) -> Iterator[tuple[str, str, bool]]:
    for file in card.files:
        yield str(file.url), str(file.sha256), file.held_out
    if card.average is not None and card.average.weights is not None:
        yield str(card.average.weights.url), str(card.average.weights.sha256), False


def test_urls_and_checksums_are_those_of_the_list_of_public_files(mirror: Path) -> None:
    listed = mirror.parent / "data" / "files.tsv"
    if not listed.is_file():
        pytest.skip("there is no list of public files beside the mirror")
    table = pd.read_csv(listed, sep="\t")
    known = dict(zip(table["url"], table["sha256"], strict=True))
    kept_back = set(table.loc[table["dataset"].str.contains("held-out"), "url"])
    for name, card in CARDS.items():
        for url, sha256, held_out in _files(card):
            assert known.get(url) == sha256, f"{name}: {url}"
            assert (url in kept_back) == held_out, f"{name}: {url}"


def test_one_address_has_one_checksum_and_names_a_commit() -> None:
    seen: dict[str, str] = {}
    for card in CARDS.values():
        for url, sha256, _ in _files(card):
            assert seen.setdefault(url, sha256) == sha256
            assert any(len(part) == 40 for part in url.split("/")), f"{url} may change"


@pytest.mark.parametrize("name", [*SLDBENCH, "farseer_25b"])
def test_rows_of_the_benchmark_that_are_held_out_are_a_file_that_is_kept_back(
    mirror: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (train, held_out) = CARDS[name].files
    assert held_out.held_out
    assert not train.held_out
    assert held_out.sha256 is not None
    assert len(held_out.sha256) == 64
    assert str(train.url).replace("/train-", "/test-") == held_out.url
    assert not (mirror / str(held_out.url).removeprefix("https://")).exists(), "it is looked at when laws are scored"
    for variable in ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(variable, "http://127.0.0.1:9")  # no network, wherever this runs
    for variable in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(variable, raising=False)
    with pytest.raises(DiscoverError) as caught:
        load_dataset(name, held_out=True)
    said = str(caught.value)
    assert said.startswith(f"{held_out.url} could not be downloaded (")
    assert said.endswith("check the network, or set DISCOVER_MIRROR to a folder that holds <host>/<path> of the file")


# ---- the text of cards
@pytest.mark.parametrize("name", CARDS)
def test_a_card_speaks_of_the_data_and_in_lines_that_fit(name: str) -> None:
    card = CARDS[name]
    text = "\n".join([card.title, card.licence, card.notes, card.target.meaning])
    assert not any(word in text.lower() for word in ("mirror", "/work", "/root", "design note"))
    assert max(map(len, text.splitlines())) <= 140
    assert card.licence
    assert card.cite is not None
    assert card.hold_out is not None
