import { describe, expect, test } from 'vitest';
import type { DecodedRecord } from '../../src/receive/record.ts';
import { loadConfig } from '../../src/config/load.ts';
import { createSourceResolver, type SourceResolverOptions } from '../../src/source/source-key.ts';

const { nameAttributes } = loadConfig({ env: {} }).sources;

type Values = Record<string, string>;

interface Sent {
  resource?: Values;
  attributes?: Values;
  body?: Values;
  scope?: string;
}

function resolver(overrides: Partial<SourceResolverOptions> = {}) {
  return createSourceResolver({
    granularity: 'service',
    nameAttributes,
    rules: [],
    exclude: [],
    ...overrides,
  });
}

function recordWith(attributes: Values = {}, body: Values = {}): DecodedRecord {
  const none = new Uint8Array(0);
  return {
    timeMs: 0,
    observedTimeMs: 0,
    severityNumber: 0,
    text: none,
    textStart: 0,
    textEnd: 0,
    template: none,
    templateStart: 0,
    templateEnd: 0,
    ids: none,
    traceStart: -1,
    spanStart: -1,
    ownEvent: false,
    attributes: new Map(Object.entries(attributes)),
    attributeKeys: () => Object.keys(attributes),
    bodyFields: new Map(Object.entries(body)),
  };
}

/** As the decoders do: only what the resolver asked for reaches it. */
function resolve(sent: Sent, overrides: Partial<SourceResolverOptions> = {}) {
  const sources = resolver(overrides);
  const only = (values: Values = {}, wanted: ReadonlySet<string>) =>
    Object.fromEntries(Object.entries(values).filter(([key]) => wanted.has(key)));
  const record = recordWith(only(sent.attributes, sources.wantedAttributes), only(sent.body, sources.wantedBodyFields));
  return sources.resolve(new Map(Object.entries(sent.resource ?? {})), sent.scope ?? '', record);
}

const keyOf = (sent: Sent, overrides: Partial<SourceResolverOptions> = {}) => resolve(sent, overrides).key;

const CONTAINER_ID = '0123456789abcdef'.repeat(4);

