import { expect, test } from 'vitest';
import { fileStem, podOwner, replicaSetOwner } from '../../src/source/id.ts';

test.each([
  ['nginx.log', 'nginx'],
  ['/var/log/nginx/error.log', 'error'],
  ['C:\\logs\\app.log', 'app'],
  ['error.log.1', 'error'],
  ['error.log.2.gz', 'error'],
  ['app.log-20260821', 'app'],
  ['app-20260821.log', 'app'],
  ['app.2026-08-21.log', 'app'],
  ['app.log.2026-08-21-13', 'app'],
  ['app-2026-08-21T13-05.1.log.zst', 'app'],
  ['app.1.log', 'app'],
  ['app-1787270400.log', 'app'],
  ['events.jsonl', 'events'],
  ['catalina.out', 'catalina.out'],
  ['syslog', 'syslog'],
  ['api-1.log', 'api-1'],
  ['/var/log/app/2026-08-21.log', 'app'],
  ['/data/worker/0.log', 'worker'],
  ['0.log', '0'],
  ['.log', '.log'],
])('file %s is called %s', (path, stem) => {
  expect(fileStem(path)).toBe(stem);
});

test.each([
  ['ts-travel2-service-5c66d57d58-6mp2b', 'ts-travel2-service'],
  ['ts-preserve-service-b5ccf8557-j4txs', 'ts-preserve-service'],
  ['coredns-3416598432-x2k4z', 'coredns'],
  ['agent-x2k4z', 'agent'],
  ['db-0', 'db'],
  ['db-12', 'db'],
  ['backup-28561920-x2k4z', 'backup'],
  ['my-nginx', 'my-nginx'],
  ['kube-proxy', 'kube-proxy'],
  ['cache-redis', 'cache-redis'],
])('pod %s belongs to %s', (pod, owner) => {
  expect(podOwner(pod)).toBe(owner);
});

test('a ReplicaSet’s hash leaves, a word does not', () => {
  expect(replicaSetOwner('api-5c66d57d58')).toBe('api');
  expect(replicaSetOwner('api-frontend')).toBe('api-frontend');
});
