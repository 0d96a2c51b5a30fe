import { describe, expect, test } from 'vitest';
import { Miner, type StoredCluster } from '../../../src/detect/miner/miner.ts';
import { observe, observeGiven, randomNumbers, serviceLines } from './lines.ts';

describe('templates', () => {
  test('lines that differ in numbers, addresses and names share one template', () => {
    const miner = new Miner();
    observe(miner, 'Failed password for root from 10.0.0.1 port 52341 ssh2');
    observe(miner, 'Failed password for bob from 10.0.0.8 port 1041 ssh2');
    const cluster = observe(miner, 'Failed password for alice from 192.168.7.20 port 4 ssh2');
    expect(cluster.text).toBe('Failed password for <*> from <*> port <*> ssh2');
    expect(cluster.count).toBe(3);
    expect(miner.size).toBe(1);
  });

  test('opposite states never share a template', () => {
    const pairs = [
      ['service mail on node a started normally today', 'service mail on node a stopped normally today'],
      ['request of the client was accepted by policy', 'request of the client was rejected by policy'],
      ['link eth0 of the main switch is up', 'link eth0 of the main switch is down'],
      ['peer has now connected to our cluster', 'peer has now disconnected from our cluster'],
      ['JobStarted for the nightly report of shop', 'JobFailed for the nightly report of shop'],
      ['the file was found in the main store', 'the file was not found in main store'],
      ['task moved from NEW to RUNNING in queue', 'task moved from NEW to ABANDONED in queue'],
    ];
    for (const [a, b] of pairs) {
      const miner = new Miner();
      expect(observe(miner, a!).number, a).not.toBe(observe(miner, b!).number);
    }
  });

  test('a line that one template refuses belongs to the next that says the same', () => {
    const miner = new Miner();
    const line = (method: string, user: string): string => `request method=${method} user=${user} was served`;
    observe(miner, line('GET', 'alice'));
    observe(miner, line('POST', 'alice'));
    for (const user of ['bob', 'carol', 'dave'])
      for (const method of ['GET', 'POST']) observe(miner, line(method, user));
    expect(miner.size).toBe(2);
  });

  test.each([12, 40, 120])(
    'a line of %i words finds its template among sixty that begin alike, wherever it differs',
    (words) => {
      const random = randomNumbers(words);
      const word = (): string => Array.from({ length: 6 }, () => String.fromCharCode(97 + random() * 26)).join('');
      const miner = new Miner();
      const lines = Array.from({ length: 60 }, () => ['request', ...Array.from({ length: words - 1 }, word)]);
      const born = lines.map((line) => observe(miner, line.join(' ')));
      expect(new Set(born).size).toBe(60);
      for (const [i, line] of lines.entries()) {
        const other = line.map((own, k) => (k > 0 && k % 10 === i % 10 ? `${word()}7` : own)).join(' ');
        expect(observe(miner, other), other).toBe(born[i]);
      }
    },
  );

  test('a wildcard does not swallow a state word later', () => {
    const miner = new Miner();
    for (const name of ['alice', 'carol']) observe(miner, `the nightly job for customer ${name} is now queued`);
    const wild = observe(miner, 'the nightly job for customer bob is now queued');
    expect(wild.text).toBe('the nightly job for customer <*> is now queued');
    expect(observe(miner, 'the nightly job for customer failed is now queued').number).not.toBe(wild.number);
  });

  test('a position once variable stays a wildcard', () => {
    const miner = new Miner();
    for (const name of ['alice', 'bob', 'carol', 'bob']) observe(miner, `session of ${name} was extended by policy`);
    expect(observe(miner, 'session of bob was extended by policy').text).toBe('session of <*> was extended by policy');
  });

  test('words in capitals are an enumeration until too many alternate', () => {
    const miner = new Miner();
    const word = (i: number): string => `K${String.fromCharCode(65 + (i % 26), 65 + Math.floor(i / 26))}X`;
    for (let i = 0; i < 100; i++) observe(miner, `ticker update for symbol ${word(i)} on exchange today`);
    expect(miner.size).toBeLessThanOrEqual(17);
  });

  test('another message in the same JSON fields is another template', () => {
    const miner = new Miner();
    const line = (level: number, msg: string): string =>
      `{"level":${level},"time":1795337061732,"pid":17,"hostname":"web-1","service":"api","trace_id":"03b1abad73e6bd4e8927b796d64bb89e","msg":"${msg}"}`;
    const numbers = [
      observe(miner, line(30, 'payment captured')),
      observe(miner, line(30, 'shipment scheduled')),
      observe(miner, line(50, 'shipment scheduled')),
    ].map(({ number }) => number);
    expect(new Set(numbers).size).toBe(3);
    expect(observe(miner, line(30, 'payment captured')).text).toBe(
      '{"level":30,"time":<*>,"pid":<*>,"hostname":"web-<*>","service":"api","trace_id":"<*>","msg":"payment captured"}',
    );
  });

  test('fields with varying single-word values share a template, values that are missing too', () => {
    const miner = new Miner();
    observe(miner, 'login event user=alice shell=/bin/bash tty=');
    const cluster = observe(miner, 'login event user=bob shell= tty=pts1');
    expect(cluster.text).toBe('login event user=<*> shell=<*> tty=<*>');
    expect(miner.size).toBe(1);
  });
});