describe('every producer has its key', () => {
  const producers: [string, Sent, string][] = [
    ['filelog, file name on the record', { attributes: { 'log.file.name': 'access.log' } }, 'file:access'],
    ['filelog, file name on the resource', { resource: { 'log.file.name': 'access.log' } }, 'file:access'],
    [
      'filelog with a service name',
      { resource: { 'service.name': 'nginx' }, attributes: { 'log.file.name': 'access.log' } },
      'file:nginx',
    ],
    ['filelog, path only', { attributes: { 'log.file.path': '/var/log/nginx/error.log' } }, 'file:error'],
    [
      'container parser',
      {
        resource: {
          'k8s.namespace.name': 'prod',
          'k8s.pod.name': 'api-5c66d57d58-6mp2b',
          'k8s.container.name': 'server',
        },
      },
      'k8s:prod/api/server',
    ],
    [
      'k8sattributes',
      {
        resource: {
          'k8s.namespace.name': 'prod',
          'k8s.deployment.name': 'api',
          'k8s.pod.name': 'api-5c66d57d58-6mp2b',
          'k8s.container.name': 'api',
          'service.name': 'api',
          'service.namespace': 'prod',
        },
        attributes: { 'log.file.path': '/var/log/pods/prod_api_uid/api/0.log', 'log.iostream': 'stdout' },
      },
      'k8s:prod/api',
    ],
    [
      'a sidecar stays out of its application',
      { resource: { 'k8s.namespace.name': 'prod', 'k8s.container.name': 'istio-proxy', 'service.name': 'api' } },
      'k8s:prod/api/istio-proxy',
    ],
    [
      'a pod log without the container parser',
      { attributes: { 'log.file.path': '/var/log/pods/prod_api-5c66d57d58-6mp2b_8a533bf9-bd12/server/0.log' } },
      'k8s:prod/api/server',
    ],
    [
      'a container log link without the container parser',
      { attributes: { 'log.file.name': `agent-x2k4z_kube-system_agent-${CONTAINER_ID}.log` } },
      'k8s:kube-system/agent/agent',
    ],
    [
      'Docker json-file',
      { attributes: { 'log.file.path': `/var/lib/docker/containers/${CONTAINER_ID}/${CONTAINER_ID}-json.log` } },
      'docker:0123456789ab',
    ],
    ['Docker with a name', { resource: { 'container.id': CONTAINER_ID, 'container.name': '/web-1' } }, 'docker:web-1'],
    [
      'Docker fluentd driver',
      {
        attributes: {
          'fluent.tag': 'docker.0123456789ab',
          container_name: '/shop_api',
          container_id: CONTAINER_ID,
          source: 'stdout',
        },
      },
      'docker:shop_api',
    ],
    [
      'Docker Swarm task',
      { resource: { 'container.name': 'shop_api.3.abcdefghijklmnopqrstuvwxy' } },
      'docker:shop_api',
    ],
    ['Docker through journald', { body: { CONTAINER_NAME: 'web', _SYSTEMD_UNIT: 'docker.service' } }, 'docker:web'],
    [
      'journald unit',
      { body: { _SYSTEMD_UNIT: 'ssh.service', SYSLOG_IDENTIFIER: 'sshd', _COMM: 'sshd' } },
      'journald:ssh',
    ],
    ['journald identifier', { body: { SYSLOG_IDENTIFIER: 'kernel', _COMM: 'x' } }, 'journald:kernel'],
    ['journald command', { body: { _COMM: 'cron' } }, 'journald:cron'],
    [
      'journald fields moved to attributes',
      { attributes: { unrelated: '1' }, body: { _SYSTEMD_UNIT: 'a.timer' } },
      'journald:a.timer',
    ],
    [
      'journald login sessions are one source',
      { body: { _SYSTEMD_UNIT: 'session-1234.scope' } },
      'journald:session.scope',
    ],
    [
      'a node’s journal is not Kubernetes',
      { resource: { 'k8s.node.name': 'n1' }, body: { _SYSTEMD_UNIT: 'kubelet.service' } },
      'journald:kubelet',
    ],
    [
      'Windows event log',
      {
        body: {
          channel: 'System',
          provider: '{"name":"Service Control Manager","guid":"{1}"}',
          event_id: '{"id":7036}',
        },
      },
      'winevent:System/Service_Control_Manager',
    ],
    [
      'Windows event log, plain provider',
      { body: { channel: 'Security', provider: 'Audit' } },
      'winevent:Security/Audit',
    ],
    [
      'Windows event log without a provider',
      { body: { channel: 'Application', computer: 'pc' } },
      'winevent:Application',
    ],
    ['syslog', { attributes: { appname: 'sshd', priority: '34', facility: '4', message: 'hello' } }, 'syslog:sshd'],
    [
      'syslog without an application',
      { attributes: { hostname: 'router', priority: '34', facility: '4' } },
      'syslog:router',
    ],
    [
      'tcplog',
      { attributes: { 'net.transport': 'IP.TCP', 'net.host.port': '54525', 'net.peer.ip': '10.0.0.7' } },
      'tcp:54525',
    ],
    ['udplog', { attributes: { 'net.transport': 'IP.UDP', 'net.host.port': '514' } }, 'udp:514'],
    [
      'tcplog with a service name',
      { resource: { 'service.name': 'plc' }, attributes: { 'net.transport': 'IP.TCP' } },
      'tcp:plc',
    ],
    ['tcplog marked by the user', { resource: { 'logdrift.source.type': 'tcp', 'service.name': 'plc' } }, 'tcp:plc'],
    [
      'SDK',
      { resource: { 'service.name': 'checkout', 'telemetry.sdk.name': 'opentelemetry' }, scope: 'cart' },
      'otlp:checkout',
    ],
    [
      'CloudWatch receiver',
      { resource: { 'aws.region': 'eu-1', 'cloudwatch.log.group.name': '/aws/rds/db' } },
      'cloudwatch:/aws/rds/db',
    ],
    [
      'CloudWatch, semantic conventions',
      { resource: { 'aws.log.group.names': '["/aws/lambda/f","b"]' } },
      'cloudwatch:/aws/lambda/f',
    ],
    ['FaaS', { resource: { 'cloud.provider': 'gcp', 'faas.name': 'resize' } }, 'faas:resize'],
    ['Fluent tag', { attributes: { 'fluent.tag': 'app.web' } }, 'fluent:app.web'],
    ['Fluentd tag', { attributes: { 'fluentd.tag': 'app.web' } }, 'fluent:app.web'],
    [
      'Kubernetes events',
      {
        resource: { 'k8s.node.name': 'n1' },
        attributes: { 'k8s.event.reason': 'BackOff', 'k8s.namespace.name': 'prod' },
      },
      'k8sevent:prod',
    ],
    ['scope name alone', { scope: 'com.shop.Cart' }, 'otlp:com.shop.Cart'],
  ];
  test.each(producers)('%s', (_, sent, key) => {
    const resolved = resolve(sent);
    expect(resolved.key).toBe(key);
    expect(resolved).toMatchObject({ mapped: true, excluded: false });
    expect(`${resolved.type}:${resolved.id}`).toBe(key);
  });
});

