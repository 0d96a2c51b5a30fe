import { describe, expect, test } from 'vitest';
import { Miner } from '../../../../src/detect/miner/miner.ts';
import { observe } from '../lines.ts';

/** Templates that the lines end in, each once. */
function templates(...lines: string[]): string[] {
  const miner = new Miner();
  const clusters = lines.map((line) => observe(miner, line));
  return [...new Set(clusters.map((cluster) => (cluster.mergedInto ?? cluster).text))];
}

describe('one event, another number of words', () => {
  test.each([
    ['ids in a row', ['deleting blk_17 on a', 'deleting blk_18 blk_19 blk_20 on a', 'deleting blk_1, blk_2 on a']],
    ['numbers with commas between them', ['replicas of topic are 1,2,3 now', 'replicas of topic are 2 now']],
    ['a quoted text amid a sentence', ['user "bob" came from afar', 'user "SELECT a FROM b" came from afar']],
    [
      'a text in single quotes',
      ["joined network 'eduroam' at once", "joined network 'CoffeeShop Guest' at once", "joined network '' at once"],
    ],
    [
      'what a request asks for behind its path',
      ['got url=/cart from user', 'got url=/cart?id=7&sort=up from user', 'got url=http://a.b/c?x=ok,y from user'],
    ],
    ['a quoted value', ['tag=main name=x end', 'tag="View of it" name=x end', 'tag="" name=x end']],
    ['a group as value', ['held ws=null by pid', 'held ws=WorkSource{10113, 1} by pid', 'held ws=[a b] by pid']],
    [
      'a group in hundreds of brackets',
      [
        'held ws=null by pid',
        `held ws=${'[{('.repeat(100)}a, b${')}]'.repeat(100)} by pid`,
        `held ws=[(a) {} ((b c)) [${'('.repeat(7)}d${')'.repeat(7)}]] by pid`,
      ],
    ],
    ['a list in brackets', ['members of staff [alice, bob] saved', 'members of staff [carol, dave, erin] saved']],
    [
      'arrays in JSON',
      ['{"msg":"saved","tags":[]}', '{"msg":"saved","tags":["a","b"]}', '{"msg":"saved","tags":["c"]}'],
    ],
    [
      'units',
      ['it closed after 850 bytes', 'it closed after 5.2 KB', 'it closed after <1 sec', 'it closed after 00:17'],
    ],
    ['a size said twice', ['sent 100 bytes to peer', 'sent 1190 bytes (1.16 KB) to peer']],
    ['the root of paths', ['reading / from disk', 'reading /var/lib/x from disk', 'reading /etc from disk']],
    ['numbers that did not fit', ['fan speeds are 3552 **** 3479', 'fan speeds are 3552 3444 3479']],
  ])('%s', (_, lines) => {
    expect(templates(...lines)).toHaveLength(1);
    expect(templates(...lines.toReversed()), 'in any order').toEqual(templates(...lines));
  });

  test('a quoted text that is the message stays', () => {
    expect(templates('server.go:45] "Pulling image" pod=a', 'server.go:45] "Probing host" pod=a')).toHaveLength(2);
    expect(templates('"Pulling image" pod=a', '"Probing host" pod=a')).toHaveLength(2);
  });

  test('what varies before the first word may be another word', () => {
    const link = (device: string): string => `${device}: link is up at speed 1000`;
    expect(templates(link('eth0'), link('eth1'), link('wlan0'), link('lo'))).toEqual(['<*>: link is up at speed <*>']);
    expect(templates(link('lo'), link('eth0'), link('eth1'), link('wlan0')), 'in any order').toHaveLength(1);
    expect(templates(link('lo'), link('bond'))).toHaveLength(2);
    const bare = (device: string): string => `${device} is 10.0.0.7`;
    expect(templates(bare('eth0'), bare('eth1'), bare('wlan0'), bare('lo')), 'one word says too little').toHaveLength(
      2,
    );
  });

  test('names behind the path of a request tell requests apart', () => {
    const request = (path: string): string => `10.0.0.7 GET ${path} took 12 ms`;
    expect(templates(request('/cart?user=7'), request('/cart?user=8'), request('/search?q=x'))).toHaveLength(2);
  });

  test('an apostrophe opens nothing', () => {
    expect(templates("users' b=[1, 2] aren't up", "users' b=[3] aren't up")).toEqual(["users' b=<*> aren't up"]);
    expect(templates("the 'a is left, b=[1, 2]", "the 'a is left, b=[3]")).toEqual(["the 'a is left, b=<*>"]);
  });

  test('a quoted word before a colon is a field inside braces only', () => {
    const denied = (user: string): string => `login of "${user}": wrong password from 10.0.0.7`;
    expect(templates(denied('alice'), denied('bob'))).toEqual(['login of "<*>": wrong password from <*>']);
    expect(templates('{"user": "alice"}', '{"host": "alice"}')).toHaveLength(2);
  });

  test('a request in quotes stays', () => {
    const line = (path: string): string => `10.0.0.1 - - "GET ${path} HTTP/1.1" 200 17 "-" "curl/7 (X11; Linux)"`;
    expect(templates(line('/a'))).toEqual(['<*> - - "GET /a HTTP/<*>" 2xx <*> "-" "curl/<*> (X<*>; Linux)"']);
  });

  test('a quote that nobody opened opens nothing', () => {
    expect(templates('name=x", ws=null, uid=1', 'name=x", ws=W{1}, uid=1')).toHaveLength(1);
  });

  test('nested quotes and brackets without end stay linear', () => {
    for (const piece of [
      'a=[x][y]',
      '1 b (2 b) ',
      '"',
      'a={[(',
      'x "y" ',
      "'a ",
      " 'a'",
      '/a?b=1 ',
      'n1 n2,',
      'k:v ',
      '** ',
    ]) {
      const miner = new Miner();
      for (let i = 0; i < 20; i++) observe(miner, `${piece.repeat(3000)}${i}`);
      expect(miner.size).toBeLessThanOrEqual(20);
    }
  });
});