describe('merged templates', () => {
  test('a line whose birth makes three of them one belongs to the one that is left', () => {
    const miner = new Miner();
    const lines = ['begin alpha one', 'begin beta one', 'begin beta two', 'begin beta three', 'begin gamma one'];
    const born = lines.map((line) => observe(miner, line)).at(-1)!;
    expect(born.mergedInto).toBeNull();
    expect(born.text).toBe('begin <*> <*>');
    expect(observe(miner, 'begin gamma one')).toBe(born);
    expect([...miner.clusters()]).toEqual([born]);
    expect([miner.size, born.count]).toEqual([1, 6]);
  });
});

describe('a line at whose birth templates merge', () => {
  test('belongs to the one that the next such line belongs to, after a restart too', () => {
    const miner = new Miner();
    for (const line of ['begin b x', 'begin b y', 'begin b z', 'begin POST two']) observe(miner, line);
    const born = observe(miner, 'begin c two');
    expect([...miner.clusters()].map(({ text }) => text).sort()).toEqual(['begin <*> <*>', 'begin <*> two']);
    const restored = new Miner();
    restored.restore(
      miner.saveState(),
      Array.from(miner.clusters(), (cluster) => cluster.save()),
    );
    for (const next of [born, observe(miner, 'begin c two'), observe(restored, 'begin c two')])
      expect(next.text).toBe('begin <*> two');
  });
});

describe('templates given by the sender', () => {
  test('are used as they are and found again by their text', () => {
    const miner = new Miner();
    const cluster = observeGiven(miner, 'User {name} logged in 17 times');
    expect(cluster.text).toBe('User {name} logged in 17 times');
    expect(cluster.given).toBe(true);
    expect(observeGiven(miner, 'User {name} logged in 17 times').number).toBe(cluster.number);
    expect(observeGiven(miner, 'User {name} logged in 18 times').number).not.toBe(cluster.number);
    expect(observe(miner, 'User {name} logged in 17 times').number).not.toBe(cluster.number);
  });
});

describe('identity', () => {
  test('a template id is the start of the SHA-256 of its text', () => {
    const cluster = observeGiven(new Miner(), 'abc');
    expect(cluster.id).toBe('ba7816bf8f01cfea');
  });

  test('the id follows the text when it generalises, the number stays', () => {
    const miner = new Miner();
    const cluster = observe(miner, 'opened file of user=alice in the main store');
    const before = cluster.id;
    expect(observe(miner, 'opened file of user=bob in the main store')).toBe(cluster);
    expect(cluster.id).not.toBe(before);
    expect(cluster.number).toBe(0);
  });

  test('the hash seed changes no number and no text', () => {
    const lines = serviceLines(4000, 1);
    const outcome = (hashSeed: number): string[] => {
      const miner = new Miner({ hashSeed, maxClusters: 60, maxLeafCandidates: 4 });
      return lines.map((line) => {
        const { number, text } = observe(miner, line);
        return `${number} ${text}`;
      });
    };
    const expected = outcome(0);
    for (const seed of [1, 0x7fffffff, -123456789]) expect(outcome(seed)).toEqual(expected);
  });

  test('texts do not depend on how a line was padded or coloured', () => {
    const ids = ['disk  sda is   full', 'disk sda is full', '\x1b[31mdisk\x1b[0m sda is full'].map(
      (line) => observe(new Miner(), line).id,
    );
    expect(new Set(ids).size).toBe(1);
  });
});

