/** `logdrift test-anomaly`: one marked record straight to `exporters.otlp`, with the record and transport code of the service. */
import { hostname } from 'node:os';
import { ProtobufLogsSerializer } from '@opentelemetry/otlp-transformer';
import type { SendResult } from '../alert/delivery.ts';
import { createTransport } from '../alert/otlp-export.ts';
import { TEST_ATTRIBUTE, TEST_SOURCE, testRecord } from '../alert/test-record.ts';
import type { Config } from '../config/config.ts';
import { printable } from '../telemetry/log.ts';
import { VERSION } from '../version.ts';
import { deliveryAdvice } from './delivery-advice.ts';

class NoDestinationError extends Error {
  override readonly name = 'NoDestinationError';
  readonly code = 'LOGDRIFT_NO_DESTINATION';
}

type Write = (line: string) => void;

/** Sends once, without trying again, and tells what went where and what came back. @returns the exit code */
export async function testAnomaly(
  config: Config,
  write: Write = (line) => process.stdout.write(line),
): Promise<number> {
  const { driftDetection: detection, exporters } = config;
  const { otlp } = exporters;
  if (otlp.endpoint === null) {
    throw new NoDestinationError(
      'exporters.otlp.endpoint is not set: anomalies are JSON lines on stdout, there is no route to test – set it in the file of --config, or for once: --set exporters.otlp.endpoint=http://collector:4318',
    );
  }
  await using transport = createTransport(otlp, otlp.endpoint, VERSION);
  const record = testRecord({ ...detection, version: VERSION, host: hostname(), nowMs: Date.now() });
  // Much of what is told is the destination's text.
  const print = (label: string, text: string): void => write(`${label.padEnd(8)}${printable(text.trim())}\n`);
  const headers = Object.keys(otlp.headers);
  print(
    'to',
    `${transport.destination}, ${otlp.protocol}${headers.length === 0 ? '' : `, with ${headers.join(', ')}`}`,
  );
  print('record', `${record.eventName} ${record.severityText}, source ${TEST_SOURCE}, ${TEST_ATTRIBUTE}=true`);
  print('uid', String(record.attributes['log.record.uid']));
  print('body', String(record.body));

  const startedMs = performance.now();
  const result = await transport.send(
    ProtobufLogsSerializer.serializeRequest([record])!,
    AbortSignal.timeout(otlp.timeoutMs + 1_000),
  );
  const { isGood, lines } = verdictOn(result);
  print('answer', `${lines[0]!} (${Math.round(performance.now() - startedMs)} ms)`);
  for (const line of lines.slice(1)) print('', line);
  return isGood ? 0 : 1;
}

function verdictOn(result: SendResult): { isGood: boolean; lines: string[] } {
  switch (result.kind) {
    case 'delivered':
      if (result.rejected > 0) {
        const lines = [
          `not taken, partial success: ${result.message === '' ? 'without a reason' : result.message}`,
          'the way there is good; the destination does not want this record, and says why. It would drop real anomalies the same way',
        ];
        return { isGood: false, lines };
      }
      if (result.unlike !== null) {
        const lines = [
          `not certain, this is no OTLP answer: ${result.unlike}`,
          'a web server that says so to everything, or a receiver with words of its own: look the uid up there',
          'logdrift serve would take an anomaly for delivered',
        ];
        return { isGood: false, lines };
      }
      return {
        isGood: true,
        lines: ['accepted', ...(result.message === '' ? [] : [`with a warning: ${result.message}`])],
      };
    case 'retry':
      return {
        isGood: false,
        lines: [result.reason, deliveryAdvice(result.reason), 'logdrift serve would keep an anomaly and try again'],
      };
    case 'rejected':
      return {
        isGood: false,
        lines: [
          result.reason,
          deliveryAdvice(result.reason),
          'logdrift serve would lose an anomaly, counted and logged',
        ],
      };
  }
}
