"""The embedded pipeline in a thread of its own, so that commands can be written straight down.

The pipeline lives in one event loop in that thread; the caller's thread feeds it, waits for it, or just waits for
a signal. Leaving the context stops it in order: nothing more is taken in, what waits is stored, all is closed.
"""

import asyncio
import threading
from collections.abc import Coroutine, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any, TypeVar

from tokenweir.local.pipeline import LocalPipeline

_T = TypeVar("_T")


class PipelineThread:
    """A running LocalPipeline and the loop that it runs in."""

    def __init__(self, pipeline: LocalPipeline) -> None:
        self.pipeline = pipeline
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="tokenweir-pipeline", daemon=True)

    def call(self, work: Coroutine[Any, Any, _T]) -> _T:
        """Runs `work` in the pipeline's loop and waits for its result."""
        future = self.submit(work)
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise

    def submit(self, work: Coroutine[Any, Any, _T]) -> "Future[_T]":
        """Runs `work` in the pipeline's loop; its result comes in the future."""
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def start(self) -> None:
        """Starts the loop and the pipeline. Raises what the pipeline's start raises.

        A Ctrl-C meanwhile takes effect when the start is over: what is half started cannot be stopped in order.
        """
        self._thread.start()
        starting = self.submit(self.pipeline.start())
        interruption: KeyboardInterrupt | None = None
        try:
            try:
                starting.result()
            except KeyboardInterrupt as error:
                interruption = error
                starting.result()
        except Exception:
            self._end()
            raise
        if interruption is not None:
            self.pipeline.hurry()
            self.stop()
            raise interruption

    def stop(self) -> None:
        """Stops the pipeline and the loop. A Ctrl-C meanwhile leaves both as they are: the process is to end."""
        stopping = self.submit(self.pipeline.stop())
        try:
            stopping.result()
        except Exception:
            self._end()
            raise
        self._end()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_forever()
        finally:
            self._loop.run_until_complete(self._loop.shutdown_asyncgens())
            self._loop.run_until_complete(self._loop.shutdown_default_executor())
            self._loop.close()

    def _end(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=30)


@contextmanager
def running(pipeline: LocalPipeline) -> Iterator[PipelineThread]:
    """The pipeline, up for as long as the context lasts."""
    thread = PipelineThread(pipeline)
    thread.start()
    try:
        yield thread
    finally:
        thread.stop()