describe('the id follows the order of preference', () => {
  const file = { attributes: { 'log.file.name': 'access.log', 'event.dataset': 'nginx.access' } };

  test('service name before source name before log source name', () => {
    expect(keyOf({ resource: { 'service.name': 'web' }, ...file })).toBe('file:web');
    expect(keyOf(file)).toBe('file:nginx.access');
    expect(keyOf({ attributes: { 'log.file.name': 'access.log' } })).toBe('file:access');
  });

  test('source names are tried in the configured order', () => {
    const attributes = { source: 'd', ddsource: 'c', 'data_stream.dataset': 'b', 'logdrift.source.name': 'a' };
    expect(keyOf({ attributes })).toBe('otlp:a');
    expect(keyOf({ attributes }, { nameAttributes: ['ddsource', 'source'] })).toBe('otlp:c');
  });

  test('a stream name in `source` names no source', () => {
    expect(keyOf({ attributes: { source: 'stderr' } })).toBe('otlp:unknown');
  });

  test('an empty attribute is an absent one', () => {
    expect(
      keyOf({ resource: { 'service.name': '' }, attributes: { 'event.dataset': '', 'log.file.name': 'a.log' } }),
    ).toBe('file:a');
  });

  test('unknown_service loses to every other name and gives its program before the scope', () => {
    const resource = { 'service.name': 'unknown_service:node_modules/.bin/node' };
    expect(keyOf({ resource, attributes: { 'log.file.name': 'a.log' } })).toBe('file:a');
    expect(keyOf({ resource, attributes: { ddsource: 'x' } })).toBe('otlp:x');
    expect(keyOf({ resource, scope: 'scope' })).toBe('otlp:node');
    expect(keyOf({ resource: { 'service.name': 'unknown_service' }, scope: 'scope' })).toBe('otlp:scope');
    expect(keyOf({ resource: { 'service.name': 'unknown_service:C:\\app\\svc.exe' } })).toBe('otlp:svc.exe');
  });

  test.each([
    [{ 'k8s.deployment.name': 'a', 'k8s.replicaset.name': 'b-5c66d57d58' }, 'k8s:a'],
    [{ 'k8s.replicaset.name': 'b-5c66d57d58', 'k8s.statefulset.name': 'c' }, 'k8s:b'],
    [{ 'k8s.statefulset.name': 'c', 'k8s.daemonset.name': 'd' }, 'k8s:c'],
    [{ 'k8s.daemonset.name': 'd', 'k8s.cronjob.name': 'e' }, 'k8s:d'],
    [{ 'k8s.cronjob.name': 'e', 'k8s.job.name': 'f' }, 'k8s:e'],
    [{ 'k8s.job.name': 'backup-28561920', 'k8s.pod.name': 'x' }, 'k8s:backup'],
    [{ 'k8s.pod.name': 'db-0' }, 'k8s:db'],
    [{ 'k8s.container.name': 'only' }, 'k8s:only'],
    [{ 'k8s.namespace.name': 'only-ns' }, 'k8s:only-ns'],
  ] as [Values, string][])('Kubernetes workload chain: %j', (resource, key) => {
    expect(keyOf({ resource })).toBe(key);
  });
});

