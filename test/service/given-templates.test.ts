import { expect, test } from 'vitest';
import {
  fileLogs,
  Sender,
  sendHttp,
  sendMinutes,
  startTestService,
  until,
  usualMinute,
  MINUTE_MS,
  START_MS,
  type Line,
  type TestService,
} from './harness.ts';

/** What mining would never leave as it is: numbers, braces, two blanks. */
const GIVEN = 'Order {OrderId} of  7 items took 30 s,  retry=<*>';

async function sendJson(port: number, minute: number, attributes: Record<string, string>): Promise<void> {
  const logRecords = faultLines(minute, attributes).map(({ text, timeMs }) => ({
    timeUnixNano: String(BigInt(timeMs!) * 1_000_000n),
    severityNumber: 17,
    body: { stringValue: text },
    attributes: Object.entries(attributes).map(([key, value]) => ({ key, value: { stringValue: value } })),
  }));
  const resource = { attributes: [{ key: 'log.file.name', value: { stringValue: 'nginx.log' } }] };
  const response = await fetch(`http://127.0.0.1:${port}/v1/logs`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ resourceLogs: [{ resource, scopeLogs: [{ logRecords }] }] }),
  });
  expect(response.status).toBe(200);
}

/** Bodies of many shapes that all have one template, if the sender is believed. */
function faultLines(minute: number, attributes: Record<string, string>): Line[] {
  return Array.from({ length: 90 }, (_, k) => ({
    timeMs: START_MS + minute * MINUTE_MS + 1_000 + k * 300,
    text: `${'order '.repeat(1 + (k % 9))} body ${String.fromCharCode(97 + (k % 26))} ${k}`,
    severityNumber: 17,
    attributes,
  }));
}

type Send = (service: TestService, minute: number, attributes: Record<string, string>) => Promise<unknown>;
const WAYS: Record<string, Send> = {
  gRPC: ({ grpc }, minute, attributes) => grpc.send(fileLogs('nginx', faultLines(minute, attributes))),
  'HTTP/protobuf': ({ ports }, minute, attributes) =>
    sendHttp(ports.http, fileLogs('nginx', faultLines(minute, attributes))),
  'HTTP/JSON': ({ ports }, minute, attributes) => sendJson(ports.http, minute, attributes),
};

test.each([
  ['gRPC', { 'log.record.template': GIVEN }],
  ['HTTP/protobuf', { '{OriginalFormat}': GIVEN, OrderId: '17' }],
  ['HTTP/JSON', { 'message_template.text': GIVEN }],
  ['gRPC', { 'message_template.text': 'worse', '{OriginalFormat}': 'bad', 'log.record.template': GIVEN }],
  ['HTTP/JSON', { 'message_template.text': 'worse', '{OriginalFormat}': GIVEN, 'log.record.template': '' }],
] as [string, Record<string, string>][])(
  'over %s a template in %o is used as it is, and emitted with the anomaly',
  async (way, attributes) => {
    await using service = await startTestService({ clock: 'event' });
    await sendMinutes(service.grpc, 'nginx', 0, 16);
    await WAYS[way]!(service, 16, attributes);
    await service.grpc.send(fileLogs('nginx', usualMinute(17)));
    const { record, attributes: told } = await until('the anomaly', () => service.received[0]);
    expect(record.eventName).toBe('logdrift.anomaly');
    expect(told['log.record.template']).toBe(GIVEN);
    const { topTemplates, newTemplates } = service.anomalies[0]!.verdict;
    expect(newTemplates).toEqual([GIVEN]);
    expect(topTemplates[0]).toMatchObject({ template: GIVEN, count: 90, levels: [0, 0, 0, 0, 0, 90, 0], numbers: [] });
    expect(topTemplates[0]!.samples[1]).toBe('order order  body b 1');
    expect(told['logdrift.template.id']).toBe(topTemplates[0]!.templateId);
  },
);

test('a sender that gives a template of its own to every record neither pushes out others nor grows anything', async () => {
  await using service = await startTestService({ clock: 'event' });
  await sendMinutes(service.grpc, 'nginx', 0, 20);
  const known = service.verdictsOf('file:nginx').at(-1)!.templates;
  using other = new Sender(service.ports.grpc);
  for (let minute = 20; minute < 24; minute++) {
    const flood = Array.from({ length: 4000 }, (_, k) => ({
      timeMs: START_MS + minute * MINUTE_MS + 1_000 + k,
      text: 'x',
      attributes: { 'log.record.template': `template ${minute} of ${k} and ${'y'.repeat(k % 40)}` },
    }));
    await other.send(fileLogs('nginx', [...flood, ...usualMinute(minute)]));
  }
  // 1,024 at once and one in 64 records since, in the tree; the usual ones are still known.
  const [last] = service.verdictsOf('file:nginx').slice(-1);
  expect(last!.templates).toBeLessThanOrEqual(2 * 1024);
  expect(await service.metric('logdrift_unsorted_log_records_total')).toBeGreaterThan(10_000);
  for (let minute = 24; minute < 27; minute++) await service.grpc.send(fileLogs('nginx', usualMinute(minute)));
  const after = service.verdictsOf('file:nginx').at(-1)!;
  expect(after).toMatchObject({ templates: known, newTemplates: [] });
});