describe('news for the detector', () => {
  test('births and generalisations are told once, evictions once', () => {
    const miner = new Miner({ maxClusters: 2 });
    const first = observe(miner, 'alpha beta gamma delta x=one');
    first.pane = {};
    expect(miner.drainChanged()).toEqual([first]);
    expect(miner.drainChanged()).toEqual([]);
    observe(miner, 'alpha beta gamma delta x=two');
    expect(miner.drainChanged()).toEqual([first]);
    observe(miner, 'completely other line');
    observe(miner, 'and yet another different line');
    expect(miner.drainEvicted()).toEqual([first]);
    expect(miner.drainEvicted()).toEqual([]);
    expect(miner.evicted).toEqual({ clusters: 1, candidates: 0 });
  });

  test('a cluster born and evicted between two calls is only among the evicted', () => {
    const miner = new Miner({ maxClusters: 1 });
    const gone = observe(miner, 'short lived line');
    gone.pane = {};
    const stays = observe(miner, 'a line of another kind');
    expect(miner.drainChanged()).toEqual([stays]);
    expect(miner.drainEvicted()).toEqual([gone]);
  });

  test('a flood of births between two calls leaves no news of those on which nothing hung', () => {
    const miner = new Miner({ maxClusters: 4 });
    for (let i = 0; i < 5_000; i++)
      observe(miner, `${'abcdefghij'[i % 10]}${i.toString(36)}x kind of line`.repeat(1 + (i % 7)));
    expect(miner.drainEvicted()).toEqual([]);
    expect(miner.drainChanged().length).toBeLessThanOrEqual(4);
  });

  test('the least recently used cluster leaves, not the oldest', () => {
    const miner = new Miner({ maxClusters: 2 });
    const kept = observe(miner, 'first kind');
    const gone = observe(miner, 'second sort of line');
    gone.pane = {};
    observe(miner, 'first kind');
    observe(miner, 'third one that makes them three');
    expect(miner.drainEvicted()).toEqual([gone]);
    expect(observe(miner, 'first kind')).toBe(kept);
  });

  test('the only cluster of a leaf can leave for one of the same leaf', () => {
    const miner = new Miner({ maxClusters: 1, maxLeafCandidates: 1 });
    observe(miner, 'same apples here');
    const second = observe(miner, 'same pears there');
    expect(observe(miner, 'same pears there')).toBe(second);
    expect(miner.size).toBe(1);
  });
});

describe('restore', () => {
  /** Stops a miner in mid-stream, restores it through JSON under another seed, and compares every answer from there on. */
  function answers(lines: string[], stopAt: number | null): string[] {
    const options = { maxClusters: 40, maxLeafCandidates: 3 };
    let miner = new Miner({ ...options, hashSeed: 5 });
    return lines.map((line, i) => {
      if (i === stopAt) {
        const stored = JSON.parse(
          JSON.stringify([...miner.clusters()].map((cluster) => cluster.save())),
        ) as StoredCluster[];
        const state = miner.saveState();
        miner = new Miner({ ...options, hashSeed: -77 });
        miner.restore(state, stored.reverse());
      }
      const cluster = i % 9 === 0 ? observeGiven(miner, `given {a} ${i % 4}`) : observe(miner, line);
      const evicted = miner.drainEvicted().map(({ number }) => number);
      return `${cluster.number} ${cluster.count} ${cluster.id} ${cluster.text} -${evicted.join()} ${miner.evictedTotal}`;
    });
  }

  test('a restored miner answers like one that never stopped', () => {
    const lines = serviceLines(3000, 2);
    expect(answers(lines, 1500)).toEqual(answers(lines, null));
  });

  test('broken UTF-8 survives storing', () => {
    const bytes = Uint8Array.from([0x61, 0x62, 0xff, 0xfe, 0x63, 0x20, 0xc3, 0x28, 0x64, 0x65]);
    const miner = new Miner();
    const cluster = miner.observe(bytes, 0, bytes.length);
    const other = new Miner({ hashSeed: 9 });
    other.restore(miner.saveState(), [cluster.save()]);
    expect(other.observe(bytes, 0, bytes.length).number).toBe(cluster.number);
  });

  test('a miner in use refuses to be restored', () => {
    const miner = new Miner();
    observe(miner, 'a line');
    expect(() => miner.restore(miner.saveState(), [])).toThrow('restore');
  });
});
