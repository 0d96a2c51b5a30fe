import { join } from 'node:path';
import { expect, test } from 'vitest';
import { resourceLogs, Sender, startServe, until } from '../service/harness.ts';
import {
  exported,
  exporterTo,
  freePort,
  needsCollector,
  startCollector,
  temporaryFolder,
  type Collector,
  type CollectorConfig,
  type Folder,
} from './collector.ts';
import { sourcesOf, taken, untilAccepted } from './counting.ts';
import { checkpoint } from './checkpoint.ts';

needsCollector('gateway');

interface Gateway extends Collector {
  port: number;
}

/** A Collector that takes OTLP from us, and passes it on as told. */
async function startGateway(
  folder: Folder,
  processors: Record<string, object>,
  exporters: CollectorConfig['exporters'],
): Promise<Gateway> {
  const port = await freePort();
  const logs = { receivers: ['otlp'], processors: Object.keys(processors), exporters: Object.keys(exporters) };
  const collector = await startCollector(
    folder,
    {
      receivers: { otlp: { protocols: { grpc: { endpoint: `127.0.0.1:${port}` } } } },
      processors,
      exporters,
      service: { pipelines: { logs } },
    },
    'gateway',
  );
  return { ...collector, port };
}

const lines = (count: number, text = 'order shipped') =>
  Array.from({ length: count }, (_, k) => ({ text: `${text} ${k}` }));

test('what transform, resource and groupbyattrs make of resources decides which sources there are', async () => {
  await using folder = await temporaryFolder();
  await using logdrift = await startServe();
  await using gateway = await startGateway(
    folder,
    {
      transform: {
        error_mode: 'propagate',
        log_statements: [
          // The service is named in the line.
          'merge_maps(log.attributes, ExtractPatterns(log.body, "^svc=(?P<service_of_line>[a-z]+) "), "upsert") where IsMatch(log.body, "^svc=")',
          // And one resource says outright which source it is.
          'set(resource.attributes["logdrift.source"], "batch:nightly") where resource.attributes["job"] == "nightly"',
          'delete_key(resource.attributes, "service.name") where resource.attributes["service.name"] == "mixed"',
        ],
      },
      // One resource of many services becomes one resource a service.
      groupbyattrs: { keys: ['service_of_line'] },
      resource: {
        attributes: [
          { key: 'service.name', from_attribute: 'service_of_line', action: 'upsert' },
          { key: 'service.namespace', value: 'shop', action: 'insert' },
        ],
      },
    },
    exporterTo(logdrift.ports, 'grpc'),
  );
  using sender = new Sender(gateway.port);
  await sender.send(
    resourceLogs({ 'service.name': 'mixed' }, [...lines(30, 'svc=cart order'), ...lines(20, 'svc=payment order')]),
    resourceLogs({ 'service.name': 'whatever', job: 'nightly' }, lines(10)),
    resourceLogs({ 'service.name': 'checkout', 'service.namespace': 'bank' }, lines(5)),
  );
  await untilAccepted(logdrift, 65);

  expect(await taken(logdrift)).toEqual({ grpc: 65, http: 0, dropped: 0, refused: 0, failed: 0 });
  expect(await sourcesOf(logdrift)).toEqual({
    'otlp:shop/cart': 30,
    'otlp:shop/payment': 20,
    'batch:nightly': 10,
    'otlp:bank/checkout': 5,
  });
});

test('templates that a Drain processor mined are taken as they are', async () => {
  await using folder = await temporaryFolder();
  const directory = join(folder.path, 'logdrift');
  const file = join(folder.path, 'sent.jsonl');
  const minuteMs = 60_000;
  const startMs = 1_800_000_000_000;
  {
    await using logdrift = await startServe({ clock: 'event', 'storage.directory': directory });
    await using gateway = await startGateway(
      folder,
      { drain: {} },
      { ...exporterTo(logdrift.ports, 'grpc'), file: { path: file, flush_interval: '50ms' } },
    );
    using sender = new Sender(gateway.port);
    let sent = 0;
    for (let minute = 0; minute < 8; minute++) {
      const texts = Array.from({ length: 30 }, (_, k) => [
        `user u${k % 7} logged in from host-${k % 5}`,
        `cache miss for cart ${minute * 30 + k}`,
      ]).flat();
      const timed = texts.map((text, k) => ({ text, timeMs: startMs + minute * minuteMs + k }));
      await sender.send(resourceLogs({ 'service.name': 'shop' }, timed));
      sent += timed.length;
    }
    await untilAccepted(logdrift, sent);
    expect(await taken(logdrift)).toEqual({ grpc: sent, http: 0, dropped: 0, refused: 0, failed: 0 });
    await gateway.stop();
    logdrift.process.kill('SIGTERM');
    expect(await logdrift.exited).toEqual({ code: 0, signal: null });
  }
  const mined = new Set((await exported(file)).flatMap(templatesIn));
  expect(mined).toContain('user <*> logged in from <*>');
  expect(new Set(checkpoint(directory).templates)).toEqual(mined);
});

/** `log.record.template` of every record in an OTLP/JSON request. */
function templatesIn(request: Record<string, unknown>): string[] {
  const { resourceLogs } = request as unknown as {
    resourceLogs: {
      scopeLogs: { logRecords: { attributes: { key: string; value: { stringValue: string } }[] }[] }[];
    }[];
  };
  const records = resourceLogs.flatMap(({ scopeLogs }) => scopeLogs.flatMap(({ logRecords }) => logRecords));
  return records.map(
    ({ attributes }) => attributes.find(({ key }) => key === 'log.record.template')!.value.stringValue,
  );
}

test('load_balancing by service gives each source to exactly one of two logdrifts', async () => {
  await using folder = await temporaryFolder();
  await using left = await startServe();
  await using right = await startServe();
  const hostnames = [left, right].map(({ ports }) => `127.0.0.1:${ports.grpc}`);
  await using gateway = await startGateway(
    folder,
    {},
    {
      load_balancing: {
        routing_key: 'service',
        protocol: { otlp: { tls: { insecure: true } } },
        resolver: { static: { hostnames } },
      },
    },
  );
  // Some services with several replicas, a few requests each.
  const services = Array.from({ length: 20 }, (_, k) => `service-${k}`);
  using sender = new Sender(gateway.port);
  for (let round = 0; round < 5; round++) {
    const resources = services.flatMap((service) =>
      ['a', 'b'].map((pod) => resourceLogs({ 'service.name': service, 'service.instance.id': pod }, lines(10))),
    );
    await sender.send(...resources);
  }
  const total = services.length * 2 * 10 * 5;
  await until('all have arrived', async () => (await taken(left)).grpc + (await taken(right)).grpc >= total);
  const [one, other] = [await sourcesOf(left), await sourcesOf(right)];
  expect(Object.keys(one).length).toBeGreaterThan(0);
  expect(Object.keys(other).length).toBeGreaterThan(0);
  expect(Object.keys(one).filter((key) => key in other)).toEqual([]);
  expect({ ...one, ...other }).toEqual(Object.fromEntries(services.map((service) => [`otlp:${service}`, 100])));
});
