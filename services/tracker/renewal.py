"""Documents of an older activation are made anew, in the background, a few at a time.

A renewed document is published first and replaced after: the low `ruleset` of the stored one is the note that it has
yet to be done, so it may go away only when the new one is durable on the topic.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from luodi.runtime import logging
from luodi.runtime.metrics import Metrics
from services.tracker.folding import Folder
from services.tracker.ports import Document, Journal, Outbox, Outdated, Projects
from services.tracker.rulesets import Regime

BATCH = 200

log = logging.get("renewal")


class Renewal:
    """Renews the documents of the owned partitions. One thread calls `step`."""

    def __init__(self, regime: Regime, journal: Journal, projects: Projects, outbox: Outbox, metrics: Metrics) -> None:
        self._regime = regime
        self._journal = journal
        self._projects = projects
        self._outbox = outbox
        self._metrics = metrics
        self._done = 0

    def step(self, partitions: Collection[int]) -> int:
        """Renew one batch; says how many documents it held. Raises TransientError; then it may be called again."""
        folder = self._regime.folder
        outdated = self._projects.outdated(partitions, folder.ruleset, BATCH) if partitions else {}
        if not outdated:
            if self._done:
                log.info("documents.renewed", count=self._done, ruleset=folder.ruleset, finished=True)
                self._done = 0
            return 0
        documents = renewed(folder, outdated, self._journal, self._regime.may_take_over)
        for document in documents:
            self._outbox.state(document, None)
        self._outbox.sent().result()
        self._projects.offer(documents)  # refused where the projector was quicker: it publishes what it stored
        self._metrics.refolds.inc(len(documents))
        self._done += len(documents)
        log.info("documents.renewed", count=self._done, ruleset=folder.ruleset, finished=False)
        return len(documents)


def renewed(
    folder: Folder, outdated: Mapping[str, Outdated], journal: Journal, may_take_over: Callable[[int], bool]
) -> list[Document]:
    """Documents made anew: from their stored states where those still hold, else from their events."""
    kept = {subject: one for subject, one in outdated.items() if may_take_over(one.base.ruleset)}
    documents = [folder.again(subject, one) for subject, one in kept.items()]
    to_refold = outdated.keys() - kept.keys()
    histories = journal.read(to_refold) if to_refold else {}
    if len(histories) < len(to_refold):
        # Their events are gone from the journal, which nothing of ours does: an operator must look.
        log.error("journal.missing", subjects=sorted(to_refold - histories.keys())[:20])
    documents += [folder.refold(subject, outdated[subject].partition, events) for subject, events in histories.items()]
    return documents