describe('words that are values', () => {
  test('paths vary in a sentence of any length', () => {
    expect(templates('loaded /etc/app.conf', 'loaded /etc/other.conf')).toEqual(['loaded <*>']);
  });

  test('names and words with a number do not say where a line belongs', () => {
    const visible = (name: string): string => `visible is system.${name}.show`;
    expect(templates(visible('clock'), visible('battery'), visible('zen'))).toEqual(['visible is <*>']);
    const deprecated = (name: string): string => `mapred.${name}.x is deprecated, use mapreduce.${name}.y`;
    expect(templates(deprecated('task'), deprecated('job'), deprecated('map'))).toHaveLength(3);
    expect(templates('scsi1 : destination target 0, lun 3', 'scsi5 : destination target 4, lun 1')).toHaveLength(1);
    expect(templates('CPU0: core temperature above limit', 'CPU3: core temperature above limit')).toHaveLength(1);
    expect(templates('[main] took a job off the queue', '[pool] took a job off the queue')).toHaveLength(1);
    expect(templates('www.example.com:443 open through proxy', 'api.example.org:80 open through proxy')).toEqual([
      '<*> open through proxy',
    ]);
    expect(templates('to=<bob@a>, delay=4', 'to=<>, delay=5')).toEqual(['to=<*>, delay=<*>']);
  });

  test('a file, a unit or an id at the front does not say where a line belongs', () => {
    const failed = (unit: string): string => `${unit}: Failed with result 'exit-code'`;
    expect(templates(failed('nginx.service'), failed('docker.service'), failed('web@2.service'))).toHaveLength(1);
    const queued = (id: string): string => `${id} message is queued again for tomorrow`;
    expect(templates(queued('1rDcLY-zh6L2X-pw'), queued('1rDcQa-9fK3aL-zB'), queued('2sEeRb-0aP4mM-qC'))).toHaveLength(
      1,
    );
  });

  test('the name of an exception says what happened', () => {
    expect(templates('java.lang.IllegalStateException: x', 'java.io.EOFException: x')).toHaveLength(2);
  });

  test('key:value is a field', () => {
    expect(templates('isOverlap:true, isHeadsUp:false', 'isOverlap:false, isHeadsUp:false')).toEqual([
      'isOverlap:<*>, isHeadsUp:false',
    ]);
    expect(templates('Foo::bar at 17:30 http://a', 'Foo::baz at 17:31 http://a')).toHaveLength(2);
  });

  test('the third value of a word in an otherwise equal line makes it a variable', () => {
    const start = (name: string): string => `START: ${name} pid=17`;
    expect(templates(start('rsync'), start('auth'))).toHaveLength(2);
    expect(templates(start('rsync'), start('auth'), start('nrpe'), start('ntp'))).toEqual(['START: <*> pid=<*>']);
  });

  test('two lines that differ in one word of the sentence are two events, however long they are', () => {
    const stored = (as: string): string =>
      `Block 7 of the broadcast was stored as ${as} in the memory of this executor`;
    expect(templates(stored('bytes'), stored('values'))).toHaveLength(2);
    expect(templates(stored('bytes'), stored('values'), stored('pages'))).toHaveLength(1);
    const mounted = (name: string): string =>
      `failed to mount volume (${name}) of the pod in the namespace of the shop`;
    expect(templates(mounted('users'), mounted('orders')), 'not between blanks').toHaveLength(1);
    const saved = (name: string, to: string): string =>
      `the report of ${name} was saved in the folder of ${to} by the nightly job`;
    expect(templates(saved('sales', 'alice'), saved('stock', 'bob'))).toHaveLength(1);
  });

  test('but not where the values are states', () => {
    const job = (state: string): string => `job 17 has ${state}`;
    expect(templates(job('started'), job('stopped'), job('failed'), job('run'), job('gone'))).toHaveLength(5);
    const phase = (name: string): string => `phase ${name} of 3`;
    expect(templates(phase('INIT'), phase('COPY'), phase('SWAP'))).toHaveLength(3);
  });
});
