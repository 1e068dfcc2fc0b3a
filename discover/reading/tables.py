"""Table files as pandas reads them: csv, tsv, jsonl and parquet, each also compressed."""

from __future__ import annotations

import io
import lzma
import warnings
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import pandas as pd

from discover.errors import DataError, one_of
from discover.reading import mixinglaws

Format = Literal["csv", "tsv", "jsonl", "parquet", "mixinglaws"]
PANDAS = "Error tokenizing data. C error: "  # before what it has to say
COMPRESSIONS = (".gz", ".bz2", ".xz", ".zst", ".zip")


def _separated(path: Path, separator: str) -> pd.DataFrame:
    with warnings.catch_warnings():
        # Where rows are longer than the header, pandas would take the first column for row names and shift the rest.
        warnings.simplefilter("error", pd.errors.ParserWarning)
        try:
            table = pd.read_csv(path, sep=separator, low_memory=False, index_col=False)
        except (pd.errors.ParserWarning, pd.errors.ParserError) as error:
            _refuse_semicolons(pd.read_csv(path, sep=separator, nrows=0), path)  # 1,5;2,5 has commas, too
            if isinstance(error, pd.errors.ParserError):
                raise
            raise ValueError("its rows have more fields than its header") from None
    _refuse_semicolons(table, path)
    return table


def _refuse_semicolons(table: pd.DataFrame, path: Path) -> None:
    if len(table.columns) == 1 and ";" in str(table.columns[0]):
        raise DataError(
            f"{path}: columns are separated by ';': save the table with commas, or tabs as .tsv, and decimal points"
        )


def _parquet(path: Path) -> pd.DataFrame:
    import pyarrow  # type: ignore[import-untyped]

    with pyarrow.input_stream(str(path), compression="detect") as stream:
        table = pd.read_parquet(io.BytesIO(stream.read()))
    return table if table.index.names == [None] else table.reset_index()


READERS: dict[Format, Callable[[Path], pd.DataFrame]] = {
    "csv": lambda path: _separated(path, ","),
    "tsv": lambda path: _separated(path, "\t"),
    "jsonl": lambda path: pd.read_json(path, lines=True, dtype=False, precise_float=True),  # every digit is kept
    "parquet": _parquet,
    "mixinglaws": mixinglaws.read,
}


def format_of(path: Path) -> Format:
    """Format of a file, by the end of its name; ``.gz`` and the like are looked through."""
    suffixes = [suffix for suffix in path.suffixes if suffix not in COMPRESSIONS]
    ending = suffixes[-1].lstrip(".") if suffixes else ""
    aliases: dict[str, Format] = {"json": "jsonl", "ndjson": "jsonl", "txt": "tsv", "pq": "parquet"}
    name = aliases.get(ending, ending)
    if name not in READERS:
        raise DataError(f"{path}: the format cannot be told from the name: say format = one of {', '.join(READERS)}")
    return name  # type: ignore[return-value]


def read_table(path: Path, table_format: Format | None = None) -> pd.DataFrame:
    """Read a table.

    Raises
    ------
    DataError
        When the file is missing, empty, or not of its format; the message names the file.
    """
    name = table_format or format_of(path)
    if name not in READERS:
        raise DataError(f"{path}: unknown format {name!r}: {one_of(name, READERS)}")
    if not path.is_file():
        raise DataError(f"{path}: there is no such file")
    try:
        table = READERS[name](path)
    except DataError:
        raise
    except UnicodeDecodeError as error:
        byte = error.object[error.start : error.start + 1].hex()
        raise DataError(f"{path}: this is not a {name} table in UTF-8 (byte 0x{byte}): save it as UTF-8") from None
    except pd.errors.EmptyDataError:
        raise DataError(f"{path}: the table is empty") from None
    except ImportError as error:
        raise DataError(f"{path}: reading it needs another package: {error}") from None
    except (ValueError, OSError, EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile) as error:
        first = (str(error).splitlines() or [type(error).__name__])[0].removeprefix(PANDAS)
        raise DataError(f"{path}: this is not a {name} table: {first}") from None
    if not len(table):
        raise DataError(f"{path}: the table has no rows")
    table.columns = table.columns.map(str)
    return table.copy()  # in one piece: a table of a thousand columns is read in fragments
