import { readFile, writeFile } from 'node:fs/promises';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { status } from '@grpc/grpc-js';
import { expect, test } from 'vitest';
import { frame, Http2Sender, HttpSender, GrpcSender } from '../receive/senders.ts';
import { encodeRequest } from '../receive/oracle.ts';
import { fileLogs, startServe, startTestService, sumOf, until } from './harness.ts';

const MIB = 1_048_576;
const LIMIT_MIB = 64;
const BUDGET_MIB = 256;
/** Of memory that is ours but not the request's: zlib's own, garbage not collected yet. */
const SLACK_MIB = 32;

/** 256 MiB in 261 KB, and in 8 KB. */
const gzipBomb = (() => {
  const quarter = gzipSync(Buffer.alloc(64 * MIB));
  return Buffer.concat([quarter, quarter, quarter, quarter]);
})();
const zstdBomb = (() => {
  const quarter = zstdCompressSync(Buffer.alloc(64 * MIB));
  return Buffer.concat([quarter, quarter, quarter, quarter]);
})();

async function memory(pid: number): Promise<{ rssMib: number; peakMib: number }> {
  const text = await readFile(`/proc/${pid}/status`, 'utf8');
  const mib = (field: string): number => Number(new RegExp(`${field}:\\s+(\\d+)`).exec(text)![1]) / 1024;
  return { rssMib: mib('VmRSS'), peakMib: mib('VmHWM') };
}

/** How far memory rose above where it was, while `work` ran. */
async function riseMib(pid: number, work: () => Promise<unknown>): Promise<number> {
  const { rssMib } = await memory(pid);
  await writeFile(`/proc/${pid}/clear_refs`, '5');
  await work();
  return (await memory(pid)).peakMib - rssMib;
}

test.skipIf(process.platform !== 'linux')(
  'decompression bombs cost the limit at most, sixteen at once the budget',
  async () => {
    await using serve = await startServe({ template_workers: 1 });
    const pid = serve.process.pid!;
    await using http = new HttpSender(serve.ports.http);
    using grpc = new Http2Sender(serve.ports.grpc);
    const byHttp = async (bomb: Buffer, encoding: string) =>
      (await http.send(bomb, { 'content-encoding': encoding })).status;
    const byGrpc = (bomb: Buffer, encoding: string) => grpc.send(frame(bomb, 1), { 'grpc-encoding': encoding });

    const single = [
      () => byHttp(gzipBomb, 'gzip').then((code) => expect(code).toBe(413)),
      () => byHttp(zstdBomb, 'zstd').then((code) => expect(code).toBe(413)),
      () => byGrpc(gzipBomb, 'gzip').then((code) => expect(code).toBe(status.RESOURCE_EXHAUSTED)),
      () => byGrpc(zstdBomb, 'zstd').then((code) => expect(code).toBe(status.RESOURCE_EXHAUSTED)),
    ];
    for (const send of single) expect(await riseMib(pid, send)).toBeLessThan(LIMIT_MIB + SLACK_MIB);

    const sixteen = (send: () => Promise<number>) => () => Promise.all(Array.from({ length: 16 }, send));
    for (const send of [
      () => byHttp(gzipBomb, 'gzip'),
      () => byGrpc(gzipBomb, 'gzip'),
      () => byGrpc(zstdBomb, 'zstd'),
    ]) {
      expect(await riseMib(pid, sixteen(send))).toBeLessThan(BUDGET_MIB + SLACK_MIB);
    }
    // And it goes on as if nothing had been.
    using sender = new GrpcSender(serve.ports.grpc);
    const request = encodeRequest({ resourceLogs: [fileLogs('nginx', [{ text: 'hello' }])] });
    expect((await sender.send(request)).code).toBe(status.OK);
    const metrics = await (await fetch(`http://127.0.0.1:${serve.ports.telemetry}/metrics`)).text();
    expect(sumOf(metrics, 'logdrift_receiver_inflight_bytes')).toBeLessThan(10_000);
    expect(sumOf(metrics, 'logdrift_receiver_accepted_log_records_total')).toBe(1);
  },
);

test('a process short of memory refuses on both transports, says so in metrics, and counts nothing as lost', async () => {
  await using service = await startTestService({ 'processors.memory_limiter.limit_mib': 10 });
  using sender = new GrpcSender(service.ports.grpc);
  await using poster = new HttpSender(service.ports.http);
  const request = encodeRequest({ resourceLogs: [fileLogs('nginx', [{ text: 'hello' }])] });
  expect(await sender.send(request)).toMatchObject({ code: status.UNAVAILABLE, statusDetails: ['RetryInfo'] });
  expect((await poster.send(request)).status).toBe(503);
  const requests = (labels: Record<string, string>) => service.metric('logdrift_receiver_requests_total', labels);
  await until('both are counted', async () => (await requests({ outcome: 'refused' })) === 2);
  expect(await service.metric('logdrift_receiver_failed_log_records_total')).toBe(0);
  expect(await service.api('/api/v1/stats')).toMatchObject({ active_detectors: 0 });
});

test('records of a request that breaks off in the middle are counted as failed, and its status by code', async () => {
  await using service = await startTestService();
  const request = encodeRequest({
    resourceLogs: [fileLogs('nginx', [{ text: 'one' }, { text: 'two' }]), fileLogs('nginx', [{ text: 'three' }])],
  });
  using sender = new GrpcSender(service.ports.grpc);
  const broken = Buffer.concat([request, Buffer.from([0x0a, 0x7f])]);
  expect((await sender.send(broken)).code).toBe(status.INVALID_ARGUMENT);
  expect(await service.metric('logdrift_receiver_failed_log_records_total', { transport: 'grpc' })).toBe(3);
  expect(
    await service.metric('logdrift_receiver_requests_total', { code: 'INVALID_ARGUMENT', outcome: 'failure' }),
  ).toBe(1);
  expect(await service.metric('logdrift_receiver_accepted_log_records_total')).toBe(0);
  expect(await service.metric('logdrift_receiver_connections', { transport: 'grpc' })).toBe(1);
});

test('a body without any record is a success, and one warning names the keys in it', async () => {
  await using service = await startTestService();
  await using poster = new HttpSender(service.ports.http);
  for (let k = 0; k < 3; k++) {
    const { status, body } = await poster.send('{"resourceSpans":[]}', { 'content-type': 'application/json' });
    expect([status, body.toString()]).toEqual([200, '{}']);
  }
  const warnings = service.lines.filter((line) => line.includes('held no log record'));
  expect(warnings).toEqual([
    'warn  A request held no log record although it was not empty transport=http unknown_keys=resourceSpans',
  ]);
});

test('compression that is not read is counted by its name and told once', async () => {
  await using service = await startTestService();
  await using poster = new HttpSender(service.ports.http);
  using sender = new Http2Sender(service.ports.grpc);
  for (const encoding of ['snappy', 'snappy', 'x'.repeat(1000)])
    await poster.send(Buffer.from('x'), { 'content-encoding': encoding });
  expect(await sender.send(frame(Buffer.from('x'), 1), { 'grpc-encoding': 'snappy' })).toBe(status.UNIMPLEMENTED);
  const counted = (labels: Record<string, string>) =>
    service.metric('logdrift_receiver_unsupported_encoding_requests_total', labels);
  expect(await counted({ transport: 'http', encoding: 'snappy' })).toBe(2);
  expect(await counted({ transport: 'http', encoding: 'other' })).toBe(1);
  expect(await counted({ transport: 'grpc', encoding: 'snappy' })).toBe(1);
  expect(service.lines.filter((line) => line.includes('encoding=snappy'))).toHaveLength(2);
});
