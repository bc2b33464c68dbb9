"""E-mail through the operator's own SMTP server (RFC 5321), as text and HTML.

The Message-ID is made of the message's id, so it is the same at every attempt and a mailbox may show copies as one.
What the server says about the address or the message decides: 4xx is worth another attempt, 5xx is for good. An address
is given up only where its mailbox does not exist or is closed. What the server says about us (log-in, sender) is no
fault of the address, and is worth another attempt, for the operator can mend it.
"""

from __future__ import annotations

import contextlib
import html
import re
import smtplib
import socket
import ssl
import threading
from collections.abc import Iterator
from email.message import EmailMessage
from email.policy import SMTP as WIRE
from email.utils import format_datetime
from typing import Self

from luodi.runtime.clock import Clock
from luodi.runtime.settings import Smtp
from services.notify.channels import Outcome
from services.notify.channels.wire import CONNECT_TIMEOUT_S, TIMEOUT_S
from services.notify.channels.writing import Message, cut, one_line
from services.notify.contacts import Way, beside_the_address
from services.notify.guard import Allowed, Guard
from services.notify.shaping import Pace

THREADS = 8
TITLE_BYTES = 200
TEXT_BYTES = 100_000
MAX_ADDRESS = 254  # RFC 5321, 4.5.3.1.3

MAILBOX = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r"@[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*"
)
"""One address in its plain spelling: no quotes, comments, names, or second address."""

_DETAIL = re.compile(rb"\s*5\.(\d{1,3})\.(\d{1,3})\b")
_NO_MAILBOX = frozenset({550, 551, 553, 556})  # RFC 5321 and 7504, where no enhanced code says more
_CLOSED = frozenset({(2, 1)})  # RFC 3463, X.2.1: the mailbox is disabled
_MAILBOX_GONE = frozenset({1, 2, 3, 6, 10})  # RFC 3463 and 7505, X.1.n: no such mailbox or host, moved, takes no mail


class Email:
    """Sends to mailboxes."""

    name = "email"
    channel = "email"
    threads = THREADS
    pace: Pace | None = None

    def __init__(
        self, server: Smtp | None, clock: Clock, timeout_s: float = TIMEOUT_S, tls: ssl.SSLContext | None = None
    ) -> None:
        """`server` None: there is none, and no contact can be given an address. `tls`: what is trusted, by default
        what the system trusts."""
        self._server = server
        self._clock = clock
        self._timeout_s = timeout_s
        self._tls = tls

    def faults(self, way: Way) -> list[tuple[str, str]]:
        """What of a contact's way cannot be used."""
        found = [] if self._server is not None else [("channel", "no-smtp")]
        if len(way.address) > MAX_ADDRESS or not MAILBOX.fullmatch(way.address):
            found.append(("address", "not-email"))
        return found + beside_the_address(way)

    def shown(self, address: str) -> str:
        """Only the host: who it is stands before it."""
        return f"…@{address.rpartition('@')[2]}"

    def send(self, message: Message, way: Way, message_id: str) -> Outcome:
        """Make one attempt."""
        server = self._server
        if server is None:  # it was there when the address was written
            return Outcome("refused", "no-smtp")
        raw = letter(message, way, message_id, server.sender, format_datetime(self._clock.wall()))
        with _Attempt(server, self._timeout_s, self._tls) as attempt:
            try:
                outcome = attempt.hand_over(way.address, raw)
            except smtplib.SMTPResponseException as exc:  # not about address or message: it is about us
                outcome = Outcome("retry", f"smtp-{exc.smtp_code}")
            except (smtplib.SMTPException, OSError) as exc:
                outcome = Outcome("retry", type(exc).__name__)
        if attempt.passed and outcome.kind != "sent":  # cut off inside an answer, half of which may look like another
            return Outcome("retry", "timed-out")
        return outcome


