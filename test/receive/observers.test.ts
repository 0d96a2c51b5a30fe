import { status } from '@grpc/grpc-js';
import { expect, test } from 'vitest';
import { message } from './oracle.ts';
import { grpcReceiver, GrpcSender, httpReceiver, HttpSender } from './senders.ts';

/** Holds no record: worth a warning, and a success. */
const EMPTY = message(9, 'unknown');

test.each(['observe', 'onOddity'] as const)(
  'a fault in %s comes after the answer: it is reported, and nothing is answered twice',
  async (name) => {
    const faults: unknown[] = [];
    const fault = new TypeError('bug');
    const options = {
      [name]: () => {
        throw fault;
      },
      onFault: (error: unknown) => void faults.push(error),
    };
    await using grpc = await grpcReceiver(options);
    await using http = await httpReceiver(options);
    using caller = new GrpcSender(grpc.port);
    await using poster = new HttpSender(http.port);
    for (let i = 1; i <= 2; i++) {
      expect((await caller.send(EMPTY)).code).toBe(status.OK);
      expect((await poster.send(EMPTY)).status).toBe(200);
      await expect.poll(() => faults).toHaveLength(2 * i);
    }
    expect(faults.every((each) => each === fault)).toBe(true);
  },
);