describe('said outright', () => {
  test('logdrift.source beats everything, and the record beats the resource', () => {
    const resource = { 'service.name': 'web', 'logdrift.source': 'file:from-resource' };
    expect(keyOf({ resource })).toBe('file:from-resource');
    expect(keyOf({ resource, attributes: { 'logdrift.source': 'db:main/eu' } })).toBe('db:main/eu');
  });

  test('a key without a type takes the producer’s', () => {
    expect(keyOf({ attributes: { 'logdrift.source': 'nginx', 'log.file.name': 'a.log' } })).toBe('file:nginx');
    expect(keyOf({ attributes: { 'logdrift.source': 'NOT A TYPE:x' } })).toBe('otlp:NOT_A_TYPE_x');
  });

  test('an explicit source without an id does not count', () => {
    expect(keyOf({ resource: { 'service.name': 'web', 'logdrift.source': 'file:' } })).toBe('otlp:web');
  });

  test('the first matching rule gives the key, captures filled in', () => {
    const rules = [
      { attribute: 'log.file.path', pattern: '^/srv/([^/]+)/logs/', source: 'file:${1}' },
      { attribute: 'scope.name', pattern: '^com\\.shop\\.(?<part>\\w+)', source: 'shop:${part}' },
      { attribute: 'body.tenant', pattern: '.+', source: '${0}' },
    ];
    expect(keyOf({ attributes: { 'log.file.path': '/srv/pay/logs/a.log' } }, { rules })).toBe('file:pay');
    expect(keyOf({ resource: { 'service.name': 'web' }, scope: 'com.shop.cart.Impl' }, { rules })).toBe('shop:cart');
    expect(keyOf({ body: { tenant: 'acme' } }, { rules })).toBe('otlp:acme');
    expect(keyOf({ resource: { 'service.name': 'web' } }, { rules })).toBe('otlp:web');
  });
});

describe('collisions', () => {
  test('service.namespace stands before the service name where it is set', () => {
    expect(keyOf({ resource: { 'service.name': 'api', 'service.namespace': 'shop' } })).toBe('otlp:shop/api');
    expect(keyOf({ resource: { 'service.namespace': 'shop' }, attributes: { 'log.file.name': 'a.log' } })).toBe(
      'file:a',
    );
  });

  test('replicas of one service are one source unless instances are asked for', () => {
    const pod = (name: string, instance: string) => ({
      resource: {
        'service.name': 'api',
        'k8s.namespace.name': 'prod',
        'k8s.pod.name': name,
        'service.instance.id': instance,
      },
    });
    const a = pod('api-5c66d57d58-6mp2b', '8a533bf9-bd12-4608-a8eb-606890982448');
    const b = pod('api-5c66d57d58-x2k4z', '5c63588e-ad31-4ded-98ac-f4a1a78a36b2');
    expect(keyOf(a)).toBe(keyOf(b));
    expect(keyOf(a, { granularity: 'instance' })).toBe('k8s:prod/api/8a533bf9-bd12-4608-a8eb-606890982448');
    expect(keyOf(b, { granularity: 'instance' })).not.toBe(keyOf(a, { granularity: 'instance' }));
  });

  test('container granularity names the container even where it is called like the service', () => {
    const k8s = { resource: { 'service.name': 'api', 'k8s.namespace.name': 'prod', 'k8s.container.name': 'api' } };
    expect(keyOf(k8s, { granularity: 'container' })).toBe('k8s:prod/api/api');
    const docker = { resource: { 'service.name': 'api', 'container.name': 'web-1' } };
    expect(keyOf(docker)).toBe('docker:api');
    expect(keyOf(docker, { granularity: 'container' })).toBe('docker:api/web-1');
  });
});

