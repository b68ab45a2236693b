"""Sending what a person asks of an incident to the worker that has its tenant, through Kafka."""

from contextlib import closing
from typing import Final

from kafka import KafkaProducer
from kafka.errors import KafkaError

from tokenweir.errors import BrokerUnavailable
from tokenweir.settings import KafkaSettings, client_security, topic_name
from tokenweir.signals import SignalRequest
from tokenweir.signals.request import HEADER_REQUEST, encode_request
from tokenweir.topics import WINDOWS

_TIMEOUT_SECONDS: Final = 20


def send_request(settings: KafkaSettings, request: SignalRequest) -> None:
    """Returns when Kafka has it. Raises BrokerUnavailable."""
    try:
        producer = KafkaProducer(
            bootstrap_servers=settings.bootstrap_servers.split(","),
            acks="all",
            request_timeout_ms=_TIMEOUT_SECONDS * 1000,
            max_block_ms=_TIMEOUT_SECONDS * 1000,
            **client_security(settings),
        )
        with closing(producer):
            sent = producer.send(
                topic_name(settings, WINDOWS.name),
                key=request.tenant.encode(),
                value=b"",
                headers=[(HEADER_REQUEST, encode_request(request))],
            )
            sent.get(timeout=_TIMEOUT_SECONDS)
    except KafkaError as error:
        raise BrokerUnavailable(
            f"Kafka at {settings.bootstrap_servers} did not take this: {error!r}",
            hint="Is it running, and is kafka.bootstrap_servers right?",
        ) from error
