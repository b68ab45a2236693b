"""From the project's Kafka settings to Faust's: addresses, credentials, timeouts, sizes.

Limits on memory: a worker holds at most FETCH_BYTES a partition from a fetch, STREAM_BUFFER_MESSAGES between the
consumer and the agent, and what its role has in flight.
"""

import ssl
from pathlib import Path
from typing import Any, Final

import faust
from yarl import URL

from streams.steady_app import NoTables
from tokenweir.errors import WrongCall
from tokenweir.settings import KafkaSettings
from tokenweir.usage.wire import MAX_MESSAGE_BYTES

STREAM_BUFFER_MESSAGES: Final = 32
FETCH_BYTES: Final = MAX_MESSAGE_BYTES
MAX_REQUEST_BYTES: Final = 8 * 1024 * 1024
"""What the producer takes in one request; topics take as much in one message."""

_LINGER_SECONDS: Final = 0.02
_BATCH_BYTES: Final = 1024 * 1024
_NO_LIMIT_SECONDS: Final = 1_000_000.0
_DELIVERY_SECONDS: Final = 300.0


def broker_urls(settings: KafkaSettings) -> list[URL]:
    """The brokers as Faust names them. Raises WrongCall where there is none."""
    servers = [server.strip() for server in settings.bootstrap_servers.split(",") if server.strip()]
    if not servers:
        raise WrongCall("kafka.bootstrap_servers is empty", hint="Set it to host:port, several with commas")
    return [URL(f"kafka://{server}") for server in servers]


def credentials(settings: KafkaSettings) -> Any:
    """Faust's credentials for the cluster; None for plain text. Raises WrongCall where settings contradict."""
    protocol = settings.security_protocol
    if protocol == "PLAINTEXT":
        return None
    context = _tls(settings) if protocol in ("SSL", "SASL_SSL") else None
    if protocol == "SSL":
        return faust.SSLCredentials(context)
    if settings.sasl_mechanism is None:
        raise WrongCall(
            f"kafka.security_protocol is {protocol} and kafka.sasl_mechanism is not set",
            hint="Set it to PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512",
        )
    return faust.SASLCredentials(
        username=settings.sasl_username,
        password=settings.sasl_password.get_secret_value(),
        ssl_context=context,
        mechanism=settings.sasl_mechanism,
    )


def _tls(settings: KafkaSettings) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=settings.ssl_cafile)
        if settings.ssl_certfile is not None:
            context.load_cert_chain(settings.ssl_certfile, settings.ssl_keyfile)
    except OSError as error:  # ssl.SSLError is one too
        raise WrongCall(
            f"the TLS files of the Kafka settings cannot be read: {error}",
            hint="Check kafka.ssl_cafile, kafka.ssl_certfile and kafka.ssl_keyfile",
        ) from error
    return context


def faust_options(settings: KafkaSettings, state_dir: Path) -> dict[str, Any]:
    """The keyword arguments of `faust.App` that follow from where Kafka is and how it is used here."""
    session = settings.session_timeout_seconds
    return {
        "broker": broker_urls(settings),
        "broker_credentials": credentials(settings),
        "broker_session_timeout": session,
        "broker_heartbeat_interval": min(3.0, session / 4),
        "broker_rebalance_timeout": settings.rebalance_timeout_seconds,
        "broker_request_timeout": max(60.0, session + 10.0),
        # A store outage may last for hours; a consumer that has not polled for so long must not be put out.
        "broker_max_poll_interval": _NO_LIMIT_SECONDS,
        "stream_processing_timeout": _NO_LIMIT_SECONDS,
        "consumer_auto_offset_reset": "earliest",
        "consumer_max_fetch_size": FETCH_BYTES,
        "stream_buffer_maxsize": STREAM_BUFFER_MESSAGES,
        # What is in flight at a rebalance is drained by the role itself, within bounds.
        "stream_wait_empty": False,
        "producer_acks": -1,
        "producer_linger": _LINGER_SECONDS,
        "producer_compression_type": None if settings.compression == "none" else settings.compression,
        "producer_max_batch_size": _BATCH_BYTES,
        "producer_max_request_size": MAX_REQUEST_BYTES,
        "producer_request_timeout": _DELIVERY_SECONDS,
        "key_serializer": "raw",
        "value_serializer": "raw",
        "store": "memory://",
        "datadir": state_dir,
        # No tables: aiokafka's own round robin assigns partitions, not the assignor that Faust has for tables.
        "table_standby_replicas": 0,
        "TableManager": NoTables,
        "topic_allow_declare": False,
        "topic_disable_leader": True,
        "web_enabled": False,
        "autodiscover": False,
        "worker_redirect_stdouts": False,
    }
