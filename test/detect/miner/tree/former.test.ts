import { describe, expect, test } from 'vitest';
import { Miner } from '../../../../src/detect/miner/miner.ts';
import { observe, randomNumbers } from '../lines.ts';

const MOST = 20;
const OPTIONS = { maxClusters: MOST };

function word(k: number): string {
  return String.fromCharCode(97 + (k % 26), 97 + (Math.floor(k / 26) % 26), 120, 121);
}

/** So many templates that all others leave. */
function crowdOut(miner: Miner, from = 0): void {
  for (let k = from; k < from + MOST; k++) observe(miner, `${word(k)} is what stands here now`);
}

const login = (user: string, when: string): string => `session of user ${user} was opened ${when} by the daemon`;

describe('a template that left and comes back', () => {
  test('has the id that it had, from its first line on, whatever that holds', () => {
    const miner = new Miner(OPTIONS);
    for (const user of ['alice', 'bob']) observe(miner, login(user, 'today'));
    const { id, text } = observe(miner, login('bob', 'late'));
    crowdOut(miner);
    expect([...miner.clusters()].map((cluster) => cluster.id)).not.toContain(id);
    expect(observe(miner, login('carol', 'early'))).toMatchObject({ id, text, count: 1 });
    expect(observe(miner, login('dave', '17')).count).toBe(2);
  });

  test('comes back also where hosts or classes varied', () => {
    const miner = new Miner(OPTIONS);
    const retry = (host: string): string => `proxy.example.org:80 asked ${host} again after some time`;
    for (const host of ['a.example.com', 'b.example.com']) observe(miner, retry(host));
    const { id, text } = observe(miner, retry('c.example.com'));
    expect(text).toContain('asked <*> again');
    crowdOut(miner);
    expect(observe(miner, retry('d.example.com'))).toMatchObject({ id, text });
  });

  test('comes back in another process, under another seed', () => {
    const miner = new Miner({ ...OPTIONS, hashSeed: 1 });
    for (const user of ['alice', 'bob']) observe(miner, login(user, 'today'));
    const { id } = observe(miner, login('bob', 'late'));
    crowdOut(miner);
    const other = new Miner({ ...OPTIONS, hashSeed: 2 });
    const saved = Array.from(miner.clusters(), (cluster) => cluster.save());
    other.restore(JSON.parse(JSON.stringify(miner.saveState())) as ReturnType<Miner['saveState']>, saved);
    expect(observe(other, login('carol', 'early')).id).toBe(id);
    expect(other.saveState().former).toEqual([]);
  });

  test('is not what another line becomes: one that differs elsewhere, or holds a state where the other varied', () => {
    const miner = new Miner(OPTIONS);
    for (const user of ['alice', 'bob']) observe(miner, login(user, 'today'));
    crowdOut(miner);
    for (const line of [login('erin', 'never').replace('opened', 'ended'), login('failed', 'today')])
      expect(observe(miner, line).text).toBe(line);
  });

  test('is one of those that left last: what is remembered is bounded', () => {
    const miner = new Miner(OPTIONS);
    const event = (k: number, user: string): string => `${word(k)} of user ${user} was opened today by the daemon`;
    for (let k = 0; k < 320; k++) for (const user of ['alice', 'bob', 'dave']) observe(miner, event(k, user));
    const { former } = miner.saveState();
    expect(former).toHaveLength(256);
    expect(JSON.stringify(former).length).toBeLessThan(256 * 40);
    expect(observe(miner, event(290, 'carol')).text).toContain('user <*> was');
    expect(observe(miner, event(10, 'carol')).text).toContain('user carol was');
  });
});

test('a source that goes round among more templates than it may keep ends with those that one with room has', () => {
  const random = randomNumbers(4);
  const lines = Array.from({ length: 2000 }, (_, i) => {
    const user = word(Math.floor(random() * 300));
    return `${word(Math.floor(i / 3) % 40)} of user ${user} was opened today by the daemon`;
  });
  const [narrow, wide] = [new Miner({ ...OPTIONS, birthBurst: 1e9 }), new Miner()];
  for (const line of lines.slice(0, 150)) for (const miner of [narrow, wide]) observe(miner, line);
  for (const line of lines.slice(150)) expect(observe(narrow, line).id, line).toBe(observe(wide, line).id);
  expect([narrow.size, wide.size]).toEqual([MOST, 40]);
});
