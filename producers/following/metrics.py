"""What a collector of files counts, in a registry handed in."""

from prometheus_client import CollectorRegistry, Counter, Gauge

from producers.following.follower import Round


class CollectorMetrics:
    """The collector's counters. One set a registry: a second on the same registry raises ValueError."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._sent = Counter(
            "tokenweir_collector_sent_events_total", "Events that Kafka confirmed.", registry=registry
        )
        self._discarded = Counter(
            "tokenweir_collector_discarded_events_total", "Rows that were refused.", registry=registry
        )
        self._read = Counter(
            "tokenweir_collector_read_bytes_total", "Bytes read of files.", registry=registry
        )
        self._errors = Counter(
            "tokenweir_collector_errors_total",
            "Rounds that failed, by stage: kafka.",
            ["stage"],
            registry=registry,
        )
        self._files = Gauge(
            "tokenweir_collector_followed_files", "Files that are followed.", registry=registry
        )
        self._unreadable = Gauge(
            "tokenweir_collector_unreadable_files",
            "Of those, that cannot be read or told.",
            registry=registry,
        )
        self._last_round = Gauge(
            "tokenweir_collector_last_round_at_seconds",
            "When a round last came to its end.",
            registry=registry,
        )
        self._errors.labels(stage="kafka")

    def count(self, done: Round) -> None:
        """Adds what a confirmed round came to."""
        self._sent.inc(done.events)
        self._discarded.inc(done.rejections)
        self._read.inc(done.read_bytes)
        self._files.set(done.files)
        self._unreadable.set(done.unreadable)
        self._last_round.set_to_current_time()

    def failed(self) -> None:
        """Counts a round that Kafka did not confirm."""
        self._errors.labels(stage="kafka").inc()
