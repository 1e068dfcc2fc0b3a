"""Table files: the format is told from the name, and what cannot be read is an error of one line."""

from __future__ import annotations

import gzip
from pathlib import Path

import pandas as pd
import pytest

from discover.errors import DataError
from discover.reading import Format, format_of, read_table


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("runs.csv", "csv"),
        ("runs.csv.gz", "csv"),
        ("runs.v2.csv.zst", "csv"),
        ("runs.tsv.xz", "tsv"),
        ("runs.txt", "tsv"),
        ("runs.jsonl", "jsonl"),
        ("runs.ndjson.bz2", "jsonl"),
        ("runs.json", "jsonl"),
        ("runs.parquet", "parquet"),
        ("runs.pq", "parquet"),
    ],
)
def test_the_format_is_told_from_the_name(name: str, expected: str) -> None:
    assert format_of(Path("folder.csv") / name) == expected


@pytest.mark.parametrize("name", ["runs", "runs.xlsx", "runs.gz", "csv", ".csv.gz"])
def test_a_name_that_does_not_tell_asks_for_the_format(name: str) -> None:
    with pytest.raises(DataError, match=r"say format = one of csv, tsv, jsonl, parquet"):
        format_of(Path("folder.csv") / name)


def test_the_format_that_is_said_wins_over_the_name(tmp_path: Path) -> None:
    path = tmp_path / "runs.csv"
    path.write_text("a\tb\n1\t2\n")
    assert read_table(path, "tsv").to_dict("list") == {"a": [1], "b": [2]}
    with pytest.raises(DataError, match=r"runs\.csv: unknown format 'tvs': did you mean 'tsv'\?"):
        read_table(path, "tvs")  # type: ignore[arg-type]


@pytest.mark.parametrize("table_format", ["csv", "jsonl", "parquet"])
def test_a_column_keeps_its_numbers_whatever_its_name(tmp_path: Path, table_format: Format) -> None:
    # readers like to take "date" and "..._at" for dates
    table = pd.DataFrame({"step_at": [1, 2], "loss": [2.5, 1.1234567890123457]})
    path = tmp_path / f"runs.{table_format}"
    if table_format == "csv":
        table.to_csv(path, index=False)
    elif table_format == "parquet":
        table.to_parquet(path)
    else:
        path.write_text("".join(f'{{"step_at": {a}, "loss": {b!r}}}\n' for a, b in table.itertuples(index=False)))
    assert read_table(path).to_dict("list") == table.to_dict("list")


def test_a_compressed_parquet_file_is_read(tmp_path: Path) -> None:
    table = pd.DataFrame({"N": [1e6, 2e6]})
    table.to_parquet(tmp_path / "plain.parquet")
    (tmp_path / "runs.parquet.gz").write_bytes(gzip.compress((tmp_path / "plain.parquet").read_bytes()))
    pd.testing.assert_frame_equal(read_table(tmp_path / "runs.parquet.gz"), table)


def test_a_file_cut_short_is_an_error_and_not_fewer_rows(tmp_path: Path) -> None:
    whole = gzip.compress(b"N,loss\n" + b"".join(f"{k},{k}.5\n".encode() for k in range(5000)))
    (tmp_path / "runs.csv.gz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match=r"runs\.csv\.gz: this is not a csv table: "):
        read_table(tmp_path / "runs.csv.gz")


def test_a_header_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    (tmp_path / "runs.csv").write_bytes(b"\xef\xbb\xbfN,loss\n1,2\n")
    assert list(read_table(tmp_path / "runs.csv").columns) == ["N", "loss"]


def test_short_rows_have_missing_cells(tmp_path: Path) -> None:
    (tmp_path / "runs.csv").write_text("N,loss\n1,2\n3\n")
    assert read_table(tmp_path / "runs.csv")["loss"].isna().tolist() == [False, True]


def test_many_rows_of_mixed_cells_give_one_type(tmp_path: Path) -> None:
    # read in pieces, a column would be numbers in one piece and words in another, with a warning
    rows = ["1"] * 300_000 + ["x"]
    (tmp_path / "runs.csv").write_text("N,loss\n" + "".join(f"{cell},1\n" for cell in rows))
    assert set(map(type, read_table(tmp_path / "runs.csv")["N"])) == {str}
