/** Logs RECORDS lines through one official OTLP exporter: SendLogs.java grpc|http ENDPOINT none|gzip SERVICE RECORDS */

import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.logs.Logger;
import io.opentelemetry.api.logs.Severity;
import io.opentelemetry.exporter.otlp.http.logs.OtlpHttpLogRecordExporter;
import io.opentelemetry.exporter.otlp.logs.OtlpGrpcLogRecordExporter;
import io.opentelemetry.sdk.logs.SdkLoggerProvider;
import io.opentelemetry.sdk.logs.export.BatchLogRecordProcessor;
import io.opentelemetry.sdk.logs.export.LogRecordExporter;
import io.opentelemetry.sdk.resources.Resource;
import java.util.concurrent.TimeUnit;

public class SendLogs {
    static LogRecordExporter exporter(String transport, String endpoint, String compression) {
        return transport.equals("grpc")
            ? OtlpGrpcLogRecordExporter.builder().setEndpoint(endpoint).setCompression(compression).build()
            : OtlpHttpLogRecordExporter.builder().setEndpoint(endpoint).setCompression(compression).build();
    }

    public static void main(String[] args) {
        int records = Integer.parseInt(args[4]);
        var processor = BatchLogRecordProcessor.builder(exporter(args[0], args[1], args[2])).setMaxQueueSize(1_000_000).build();
        var provider = SdkLoggerProvider.builder()
            .setResource(Resource.create(Attributes.of(AttributeKey.stringKey("service.name"), args[3])))
            .addLogRecordProcessor(processor)
            .build();
        Logger logger = provider.get("shop");
        for (int number = 0; number < records; number++) {
            logger.logRecordBuilder()
                .setSeverity(Severity.INFO)
                .setBody("order " + number + " shipped to customer " + number % 97)
                .setAttribute(AttributeKey.longKey("attempt"), (long) (number % 3))
                .setAttribute(AttributeKey.doubleKey("ratio"), 0.5)
                .setAttribute(AttributeKey.stringArrayKey("tags"), java.util.List.of("a", "b"))
                .emit();
        }
        if (!provider.shutdown().join(60, TimeUnit.SECONDS).isSuccess()) System.exit(1);
        // OkHttp's threads would be waited for.
        System.exit(0);
    }
}