describe('guards', () => {
  test('ids keep to one charset', () => {
    expect(keyOf({ resource: { 'service.name': 'Große Bücher: №1' } })).toMatch(/^otlp:[A-Za-z0-9._/@*-]+$/);
    expect(keyOf({ resource: { 'service.name': 'my app!' } })).toBe('otlp:my_app_');
  });

  test('names that no character survives of stay apart', () => {
    const [orders, payments] = ['订单服务', '支付服务'].map((name) => keyOf({ resource: { 'service.name': name } }));
    expect(orders).not.toBe(payments);
    expect(orders).toMatch(/^otlp:____-[0-9a-f]{8}$/);
  });

  test('parts that change with every run collapse', () => {
    const named = (name: string) => keyOf({ resource: { 'service.name': name } });
    expect(named('job-8a533bf9-bd12-4608-a8eb-606890982448')).toBe('otlp:job-*');
    expect(named('build-0123456789abcdef')).toBe('otlp:build-*');
    expect(named('run-20260821-17')).toBe('otlp:run-*-17');
    expect(named('facadefacade')).toBe('otlp:facadefacade');
    expect(named('port-54525')).toBe('otlp:port-54525');
  });

  test('a long id is cut and told apart by a hash', () => {
    const long = (end: string) => resolve({ resource: { 'service.name': `${'long-name.'.repeat(200)}${end}` } });
    expect(long('a').id).toHaveLength(128);
    expect(long('a').id).toMatch(/-[0-9a-f]{8}$/);
    expect(long('a').key).not.toBe(long('b').key);
    const joined = resolve({ resource: { 'k8s.namespace.name': 'n'.repeat(100), 'k8s.pod.name': 'p'.repeat(100) } });
    expect(joined.id).toHaveLength(128);
  });
});

describe('nothing matches', () => {
  test('is one source, unmapped', () => {
    const resolved = resolve({ resource: { 'custom.attribute': 'x' }, attributes: { message: 'y' } });
    expect(resolved).toEqual({
      key: 'otlp:unknown',
      type: 'otlp',
      id: 'unknown',
      mapped: false,
      textAttribute: null,
      excluded: false,
    });
  });

  test('words that applications use do not make a producer', () => {
    expect(keyOf({ body: { channel: 'email' } })).toBe('otlp:unknown');
    expect(keyOf({ attributes: { 'net.transport': 'ip' } })).toBe('otlp:unknown');
    expect(keyOf({ attributes: { appname: 'shop' } })).toBe('otlp:unknown');
    expect(keyOf({ attributes: { priority: 'high' } })).toBe('otlp:unknown');
  });
});

