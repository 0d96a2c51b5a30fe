// Command send-logs logs RECORDS lines through one official exporter: send-logs grpc|http HOST:PORT none|gzip SERVICE RECORDS
package main

import (
	"context"
	"fmt"
	"os"
	"strconv"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlplog/otlploggrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlplog/otlploghttp"
	"go.opentelemetry.io/otel/log"
	sdk "go.opentelemetry.io/otel/sdk/log"
	"go.opentelemetry.io/otel/sdk/resource"
)

func main() {
	transport, endpoint, compression, service := os.Args[1], os.Args[2], os.Args[3], os.Args[4]
	records, err := strconv.Atoi(os.Args[5])
	check(err)
	// Whatever an exporter has to say (partial success, retries that ran out) is a failure here.
	otel.SetErrorHandler(otel.ErrorHandlerFunc(check))

	ctx := context.Background()
	exporter, err := newExporter(ctx, transport, endpoint, compression)
	check(err)
	provider := sdk.NewLoggerProvider(
		sdk.WithResource(resource.NewSchemaless(attribute.String("service.name", service))),
		sdk.WithProcessor(sdk.NewBatchProcessor(exporter, sdk.WithMaxQueueSize(1_000_000))),
	)
	logger := provider.Logger("shop")
	for number := range records {
		var record log.Record
		record.SetSeverity(log.SeverityInfo)
		record.SetBody(attribute.StringValue(fmt.Sprintf("order %d shipped to customer %d", number, number%97)))
		record.AddAttributes(attribute.Int("attempt", number%3), attribute.Float64("ratio", 0.5))
		logger.Emit(ctx, record)
	}
	check(provider.Shutdown(ctx))
}

func newExporter(ctx context.Context, transport, endpoint, compression string) (sdk.Exporter, error) {
	if transport == "grpc" {
		options := []otlploggrpc.Option{otlploggrpc.WithEndpoint(endpoint), otlploggrpc.WithInsecure()}
		if compression == "gzip" {
			options = append(options, otlploggrpc.WithCompressor("gzip"))
		}
		return otlploggrpc.New(ctx, options...)
	}
	options := []otlploghttp.Option{otlploghttp.WithEndpoint(endpoint), otlploghttp.WithInsecure()}
	if compression == "gzip" {
		options = append(options, otlploghttp.WithCompression(otlploghttp.GzipCompression))
	}
	return otlploghttp.New(ctx, options...)
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
