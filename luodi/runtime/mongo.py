"""MongoDB as the services use it: majority and journaled writes, quick failure, errors translated once."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from pymongo import MongoClient
from pymongo.database import Database
from pymongo.errors import (
    AutoReconnect,
    BulkWriteError,
    ConnectionFailure,
    ExecutionTimeout,
    OperationFailure,
    PyMongoError,
    WTimeoutError,
)
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from luodi.runtime.errors import FatalError, TransientError
from luodi.runtime.settings import Settings

Document = dict[str, Any]

SERVER_SELECTION_MS = 5_000  # how long a call looks for a primary before it is a passing fault
SOCKET_MS = 30_000
WRITE_MS = 20_000


def connect(settings: Settings, **over: Any) -> Database[Document]:
    """The database of this system. Nothing is opened yet: the first call connects.

    Every write waits for the majority and its journal, every read sees only what a majority holds.
    """
    client: MongoClient[Document] = MongoClient(
        settings.mongodb_uri,
        appname="luodi",
        serverSelectionTimeoutMS=SERVER_SELECTION_MS,
        connectTimeoutMS=SERVER_SELECTION_MS,
        socketTimeoutMS=SOCKET_MS,
        **over,
    )
    return client.get_database(
        settings.database,
        write_concern=WriteConcern(w="majority", j=True, wtimeout=WRITE_MS),
        read_concern=ReadConcern("majority"),
    )


def translate(exc: PyMongoError) -> TransientError | FatalError:
    """The library's exception as ours. A BulkWriteError never comes here: its writer knows what each row means."""
    passing = isinstance(exc, (ConnectionFailure, AutoReconnect, ExecutionTimeout, WTimeoutError))
    if passing or exc.has_error_label("RetryableWriteError") or exc.has_error_label("TransientTransactionError"):
        return TransientError("MongoDB", str(exc))
    if isinstance(exc, OperationFailure) and exc.code in _PASSING_CODES:
        return TransientError("MongoDB", str(exc))
    return FatalError(f"MongoDB: {type(exc).__name__}: {exc}")


@contextlib.contextmanager
def translated() -> Iterator[None]:
    """Within it, PyMongoError leaves as TransientError or FatalError, except BulkWriteError, which passes as it is."""
    try:
        yield
    except BulkWriteError:
        raise
    except PyMongoError as exc:
        raise translate(exc) from exc


_PASSING_CODES = frozenset(
    {
        6,  # HostUnreachable
        7,  # HostNotFound
        89,  # NetworkTimeout
        91,  # ShutdownInProgress
        112,  # WriteConflict
        189,  # PrimarySteppedDown
        262,  # ExceededTimeLimit
        10107,  # NotWritablePrimary
        11600,  # InterruptedAtShutdown
        11602,  # InterruptedDueToReplStateChange
        13435,  # NotPrimaryNoSecondaryOk
        13436,  # NotPrimaryOrSecondary
    }
)
