"""`weir prices`: what models cost, what they did, what changed, and how a newer state of prices is taken in."""

import click

from tokenweir.cli.prices_check import check
from tokenweir.cli.prices_diff import diff
from tokenweir.cli.prices_show import history, show
from tokenweir.cli.prices_update import update


@click.group()
def prices() -> None:
    """The price book: what models cost and did cost, what changed, and newer prices.

    \b
    Examples:
      weir prices show gpt-4o
      weir prices history deepseek/deepseek-chat
    """


for command in (show, history, diff, check, update):
    prices.add_command(command)