def letter(message: Message, way: Way, message_id: str, sender: str, date: str) -> bytes:
    """The message as it goes over the wire."""
    made = EmailMessage(policy=WIRE)
    made["From"] = sender
    made["To"] = way.address
    made["Subject"] = _harmless(message.title, TITLE_BYTES)
    made["Date"] = date
    made["Message-ID"] = f"<{message_id}@{sender.rpartition('@')[2]}>"
    made["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office answers to it
    made.set_content(_text(message), cte="base64")
    if way.style != "text":
        made.add_alternative(_html(message), subtype="html", cte="base64")
    made["Content-Language"] = message.language  # last: writing the content takes headers of this kind away
    return made.as_bytes()


def _harmless(text: str, limit: int) -> str:
    """What people typed, without what mail programs make links of."""
    return cut(one_line(text).replace("://", "：//"), limit)


def _text(message: Message) -> str:
    lines = [_harmless(message.title, TITLE_BYTES), "", _harmless(message.text, TEXT_BYTES), ""]
    for title, items, rest in _shown(message):
        lines += [f"【{title}】", *(" ".join(filter(None, ["·", text, number, url])) for text, number, url in items)]
        lines += [rest, ""] if rest else [""]
    if message.url:
        lines.append(f"{message.link}：{message.url}")
    return "\n".join([*lines, message.footer, ""])


def _html(message: Message) -> str:
    """Without pictures, scripts or anything else that is loaded from elsewhere."""
    title = html.escape(_harmless(message.title, TITLE_BYTES))
    parts = [f"<h2>{title}</h2>", f"<p>{html.escape(_harmless(message.text, TEXT_BYTES))}</p>"]
    for heading, items, rest in _shown(message):
        parts += [f"<h3>{html.escape(heading)}</h3>", "<ul>"]
        parts += [f"<li>{html.escape(text)} {_linked(number, url)}</li>" for text, number, url in items]
        parts += ["</ul>", *([f"<p>{html.escape(rest)}</p>"] if rest else [])]
    if message.url:
        parts.append(f'<p><a href="{html.escape(message.url)}">{html.escape(message.link)}</a></p>')
    parts.append(f"<p><small>{html.escape(message.footer)}</small></p>")
    head = f'<head><meta charset="utf-8"><title>{title}</title></head>'
    return f'<!DOCTYPE html>\n<html lang="{message.language}">{head}<body>\n' + "\n".join(parts) + "\n</body></html>\n"


def _linked(number: str, url: str | None) -> str:
    shown = html.escape(number)
    return f'<a href="{html.escape(url)}">{shown}</a>' if url else shown


def _shown(message: Message) -> Iterator[tuple[str, list[tuple[str, str, str | None]], str]]:
    """The sections of a digest, as far as there is room: title, items (text, number, link), and what is left over."""
    room = TEXT_BYTES
    left = sum(len(section.items) for section in message.sections)
    for section in message.sections:
        items: list[tuple[str, str, str | None]] = []
        for item in section.items:
            text = _harmless(item.text, TEXT_BYTES)
            room -= len(text.encode()) + len(item.number) + len(item.url or "")
            if room < 0:
                break
            items.append((text, message.called(item), item.url))
        left -= len(items)
        if items or room < 0:
            yield section.title, items, message.rest(left) if room < 0 else ""
        if room < 0:
            return


class _Attempt:
    """One conversation with the server, cut off when its time is up."""

    def __init__(self, server: Smtp, timeout_s: float, tls: ssl.SSLContext | None) -> None:
        self._server = server
        self._smtp = _Connection(server, timeout_s, tls)
        self._timer = threading.Timer(timeout_s, self._cut)
        self._timer.daemon = True
        self.passed = False

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        self._smtp.close()

    def hand_over(self, address: str, raw: bytes) -> Outcome:
        """Give the server the message. Raises SMTPException and OSError for what is not about it or its address."""
        smtp, server = self._smtp, self._server
        smtp.open()
        if server.user is not None and server.password is not None:
            smtp.login(server.user, server.password)
        try:
            smtp.sendmail(server.sender, [address], raw)
        except smtplib.SMTPRecipientsRefused as exc:
            return _of_address(*exc.recipients[address])
        except smtplib.SMTPDataError as exc:
            return Outcome("refused" if exc.smtp_code >= 500 else "retry", f"smtp-{exc.smtp_code}")
        with contextlib.suppress(smtplib.SMTPException, OSError):  # it is taken: how the server parts does not matter
            smtp.quit()
        return Outcome("sent")

    def _cut(self) -> None:
        self.passed = True
        sock = self._smtp.sock
        if sock is not None:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)


class _Connection(smtplib.SMTP):
    """A connection whose look-up of the name and whose handshake have a bound, too."""

    def __init__(self, server: Smtp, timeout_s: float, tls: ssl.SSLContext | None) -> None:
        # The name in the greeting is the sender's domain: the default asks a name server for our own, for any time.
        super().__init__(local_hostname=server.sender.rpartition("@")[2], timeout=timeout_s)
        self._server = server
        self._tls = tls

    def open(self) -> None:
        """Connect, and secure the connection as the settings say. Raises SMTPException, OSError."""
        server = self._server
        self._host = server.host  # the name that STARTTLS checks the certificate against
        code, said = self.connect(server.host, server.port)
        if code != 220:
            raise smtplib.SMTPConnectError(code, said)
        if server.security == "starttls":
            self.starttls(context=self._tls or ssl.create_default_context())

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        # The server is the operator's own choice: any number of it will do.
        plain = Guard(Allowed.of([host])).connect(host, port, min(CONNECT_TIMEOUT_S, timeout))
        plain.settimeout(timeout)
        self.sock = plain
        if self._server.security != "tls":
            return plain
        context = self._tls or ssl.create_default_context()
        self.sock = context.wrap_socket(plain, server_hostname=host, do_handshake_on_connect=False)
        self.sock.do_handshake()
        return self.sock


def _of_address(code: int, said: bytes) -> Outcome:
    """What an answer to the address means."""
    error = f"smtp-{code}"
    if code < 500:
        return Outcome("retry", error)
    detail = _DETAIL.match(said)
    if detail is None:
        return Outcome("gone" if code in _NO_MAILBOX else "refused", error)
    subject, number = int(detail[1]), int(detail[2])
    gone = (subject == 1 and number in _MAILBOX_GONE) or (subject, number) in _CLOSED
    return Outcome("gone" if gone else "refused", error)