describe('text and exclusion', () => {
  test('a syslog record’s message replaces the raw line, where it has one', () => {
    const attributes = { appname: 'sshd', priority: '34' };
    expect(resolve({ attributes: { ...attributes, message: 'text' } }).textAttribute).toBe('message');
    expect(resolve({ attributes }).textAttribute).toBeNull();
    expect(resolve({ resource: { 'service.name': 'web' }, attributes: { message: 'text' } }).textAttribute).toBeNull();
    expect(resolve({ attributes: { ...attributes, message: 'text', 'logdrift.source': 'a:b' } }).textAttribute).toBe(
      'message',
    );
  });

  test('our own output is not analysed, a namespace of our name is', () => {
    expect(resolve({ resource: { 'service.name': 'logdrift' } }).excluded).toBe(true);
    expect(resolve({ resource: { 'service.name': 'web' }, scope: 'logdrift' }).excluded).toBe(true);
    expect(
      resolve({
        resource: { 'k8s.namespace.name': 'm', 'k8s.pod.name': 'logdrift-x2k4z', 'k8s.container.name': 'logdrift' },
      }).excluded,
    ).toBe(true);
    expect(resolve({ attributes: { 'log.file.name': 'logdrift.log' } }).excluded).toBe(true);
    expect(resolve({ resource: { 'k8s.namespace.name': 'logdrift', 'k8s.pod.name': 'ollama-0' } }).excluded).toBe(
      false,
    );
    expect(resolve({ resource: { 'service.name': 'logdrift' } }, { ownServiceName: 'drift-eu' }).excluded).toBe(false);
  });

  test('excluded keys are exact or globs', () => {
    const exclude = ['otlp:noise', 'k8s:kube-system/*'];
    expect(resolve({ resource: { 'service.name': 'noise' } }, { exclude }).excluded).toBe(true);
    expect(resolve({ resource: { 'service.name': 'noises' } }, { exclude }).excluded).toBe(false);
    expect(
      resolve({ resource: { 'k8s.namespace.name': 'kube-system', 'k8s.pod.name': 'dns-0' } }, { exclude }).excluded,
    ).toBe(true);
  });
});

describe('caching', () => {
  const sources = resolver();
  const plain = recordWith();

  test('the same resource gives the same object, an equal one too', () => {
    const resource = new Map([['service.name', 'web']]);
    const first = sources.resolve(resource, 's', plain);
    expect(sources.resolve(resource, 's', plain)).toBe(first);
    expect(sources.resolve(new Map(resource), 's', plain)).toBe(first);
  });

  test('alternating resources, scopes and records never answer for one another', () => {
    const web = new Map([['service.name', 'web']]);
    const bare = new Map<string, string>();
    for (let round = 0; round < 3; round++) {
      expect(sources.resolve(web, '', plain).key).toBe('otlp:web');
      expect(sources.resolve(bare, 'a', plain).key).toBe('otlp:a');
      expect(sources.resolve(bare, 'b', plain).key).toBe('otlp:b');
      expect(sources.resolve(bare, '', plain).key).toBe('otlp:unknown');
      expect(sources.resolve(bare, '', recordWith({ 'log.file.name': 'a.log' })).key).toBe('file:a');
      expect(sources.resolve(bare, '', recordWith({ 'log.file.name': 'b.log' })).key).toBe('file:b');
      expect(sources.resolve(bare, '', recordWith({}, { _COMM: 'cron' })).key).toBe('journald:cron');
      expect(sources.resolve(bare, '', recordWith({ _COMM: 'cron' })).key).toBe('journald:cron');
    }
  });

  test('a rule on an attribute that the table only checks for presence sees its value', () => {
    const ruled = resolver({ rules: [{ attribute: 'message', pattern: '^\\[(\\w+)\\]', source: 'part:${1}' }] });
    const resource = new Map([['service.name', 'web']]);
    expect(ruled.resolve(resource, '', recordWith({ message: '[a] x' })).key).toBe('part:a');
    expect(ruled.resolve(resource, '', recordWith({ message: '[b] x' })).key).toBe('part:b');
  });

  test('more combinations than the cache holds still resolve', () => {
    const resource = new Map<string, string>();
    for (let i = 0; i < 20_000; i++) {
      const name = `unit-${i}`;
      expect(sources.resolve(resource, '', recordWith({}, { _COMM: name })).id).toBe(name);
    }
  });
});
