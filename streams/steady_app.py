"""A Faust app that slows down evenly when its agents cannot keep up.

Faust as it comes stops fetching a partition whose buffer is four fifths full, and when all are stopped it sleeps for a
second before it looks again: with a buffer small enough to bound memory that is most of the time. Here a full
buffer simply makes the consumer wait until there is room for one more message.

Faust also waits a second at the start, lest a table be declared late. There are no tables here.
"""

from typing import Any

import faust
from faust.tables import TableManager
from mode.utils.queues import ThrowableQueue


class SteadyQueue(ThrowableQueue[Any]):
    """A buffer that is full or not, without a state of high pressure before that."""

    def in_pressure_high_state(self, callback: Any) -> bool:
        """Never: nothing is to be done but wait."""
        return False


class NoTables(TableManager):
    """Faust's keeper of tables, which is told at once that there are none."""

    async def on_start(self) -> None:
        """Begins without the wait."""
        await self._update_channels()
        await self.recovery.start()


class SteadyApp(faust.App):
    """A Faust app without tables whose agents' buffers are SteadyQueues."""

    def FlowControlQueue(  # noqa: N802 - Faust's name
        self, maxsize: int | None = None, *, clear_on_resume: bool = False
    ) -> ThrowableQueue[Any]:
        """A buffer between the consumer and an agent."""
        return SteadyQueue(
            maxsize=maxsize or 0, flow_control=self.flow_control, clear_on_resume=clear_on_resume
        )
