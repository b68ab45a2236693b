"""Real services on this machine for channels to speak to: HTTP and SMTP, that answer as they are told to."""

import asyncio
import base64
import email
import email.policy
import json
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from typing import Any

from aiohttp import web


class Loop:
    """An event loop in a thread."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _cancel(self) -> None:
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    def end(self) -> None:
        self.run(self._cancel())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()


class HttpService:
    """Takes posts. `answers`: the statuses to come; after the last, 200. `delay_seconds`: before each answer."""

    def __init__(self) -> None:
        self.posts: list[dict[str, Any]] = []
        self.raw: list[bytes] = []
        self.answers: list[int] = []
        self.is_down = False
        self.delay_seconds = 0.0
        self.port = 0

    async def answer(self, request: web.Request) -> web.Response:
        body = await request.read()
        await asyncio.sleep(self.delay_seconds)
        if self.is_down or self.answers:
            status = 503 if self.is_down else self.answers.pop(0)
            if status != 200:
                return web.Response(status=status, headers={"Retry-After": "30"} if status == 429 else None)
        self.raw.append(body)
        if request.content_type == "application/json":
            self.posts.append(json.loads(body))
        return web.Response()

    def url(self, scheme: str = "json", rest: str = "hook?format=text") -> str:
        return f"{scheme}://user:s3cret-password@127.0.0.1:{self.port}/s3cret-path/{rest}"


@contextmanager
def http_service() -> Iterator[HttpService]:
    loop, service = Loop(), HttpService()

    async def start() -> web.AppRunner:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", service.answer)
        runner = web.AppRunner(app, shutdown_timeout=0.1, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        service.port = runner.addresses[0][1]
        return runner

    runner = loop.run(start())
    try:
        yield service
    finally:
        loop.run(runner.cleanup())
        loop.end()


class MailService:
    """Takes mail over SMTP with a login. `refuses`: whether it answers 451 to what it is offered."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.logins: list[bytes] = []
        self.refuses = False
        self.port = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async def say(line: str) -> None:
            writer.write(line.encode() + b"\r\n")
            await writer.drain()

        await say("220 mail.test ready")
        while line := await reader.readline():
            word = line.split(b" ")[0].strip().upper()
            if word == b"EHLO":
                await say("250-mail.test\r\n250 AUTH PLAIN")
            elif word == b"AUTH":
                self.logins.append(base64.b64decode(line.split()[2]))
                await say("235 welcome")
            elif word == b"DATA" and self.refuses:
                await say("451 not now")
            elif word == b"DATA":
                await say("354 go on")
                parts = []
                while (part := await reader.readline()) != b".\r\n":
                    parts.append(part.removeprefix(b"."))
                self.mails.append(email.message_from_bytes(b"".join(parts), policy=email.policy.default))
                await say("250 taken")
            elif word == b"QUIT":
                await say("221 bye")
                break
            else:
                await say("250 fine")
        writer.close()

    def url(self) -> str:
        return (
            f"mailto://user:s3cret-password@127.0.0.1:{self.port}/?smtp=127.0.0.1&from=weir@mail.test"
            "&to=oncall@mail.test&mode=insecure"
        )


@contextmanager
def mail_service() -> Iterator[MailService]:
    loop, service = Loop(), MailService()

    async def start() -> asyncio.Server:
        server = await asyncio.start_server(service.serve, "127.0.0.1", 0)
        service.port = server.sockets[0].getsockname()[1]
        return server

    async def stop(server: asyncio.Server) -> None:
        server.close()
        await asyncio.sleep(0)

    server = loop.run(start())
    try:
        yield service
    finally:
        loop.run(stop(server))
        loop.end()
