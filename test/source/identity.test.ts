import { expect, test } from 'vitest';
import { identifyingAttributes, mergeIdentity } from '../../src/source/identity.ts';

const pod = (name: string, host: string) =>
  new Map([
    ['service.name', 'api'],
    ['service.instance.id', `ns.${name}.api`],
    ['k8s.namespace.name', 'prod'],
    ['k8s.deployment.name', 'api'],
    ['k8s.pod.name', name],
    ['k8s.pod.uid', 'u'],
    ['k8s.deployment.uid', 'u'],
    ['k8s.container.restart_count', '2'],
    ['host.name', host],
    ['cloud.region', 'eu'],
    ['deployment.environment.name', 'live'],
    ['process.pid', '7'],
    ['telemetry.sdk.name', 'opentelemetry'],
    ['service.version', ''],
  ]);

test('a resource is identified by what names the service, workload and place, not the run', () => {
  expect(Object.fromEntries(identifyingAttributes(pod('a', 'h1')))).toEqual({
    'service.name': 'api',
    'service.instance.id': 'ns.a.api',
    'k8s.namespace.name': 'prod',
    'k8s.deployment.name': 'api',
    'host.name': 'h1',
    'cloud.region': 'eu',
    'deployment.environment.name': 'live',
  });
});

test('what varies inside a source leaves for good, in whatever order its resources come', () => {
  const resources = [pod('a', 'h1'), pod('b', 'h2'), pod('a', 'h1')];
  const forwards = resources.reduce(
    (identity, next) => mergeIdentity(identity, next) as Map<string, string>,
    null as Map<string, string> | null,
  );
  const backwards = resources.reduceRight(
    (identity, next) => mergeIdentity(identity, next) as Map<string, string>,
    null as Map<string, string> | null,
  );
  expect([...forwards!.keys()]).toEqual([
    'service.name',
    'k8s.namespace.name',
    'k8s.deployment.name',
    'cloud.region',
    'deployment.environment.name',
  ]);
  expect(backwards).toEqual(forwards);
});

test('an attribute missing on one resource varies too', () => {
  const first = mergeIdentity(
    null,
    new Map([
      ['service.name', 'a'],
      ['host.name', 'h'],
    ]),
  );
  expect([...mergeIdentity(first, new Map([['service.name', 'a']]))]).toEqual([['service.name', 'a']]);
});

test('an identity that keeps everything is handed back as it is', () => {
  const identity = mergeIdentity(null, pod('a', 'h1'));
  expect(mergeIdentity(identity, pod('a', 'h1'))).toBe(identity);
});

test('a resource with thousands of attributes gives a bounded identity', () => {
  const wide = new Map(Array.from({ length: 5000 }, (_, i) => [`service.x${i}`, 'v'.repeat(i)]));
  const identity = identifyingAttributes(wide);
  expect(identity.size).toBeLessThanOrEqual(64);
  expect(Math.max(...[...identity.values()].map((value) => value.length))).toBeLessThanOrEqual(1024);
});
