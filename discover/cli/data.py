"""The commands `discover data`: list the datasets, show one, and fetch, check and add them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from discover.cli.options import Json, Search, after_list


class _NameOrCommand(TyperGroup):
    """A group of commands in which a word that is no command is the name of what is shown."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        if args and args[0] not in self.commands and not args[0].startswith("-"):
            args = ["show", *args]
        return super().resolve_command(ctx, args)


data = typer.Typer(
    cls=_NameOrCommand,
    invoke_without_command=True,
    subcommand_metavar="[NAME | COMMAND ...]",
    help="List the datasets, show one in full (discover data NAME), or fetch, check and add them.",
)
Names = Annotated[list[str] | None, typer.Argument(metavar="[NAME]...", help="Names; all without any.")]


@data.callback()
def _datasets(context: typer.Context, search: Search = None, json_: Json = False) -> None:
    context.obj = json_
    if context.invoked_subcommand is not None:
        from discover.errors import InputError

        if search is not None:
            raise InputError("--search looks through the list: discover data --search WORDS")
        return
    from discover import terminal
    from discover.verification import read_datasets, read_laws

    cards, unreadable = read_datasets()
    count = terminal.show_datasets(cards, read_laws()[0] if json_ else None, search=search, as_json=json_)
    after_list(count, unreadable, "dataset", as_json=json_)


@data.command("show")
def show_data(
    context: typer.Context,
    names: Annotated[list[str], typer.Argument(metavar="NAME", help="Name, or path of a card.")],
    json_: Json = False,
) -> None:
    """Show one dataset in full; the word "show" may be left out."""
    from discover import terminal
    from discover.dataset import load_dataset
    from discover.errors import DiscoverError, InputError
    from discover.verification import read_laws

    if len(names) > 1:
        raise InputError(
            f"discover data takes one name, or a command ({', '.join(_commands())}), not {' '.join(names)!r}"
        )
    stem, card = _dataset_card(names[0])  # an error of the card comes before a download
    failed, dataset = None, None
    try:
        dataset = load_dataset(names[0])
    except DiscoverError as error:
        failed = error
    terminal.show_dataset(stem, card, dataset, read_laws()[0], as_json=json_ or context.obj)
    if failed is not None:  # what the card says is shown all the same
        raise failed


def _dataset_card(name: str) -> tuple[str, Any]:
    """Name and card of a dataset; a word that is nearly a command gets that said."""
    from discover.cards import card_paths
    from discover.dataset import read_dataset_card
    from discover.errors import InputError, one_of

    if not name.endswith(".toml") and name not in card_paths("data"):
        near = one_of(name, [*card_paths("data"), *_commands()])
        if any(near == f"did you mean {command!r}?" for command in _commands()):
            raise InputError(f"there is no dataset {name!r}, and no command: {near}")
    return read_dataset_card(name)


def _commands() -> list[str]:
    return [command.name for command in data.registered_commands if command.name]


@data.command("fetch")
def fetch_data(
    context: typer.Context,
    names: Names = None,
    held_out: Annotated[bool, typer.Option("--held-out", help="Files of held-out rows too.")] = False,
    json_: Json = False,
) -> None:
    """Download the files of datasets and verify them; what cannot be fetched does not stop the others."""
    from discover import terminal
    from discover.cards import card_paths, find_card

    as_json = json_ or context.obj
    paths = [find_card("data", name) for name in names] if names else list(card_paths("data").values())
    with terminal.progress() as report:
        entries = []
        for path in paths:
            report(path.stem)
            entries.append(_fetched(path, held_out))
    terminal.show_fetched(entries, as_json=as_json)
    if any(entry["error"] for entry in entries):
        raise typer.Exit(1)


def _fetched(path: Path, held_out: bool) -> dict[str, Any]:
    """What became of a dataset's files."""
    from discover.dataset import load_dataset, read_dataset_card
    from discover.errors import DiscoverError

    entry: dict[str, Any] = {"name": path.stem, "rows": None, "files": 0, "held_out_files": 0, "error": ""}
    try:
        _, card = read_dataset_card(path)
        entry["held_out_files"] = 0 if held_out else sum(file.held_out for file in card.files)
        dataset = load_dataset(path, held_out=held_out)
    except DiscoverError as error:
        return {**entry, "error": str(error)}
    return {**entry, "name": dataset.label, "rows": len(dataset.table), "files": len(dataset.sources)}


@data.command("check")
def check_data(
    context: typer.Context,
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="[NAME]...", help="Laws, datasets and experiments; all cards without any."),
    ] = None,
    json_: Json = False,
) -> None:
    """Verify cards and the files at hand: numbers of the sources, checksums, rows. Nothing is downloaded."""
    from discover import terminal
    from discover.verification import verify

    if terminal.show_verdicts(verify(names or ()), as_json=json_ or context.obj):
        raise typer.Exit(1)


@data.command("add")
def add_data(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="A table of training runs: csv, tsv, jsonl, parquet; also compressed.")],
    target: Annotated[str | None, typer.Option(metavar="COLUMN", help="The column that laws are to predict.")] = None,
    feature: Annotated[
        list[str] | None, typer.Option(metavar="N=COLUMN", help="The column of a symbol; may be given more than once.")
    ] = None,
    group: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="Rows with one word here share constants of their own.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite the card that is there.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the card, write nothing.")] = False,
    json_: Json = False,
) -> None:
    """Write a card for a table of your own, from what can be seen in its columns."""
    from discover import terminal
    from discover.errors import InputError
    from discover.proposal import add, propose
    from discover.verification import read_laws

    columns = {}
    for text in feature or ():
        symbol, equals, column = text.partition("=")
        if not (symbol and equals and column):
            raise InputError(f"--feature {text!r}: write a symbol and its column, as in --feature N=n_params")
        columns[symbol.strip()] = column.strip()
    if dry_run:
        proposal, dataset = propose(file, target=target, features=columns, group=group), None
    else:
        proposal, dataset = add(file, target=target, features=columns, group=group, force=force)
    terminal.show_proposal(proposal, dataset, read_laws()[0], as_json=json_ or context.obj)
