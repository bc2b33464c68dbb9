"""An SMTP server on loopback: it speaks the protocol to its end, can ask for TLS and a log-in, and can refuse."""

from __future__ import annotations

import base64
import contextlib
import socket
import socketserver
import ssl
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any


@dataclass
class Mail:
    """One message that was taken, as it came."""

    sender: str
    recipients: list[str]
    raw: bytes
    user: str | None
    secured: bool
    at: float = 0.0  # monotonic, when it had arrived
    fair: bool = True  # the sender was told that it was taken

    @property
    def parsed(self) -> EmailMessage:
        found = message_from_bytes(self.raw, policy=policy.default)
        assert isinstance(found, EmailMessage)
        return found

    def part(self, kind: str) -> str:
        """The text or the HTML of it."""
        body = self.parsed.get_body((kind,))
        assert body is not None
        content = body.get_content()
        assert isinstance(content, str)
        return content


@dataclass
class Mailbox:
    """What arrived, and what the next conversations meet."""

    port: int = 0
    user: str | None = None  # where a log-in is asked for
    password: str | None = None
    tls: ssl.SSLContext | None = None  # offers STARTTLS
    answers: dict[str, list[str]] = field(default_factory=dict)  # command -> what it is answered, one after the other
    silent: set[str] = field(default_factory=set)  # commands that get no answer
    weather: Callable[[str], str | None] | None = None  # what DATA is answered to a message with this Message-ID
    drips: bool = False  # greets one byte at a time, without end
    mails: list[Mail] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)
    released: threading.Event = field(default_factory=threading.Event)

    def to(self, address: str) -> list[Mail]:
        with self.lock:
            return [mail for mail in self.mails if mail.recipients == [address]]

    def answer(self, command: str) -> str | None:
        with self.lock:
            left = self.answers.get(command)
            return left.pop(0) if left else None


class _Handler(socketserver.StreamRequestHandler):
    box: Mailbox
    wrapped = False  # TLS from the first byte
    timeout = 20

    def setup(self) -> None:
        if self.wrapped and self.box.tls is not None:
            self.request = self.box.tls.wrap_socket(self.request, server_side=True)
        super().setup()

    def finish(self) -> None:
        with contextlib.suppress(OSError):
            super().finish()
        if isinstance(self.request, ssl.SSLSocket):
            self.request.close()  # the server closes only the socket that it accepted

    def say(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())

    def handle(self) -> None:
        with contextlib.suppress(OSError):
            self._talk()

    def _talk(self) -> None:
        while self.box.drips and not self.box.released.wait(0.05):
            self.wfile.write(b"2")
        self.say(self.box.answer("CONNECT") or "220 mail.test ready")
        sender, recipients, user = "", list[str](), None
        while line := self.rfile.readline().decode().rstrip("\r\n"):
            word = line.split(" ", 1)[0].upper()
            if word in self.box.silent:
                self.box.released.wait(20)
                return
            told = self.box.answer(word)
            if told is not None and word != "DATA":
                self.say(told)
            elif word in {"EHLO", "HELO"}:
                self.say("250-mail.test")
                if self.box.tls is not None and not isinstance(self.request, ssl.SSLSocket):
                    self.say("250-STARTTLS")
                if self.box.user is not None:
                    self.say("250-AUTH PLAIN")
                self.say("250 8BITMIME")
            elif word == "STARTTLS" and self.box.tls is not None:
                self.say("220 go on")
                self.rfile.close()
                self.wfile.close()
                self.request = self.box.tls.wrap_socket(self.request, server_side=True)
                self.rfile, self.wfile = self.request.makefile("rb"), self.request.makefile("wb", 0)
            elif word == "AUTH":
                _, who, password = base64.b64decode(line.split()[2]).decode().split("\0")
                user = who if (who, password) == (self.box.user, self.box.password) else None
                self.say("235 welcome" if user else "535 5.7.8 wrong user or password")
            elif self.box.user is not None and user is None and word != "QUIT":
                self.say("530 5.7.0 log in first")
            elif word == "MAIL":
                sender, recipients = line.partition("<")[2].partition(">")[0], []
                self.say("250 ok")
            elif word == "RCPT":
                recipients.append(line.partition("<")[2].partition(">")[0])
                self.say("250 ok")
            elif word == "DATA":
                self.say("354 go on")
                self._take(sender, recipients, user, told)
            elif word == "QUIT":
                self.say("221 bye")
                return
            else:
                self.say("250 ok")

    def _take(self, sender: str, recipients: list[str], user: str | None, told: str | None) -> None:
        lines = []
        while (line := self.rfile.readline()) != b".\r\n":
            assert line, "the conversation broke off"
            lines.append(line.removeprefix(b".") if line.startswith(b"..") else line)
        if told is None and self.box.weather is not None:
            told = self.box.weather(str(message_from_bytes(b"".join(lines))["Message-ID"]))
        if told == "SILENT":
            self.box.released.wait(20)
            return
        if told is None or told == "LOST":
            secured = isinstance(self.request, ssl.SSLSocket)
            mail = Mail(sender, recipients, b"".join(lines), user, secured, time.monotonic(), told is None)
            with self.box.lock:
                self.box.mails.append(mail)
        if told == "LOST":  # taken, and nobody is told
            with contextlib.suppress(OSError):
                self.request.shutdown(socket.SHUT_RDWR)
            return
        self.say(told or "250 2.0.0 taken")


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that breaks off, or does not trust us, is nothing to tell."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


@contextlib.contextmanager
def mailbox(*, wrapped: bool = False, tls: ssl.SSLContext | None = None) -> Iterator[Mailbox]:
    """A running server; `wrapped`: it speaks TLS from the first byte."""
    box = Mailbox(tls=tls)
    handler = type("Handler", (_Handler,), {"box": box, "wrapped": wrapped})
    with _Server(("127.0.0.1", 0), handler) as server:
        box.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield box
        finally:
            box.released.set()
            server.shutdown()
            thread.join(5)
