import { describe, expect, test } from 'vitest';
import { newDecodedRecord } from '../../src/receive/decoded.ts';
import { at, openRig, times } from './rig.ts';

const line = (source: string, text = 'started') => ({ source, timeMs: at('10:00:30'), text });

test('a request that is dropped without commit counts nothing, creates nothing and takes no place', async () => {
  await using rig = await openRig({ clock: 'event', set: ['max_sources=2'] });
  for (let i = 0; i < 10; i++)
    rig.begin(line(`file:junk-${i}`), line(''), { source: 'file:a', timeMs: Date.UTC(2099, 0) });
  expect(rig.story).toEqual([]);
  expect(rig.pipeline.registry.size).toBe(0);
  await rig.send(line('file:a'), line('file:b'));
  expect(rig.pipeline.registry.size).toBe(2);
  expect(rig.dropped).toEqual(new Map());
  expect(rig.unmapped()).toBe(0);
});

test('our own anomalies coming back are dropped and counted, by scope and by event name', async () => {
  await using rig = await openRig({ clock: 'event' });
  const { sink, commit } = bound(rig.pipeline.target.begin());
  const record = { ...newDecodedRecord(Buffer.from('x')), textEnd: 1, timeMs: at('10:00:30') };
  sink.resource(new Map([['service.name', 'shop']]));
  sink.scope('logdrift');
  sink.record(record);
  sink.scope('other');
  sink.record({ ...record, ownEvent: true });
  sink.record(record);
  await commit();
  expect(rig.dropped).toEqual(new Map([['own_anomaly', 2]]));
  expect([...rig.pipeline.registry].map(({ received }) => received)).toEqual([1]);
});

test('every record that names no source is counted', async () => {
  await using rig = await openRig({ clock: 'event' });
  await rig.send(...times(7, () => line('')), line('file:a'), line(''));
  expect(rig.unmapped()).toBe(8);
  expect(rig.pipeline.registry.get('otlp:unknown')!.received).toBe(8);
});

test('what differs between the replicas of one request identifies none of them', async () => {
  await using rig = await openRig({ clock: 'event' });
  const { sink, commit } = bound(rig.pipeline.target.begin());
  for (const host of ['node-1', 'node-2']) {
    sink.resource(
      new Map([
        ['service.name', 'shop'],
        ['host.name', host],
      ]),
    );
    sink.scope('');
    sink.record({ ...newDecodedRecord(Buffer.from('x')), textEnd: 1, timeMs: at('10:00:30') });
  }
  await commit();
  const [entry] = [...rig.pipeline.registry];
  expect([...entry!.identity]).toEqual([['service.name', 'shop']]);
});

describe('in threads', () => {
  // 10,000 may wait, so the shard has to get to as many in 100 ms. A machine that is busy just then is not idle: that is what the other tries are for.
  test('20,000 records of one source to an idle shard lose none', { retry: 3 }, async () => {
    await using rig = await openRig({ clock: 'wall', shards: 'threads', set: ['template_workers=1'] });
    const now = Date.now();
    const result = await rig.send(
      ...times(20_000, (i) => ({ source: 'file:a', timeMs: now, text: `GET /item/${i} took ${i % 97} ms` })),
    );
    expect(result).toEqual({ rejectedLogRecords: 0, errorMessage: '' });
    expect(rig.pipeline.registry.get('file:a')!.received).toBe(20_000);
    await expect.poll(() => rig.pipeline.waitingRecords()).toBe(0);
  });

  test('requests that meet in one shard are all counted, whatever they share', async () => {
    await using rig = await openRig({ clock: 'wall', shards: 'threads', set: ['template_workers=2'] });
    const now = Date.now();
    await Promise.all(times(20, () => rig.send(...times(100, (i) => ({ source: `file:${i % 10}`, timeMs: now })))));
    expect([...rig.pipeline.registry].map(({ received, arriving }) => [received, arriving])).toEqual(
      times(10, () => [200, 0]),
    );
    await expect.poll(() => rig.pipeline.waitingRecords()).toBe(0);
  });
});

function bound(intake: ReturnType<Awaited<ReturnType<typeof openRig>>['begin']>) {
  return { sink: intake.sink, commit: () => intake.commit(new AbortController().signal) };
}
