import { once } from 'node:events';
import { Client, credentials, Metadata, status, type ServiceError } from '@grpc/grpc-js';
import { expect, test } from 'vitest';
import { ReceiveError } from '../../src/receive/status.ts';
import { message } from './oracle.ts';
import { grpcReceiver, GrpcSender } from './senders.ts';

const CHECK = '/grpc.health.v1.Health/Check';
const WATCH = '/grpc.health.v1.Health/Watch';
const LOGS = 'opentelemetry.proto.collector.logs.v1.LogsService';
const SERVING = Buffer.from([8, 1]);
const NOT_SERVING = Buffer.from([8, 2]);
const same = (bytes: Buffer): Buffer => bytes;

test('Check says SERVING for the server and for the logs service, NOT_FOUND for others', async () => {
  await using receiver = await grpcReceiver();
  using sender = new GrpcSender(receiver.port);
  expect(await sender.send(Buffer.alloc(0), {}, CHECK)).toMatchObject({ code: status.OK, response: SERVING });
  expect(await sender.send(message(1, LOGS), {}, CHECK)).toMatchObject({ code: status.OK, response: SERVING });
  expect((await sender.send(message(1, 'other'), {}, CHECK)).code).toBe(status.NOT_FOUND);
  expect((await sender.send(Buffer.from([0x0a, 0x7f]), {}, CHECK)).code).toBe(status.NOT_FOUND);
  expect(receiver.observed).toEqual([]);
});

test('Check needs no credentials: a kubelet has none', async () => {
  const auth = {
    challenge: '',
    check: () => {
      throw new ReceiveError('unauthenticated', 'no');
    },
    [Symbol.dispose]: () => {},
  };
  await using receiver = await grpcReceiver({ auth });
  using sender = new GrpcSender(receiver.port);
  expect((await sender.send(Buffer.alloc(0), {}, CHECK)).code).toBe(status.OK);
});

test('whoever watches hears NOT_SERVING first when it closes, and does not hold it up', async () => {
  const receiver = await grpcReceiver();
  const client = new Client(`127.0.0.1:${receiver.port}`, credentials.createInsecure());
  const heard: Buffer[] = [];
  const watch = client.makeServerStreamRequest(WATCH, same, same, message(1, LOGS), new Metadata());
  watch.on('data', (answer: Buffer) => heard.push(answer));
  watch.on('error', (error: ServiceError) => expect(error.code).toBe(status.CANCELLED));
  await expect.poll(() => heard).toEqual([SERVING]);
  const unknown = client.makeServerStreamRequest(WATCH, same, same, message(1, 'other'), new Metadata());
  expect(await once(unknown, 'data')).toEqual([Buffer.from([8, 3])]);
  const ended = once(watch, 'end');
  // A grace longer than this test may take.
  await receiver.close(3_600_000);
  await ended;
  expect(heard).toEqual([SERVING, NOT_SERVING]);
  client.close();
});

test('ten may watch on a connection, and no less on another', async () => {
  await using receiver = await grpcReceiver();
  const heard = (client: Client): Promise<number> => {
    const watch = client.makeServerStreamRequest(WATCH, same, same, message(1, LOGS), new Metadata());
    const { promise, resolve } = Promise.withResolvers<number>();
    watch.on('data', () => resolve(status.OK));
    watch.on('error', (error: ServiceError) => resolve(error.code));
    return promise;
  };
  const clients = [1, 2].map(
    () =>
      new Client(`127.0.0.1:${receiver.port}`, credentials.createInsecure(), { 'grpc.use_local_subchannel_pool': 1 }),
  );
  for (const client of clients) {
    const codes = await Promise.all(Array.from({ length: 11 }, () => heard(client)));
    expect(codes.filter((code) => code === status.OK)).toHaveLength(10);
    expect(codes.filter((code) => code === status.RESOURCE_EXHAUSTED)).toHaveLength(1);
  }
  for (const client of clients) client.close();
});
