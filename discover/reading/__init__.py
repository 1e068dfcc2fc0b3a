"""Reading the files of datasets: tables of the usual formats, and the odd formats that have a reader of their own."""

from discover.reading.tables import COMPRESSIONS, Format, format_of, read_table

__all__ = ["COMPRESSIONS", "Format", "format_of", "read_table"]
