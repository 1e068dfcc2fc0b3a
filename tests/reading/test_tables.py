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


def test_every_format_and_compression_gives_the_same_table(tmp_path: Path) -> None:
    table = pd.DataFrame({"params": [1e6, 2e6], "loss": [4.0, 2.1234567890123457], "router": ["Dense", "Hash"]})
    writers = {
        "runs.csv": lambda path: table.to_csv(path, index=False),
        "runs.csv.gz": lambda path: table.to_csv(path, index=False),
        "runs.csv.xz": lambda path: table.to_csv(path, index=False),
        "runs.csv.zip": lambda path: table.to_csv(path, index=False),
        "runs.tsv": lambda path: table.to_csv(path, index=False, sep="\t"),
        "runs.tsv.bz2": lambda path: table.to_csv(path, index=False, sep="\t"),
        "runs.txt": lambda path: table.to_csv(path, index=False, sep="\t"),
        "runs.jsonl": lambda path: table.to_json(path, orient="records", lines=True, double_precision=15),
        "runs.jsonl.gz": lambda path: table.to_json(path, orient="records", lines=True, double_precision=15),
        "runs.parquet": table.to_parquet,
        "runs.pq": lambda path: table.set_index("params").to_parquet(path),  # an index is a column of the file
    }
    for name, writer in writers.items():
        writer(tmp_path / name)
        read = read_table(tmp_path / name)
        if "json" in name:  # pandas writes 15 digits, and JSON has no 1000000.0
            assert read["loss"].tolist() == pytest.approx(table["loss"].tolist(), rel=1e-14)
            read = read.assign(loss=table["loss"], params=read["params"].astype(float))
        pd.testing.assert_frame_equal(read, table, check_exact=True)


def test_every_digit_of_a_number_is_read(tmp_path: Path) -> None:
    number = 2.1234567890123457
    (tmp_path / "runs.csv").write_text(f"loss\n{number!r}\n")
    (tmp_path / "runs.jsonl").write_text(f'{{"loss": {number!r}}}\n')
    assert read_table(tmp_path / "runs.csv")["loss"][0] == number
    assert read_table(tmp_path / "runs.jsonl")["loss"][0] == number


@pytest.mark.parametrize("name", ["runs.csv", "runs.parquet"])
def test_headers_that_are_numbers_are_words(tmp_path: Path, name: str) -> None:
    table = pd.DataFrame({200: [1.5], 1638400: [1.25]})
    (table.to_parquet if name.endswith("parquet") else lambda path: table.to_csv(path, index=False))(tmp_path / name)
    assert list(read_table(tmp_path / name).columns) == ["200", "1638400"]


def says(path: Path) -> str:
    """What the error says after the path of the table."""
    with pytest.raises(DataError) as caught:
        read_table(path)
    assert str(caught.value).startswith(f"{path}: ")
    return str(caught.value).removeprefix(f"{path}: ")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    assert says(tmp_path / "runs.csv") == "there is no such file"
    (tmp_path / "runs.csv").mkdir()
    assert says(tmp_path / "runs.csv") == "there is no such file"


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("runs.csv", "", "the table is empty"),
        ("runs.csv", "\n\n", "the table is empty"),
        ("runs.csv", "params,tokens,loss\n", "the table has no rows"),
        ("runs.jsonl", "", "the table has no rows"),
    ],
)
def test_an_empty_file_and_one_of_only_a_header_are_told_apart(
    tmp_path: Path, name: str, content: str, message: str
) -> None:
    (tmp_path / name).write_text(content)
    assert says(tmp_path / name) == message


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("runs.csv", b"params,tokens\n1,2\n1,2,3,4,5\n"),  # ragged
        ("runs.csv", "params\n\N{LATIN SMALL LETTER E WITH ACUTE}\n".encode("latin-1")),
        ("runs.csv", b'params,tokens,loss\n"1,2,3\n'),  # an open quotation mark
        ("runs.csv.gz", b"params,tokens,loss\n1,2,3\n"),  # not compressed
        ("runs.csv.gz", bytes.fromhex("1f8b0800000000000003") + b"\xff" * 40),
        ("runs.csv.xz", b"params"),
        ("runs.csv.zip", b"params"),
        ("runs.parquet", b"PAR1 and no more"),
        ("runs.parquet", b""),
        ("runs.jsonl", b"params,tokens,loss\n1,2,3\n"),
        ("runs.jsonl", b'{"params": 1}\n{"params": \n'),
    ],
)
def test_a_file_that_cannot_be_read_is_named_in_one_line(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    said = says(tmp_path / name)
    assert "this is not a" in said
    assert "\n" not in said


@pytest.mark.parametrize("row", ["1e6;4.5", "1000000;4,5", "1,0e6;4,5,"])
def test_a_table_with_semicolons_is_told_what_to_save(tmp_path: Path, row: str) -> None:
    path = tmp_path / "runs.csv"
    path.write_text(f"params;loss\n{row}\n{row}\n")
    said = "columns are separated by ';': save the table with commas, or tabs as .tsv, and decimal points"
    assert says(path) == said


def test_a_table_in_another_encoding_is_told_what_to_save(tmp_path: Path) -> None:
    path = tmp_path / "runs.csv"
    path.write_bytes("größe,loss\n1e6,4\n".encode("latin-1"))
    assert says(path) == "this is not a csv table in UTF-8 (byte 0xf6): save it as UTF-8"


def test_a_row_with_too_many_fields_is_named_by_its_line(tmp_path: Path) -> None:
    path = tmp_path / "runs.csv"
    path.write_text("params,loss\n1e6,4\n1e7,3,5\n")
    assert says(path) == "this is not a csv table: Expected 2 fields in line 3, saw 3"


def test_rows_that_are_longer_than_the_header_are_not_shifted(tmp_path: Path) -> None:
    # pandas would take the first field of each row for its name, and read tokens as params
    path = tmp_path / "runs.csv"
    path.write_text("params,tokens,loss\n1e6,1e9,4.0,7\n2e6,2e9,3.5,8\n")
    assert "its rows have more fields than its header" in says(path)
    path.write_text("params,tokens,loss\n1e6,1e9,4.0,\n2e6,2e9,3.5,\n")  # a comma at the end is no field
    assert read_table(path)["params"].tolist() == [1e6, 2e6]
