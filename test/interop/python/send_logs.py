"""Logs RECORDS lines through one official OTLP exporter: send_logs.py grpc|http ENDPOINT none|gzip|deflate SERVICE RECORDS"""

import logging
import sys

from opentelemetry.sdk._logs import LoggerProvider, LoggingHandler
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.resources import Resource


def exporter(transport, endpoint, compression):
    if transport == "grpc":
        import grpc
        from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter

        algorithm = {"none": grpc.Compression.NoCompression, "gzip": grpc.Compression.Gzip, "deflate": grpc.Compression.Deflate}
        return OTLPLogExporter(endpoint=endpoint, insecure=True, compression=algorithm[compression])
    from opentelemetry.exporter.otlp.proto.http import Compression
    from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter

    return OTLPLogExporter(endpoint=endpoint, compression=Compression(compression))


transport, endpoint, compression, service, records = sys.argv[1:]
provider = LoggerProvider(resource=Resource.create({"service.name": service}))
provider.add_log_record_processor(BatchLogRecordProcessor(exporter(transport, endpoint, compression), max_queue_size=1_000_000))
log = logging.getLogger(service)
log.setLevel(logging.INFO)
log.propagate = False
log.addHandler(LoggingHandler(logger_provider=provider))
for number in range(int(records)):
    log.info("order %d shipped to customer %d", number, number % 97, extra={"attempt": number % 3, "ratio": 0.5, "tags": ["a", "b"]})
provider.shutdown()
