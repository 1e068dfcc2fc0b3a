"""A dataset card for a table of one's own, proposed from what can be seen in its columns.

`propose` looks and says what it took each column for, and why; `add` writes the card beside the table and proves it by
loading the dataset. Nothing is asked: where eyes do not suffice, the proposal says what to check.
"""

from discover.proposal.proposing import Proposal, add, propose

__all__ = ["Proposal", "add", "propose"]
