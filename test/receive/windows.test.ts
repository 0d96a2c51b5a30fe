import { once } from 'node:events';
import { connect } from 'node:http2';
import { expect, test } from 'vitest';
import { grpcReceiver } from './senders.ts';

const WINDOW_BYTES = 4_194_304;

test('a connection and each stream on it may have 4 MiB under way, from its first request on', async () => {
  await using receiver = await grpcReceiver({ maxConcurrentStreams: 7 });
  const session = connect(`http://127.0.0.1:${receiver.port}`);
  try {
    await once(session, 'remoteSettings');
    expect(session.remoteSettings).toMatchObject({ initialWindowSize: WINDOW_BYTES, maxConcurrentStreams: 7 });
    // The connection's window has no setting: it is opened by a WINDOW_UPDATE, which a ping's answer comes after.
    await new Promise((resolve) => session.ping(resolve));
    expect(session.state.remoteWindowSize).toBe(WINDOW_BYTES);
  } finally {
    session.destroy();
  }
});
