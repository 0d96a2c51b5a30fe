/** A process of its own: commits step after step into the directory given, prints each when it is written, until it is killed. */
import { openStore } from '../../src/store/checkpoint.ts';
import { FINGERPRINT, commit, delta, packed, template, window } from './deltas.ts';

const { store } = await openStore({ directory: process.argv[2]!, fingerprint: FINGERPRINT, lockTimeoutMs: 100 });
process.stdout.write('open\n');
for (let step = 1; ; step++) {
  const deltas = ['a', 'b', 'c'].map((key) =>
    delta(key, {
      meta: String(step),
      windows: [window(step, step & 255)],
      templates: [template(step % 7, step & 255)],
    }),
  );
  await store.commit(packed(commit(step, { deltas, service: String(step) })));
  process.stdout.write(`${step}\n`);
}
