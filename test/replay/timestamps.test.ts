import { describe, expect, test } from 'vitest';
import { createLocalToUtc } from '../../src/replay/time-zone.ts';
import { createTimestampFinder } from '../../src/replay/timestamps.ts';

interface Where {
  zone?: string | null;
  modified?: string;
}

function finder({ zone = null, modified = '2026-11-30T00:00:00Z' }: Where = {}) {
  const timestamps = createTimestampFinder({ localToUtc: createLocalToUtc(zone), modifiedMs: Date.parse(modified) });
  return (line: string) => timestamps.find(Buffer.from(line));
}

/** Readable in a failure. */
function found(line: string, where: Where = {}): string | null {
  const timeMs = finder(where)(line);
  return Number.isNaN(timeMs) ? null : new Date(timeMs).toISOString();
}

describe('formats', () => {
  test.each([
    ['2026-11-22T08:37:34Z x', '2026-11-22T08:37:34.000Z'],
    ['2026-11-22T08:37:34.705Z x', '2026-11-22T08:37:34.705Z'],
    ['2026-11-22T08:37:34.705123456Z x', '2026-11-22T08:37:34.705Z'],
    ['2026-11-22T08:37:34+01:00 x', '2026-11-22T07:37:34.000Z'],
    ['2026-11-22T08:37:34.5-0530', '2026-11-22T14:07:34.500Z'],
    ['2026-11-22 08:37:34+01 x', '2026-11-22T07:37:34.000Z'],
    ['2026-11-22 08:37:34 +0100 x', '2026-11-22T07:37:34.000Z'],
    ['2026-11-22 08:37:34,705 INFO x', '2026-11-22T08:37:34.705Z'],
    ['2026-11-22 08:37:34.705 UTC [984] LOG:  starting', '2026-11-22T08:37:34.705Z'],
    ['[2026-11-22 08:37:34] x', '2026-11-22T08:37:34.000Z'],
    ['2026-11-22 08:37:34 - INFO', '2026-11-22T08:37:34.000Z'],
    ['2026-11-22 08:37:34 -1 x', '2026-11-22T08:37:34.000Z'],
    ['2026-11-22 08:37:34 Zone x', '2026-11-22T08:37:34.000Z'],
    ['2026/11/22 08:37:39 [notice] 1194#1194: x', '2026-11-22T08:37:39.000Z'],
    ['- R02-M1 2005-06-03-15.42.50.363779 x', '2005-06-03T15:42:50.363Z'],
    ['20261122T083734Z x', '2026-11-22T08:37:34.000Z'],
    ['127.0.0.1 - - [22/Nov/2026:08:37:40 +0000] "GET / HTTP/1.1" 200', '2026-11-22T08:37:40.000Z'],
    ['127.0.0.1 - - [22/Nov/2026:08:37:40 +0530] "GET / HTTP/1.1" 200', '2026-11-22T03:07:40.000Z'],
    ['127.0.0.1:48992 [22/Nov/2026:08:37:40.454] fe be/ng 0/0', '2026-11-22T08:37:40.454Z'],
    ['986:C 22 Nov 2026 08:37:34.749 # Redis', '2026-11-22T08:37:34.749Z'],
    ['22-Nov-2026 08:37:34.749 INFO [main] x', '2026-11-22T08:37:34.749Z'],
    ['Date: Sun, 22 Nov 2026 08:37:40 +0100', '2026-11-22T07:37:40.000Z'],
    ['Sun, 1 Nov 2026 08:37:40 GMT', '2026-11-01T08:37:40.000Z'],
    ['[Sun Nov 22 08:37:40 2026] [notice] x', '2026-11-22T08:37:40.000Z'],
    ['[Sun Nov 22 08:37:40.123456 2026] [core:notice] x', '2026-11-22T08:37:40.123Z'],
    ['Nov 22, 2026 8:37:40 PM com.shop.Main run', '2026-11-22T20:37:40.000Z'],
    ['Nov 22, 2026 12:37:40 AM x', '2026-11-22T00:37:40.000Z'],
    ['Sun Nov 22 2026 08:37:40 GMT+0100 (CET) x', '2026-11-22T07:37:40.000Z'],
    ['Nov 22 08:37:40 host sshd[7]: x', '2026-11-22T08:37:40.000Z'],
    ['Nov  2 08:37:40 host sshd[7]: x', '2026-11-02T08:37:40.000Z'],
    ['<34>Nov 22 08:37:40 host su: x', '2026-11-22T08:37:40.000Z'],
    ['<34>1 2026-11-22T08:37:40.003Z host su - ID47 - x', '2026-11-22T08:37:40.003Z'],
    ['I1122 08:37:40.123456       1 main.go:12] x', '2026-11-22T08:37:40.123Z'],
    ['E20261122 08:37:40.123456 7 main.cc:12] x', '2026-11-22T08:37:40.123Z'],
    ['17/06/09 20:10:40 INFO spark.SecurityManager: x', '2017-06-09T20:10:40.000Z'],
    ['1795336660 x', '2026-11-22T08:37:40.000Z'],
    ['1795336660.225 x', '2026-11-22T08:37:40.225Z'],
    ['[1795336660225] x', '2026-11-22T08:37:40.225Z'],
    ['1795336660225123 x', '2026-11-22T08:37:40.225Z'],
    ['1795336660225123456 x', '2026-11-22T08:37:40.225Z'],
    ['- 1117838570 2005.06.03 R02 x', '2005-06-03T22:42:50.000Z'],
    ['type=SYSCALL msg=audit(1795336660.225:24287): x', '2026-11-22T08:37:40.225Z'],
    ['level=info ts=1795336660.225 msg=x', '2026-11-22T08:37:40.225Z'],
    ['level=info ts=2026-11-22T08:37:34.705Z msg=x', '2026-11-22T08:37:34.705Z'],
    ['time="2026-11-22T08:37:34+01:00" level=info', '2026-11-22T07:37:34.000Z'],
    ['{"level":30,"time":1795336660225,"msg":"x"}', '2026-11-22T08:37:40.225Z'],
    ['{"level":"info", "ts" : 1795336660.225, "msg":"x"}', '2026-11-22T08:37:40.225Z'],
    ['{"expires":"2031-01-01T00:00:00Z","@timestamp":"2026-11-22T08:37:34.705Z"}', '2026-11-22T08:37:34.705Z'],
    ['{"t":{"$date":"2026-11-22T08:37:34.705+00:00"},"s":"I"}', '2026-11-22T08:37:34.705Z'],
    [`{"msg":"${'x'.repeat(2000)}","timestamp":"2026-11-22T08:37:34Z"}`, '2026-11-22T08:37:34.000Z'],
    ['{"at":"2026-11-22T08:37:34Z"}', '2026-11-22T08:37:34.000Z'],
    ['2024-02-29 00:00:00 leap', '2024-02-29T00:00:00.000Z'],
    ['2026-11-22 23:59:60 leap second', '2026-11-23T00:00:00.000Z'],
  ])('%s', (line, expected) => {
    expect(found(line)).toBe(expected);
  });
});

describe('what is no timestamp', () => {
  test.each([
    '',
    'server listening',
    'port 17002',
    'id 1795336660 x',
    'order=1795336660 x',
    '2026-13-22 08:37:34 x',
    '2026-11-32 08:37:34 x',
    '2026-11-22 24:37:34 x',
    '2026-11-22 08:60:34 x',
    '2026-11-22 x',
    '16:49:08.576 INFO x',
    'v2026-11-22 08:37:34 x',
    'Novel 22 08:37:40',
    '0000000000 x',
    '9999999999 x',
    '12345678901 x',
    '2026-11-22 08:37:3',
    '22/Nov/2026',
    `${'x '.repeat(128)}2026-11-22 08:37:34`,
    '22/11/2026 08:37:40',
  ])('%s', (line) => {
    expect(found(line)).toBeNull();
  });

  test('any cut of a timestamp, and any bytes, give a time or none and throw nothing', () => {
    const lines = [
      '[22/Nov/2026:08:37:40 +0000] x',
      'Nov 22, 2026 8:37:40 PM x',
      '2026-11-22T08:37:34.705+01:00',
      'I1122 08:37:40.1',
      '{"time":1795336660225}',
    ];
    const find = finder();
    for (const line of lines) for (let end = 0; end <= line.length; end++) find(line.slice(0, end));
    let seed = 7;
    for (let i = 0; i < 5000; i++) {
      const bytes = Uint8Array.from({ length: 40 }, () => {
        seed = (seed * 1103515245 + 12345) % 2 ** 31;
        return 0x20 + ((seed >> 16) % 0x5f);
      });
      find(Buffer.from(bytes).toString('latin1'));
    }
  });
});

describe('zones', () => {
  test('a zoneless time is in the given zone, one with a zone is not', () => {
    expect(found('2026-07-22 08:37:34 x', { zone: 'Europe/Berlin' })).toBe('2026-07-22T06:37:34.000Z');
    expect(found('2026-11-22 08:37:34 x', { zone: 'Europe/Berlin' })).toBe('2026-11-22T07:37:34.000Z');
    expect(found('2026-11-22 08:37:34Z x', { zone: 'Europe/Berlin' })).toBe('2026-11-22T08:37:34.000Z');
    expect(found('2026-11-22 08:37:34 x', { zone: '-05:30' })).toBe('2026-11-22T14:07:34.000Z');
    expect(found('1795336660 x', { zone: 'Asia/Kolkata' })).toBe('2026-11-22T08:37:40.000Z');
    expect(found('Nov 22 08:37:40 host x', { zone: 'Asia/Kolkata' })).toBe('2026-11-22T03:07:40.000Z');
  });

  test('an hour that clocks repeat runs through twice, in the order of the lines', () => {
    const find = finder({ zone: 'Europe/Berlin' });
    const times = ['01:59:59', '02:00:00', '02:59:59', '02:59:58', '02:00:00', '02:40:00', '03:00:00'].map((clock) =>
      new Date(find(`2026-10-25 ${clock} x`)).toISOString().slice(11, 19),
    );
    expect(times).toEqual(['23:59:59', '00:00:00', '00:59:59', '00:59:58', '01:00:00', '01:40:00', '02:00:00']);
  });

  test('an hour that clocks skip does not exist and falls behind the change', () => {
    const find = finder({ zone: 'Europe/Berlin' });
    expect(new Date(find('2026-03-29 01:59:59 x')).toISOString()).toBe('2026-03-29T00:59:59.000Z');
    expect(new Date(find('2026-03-29 02:30:00 x')).toISOString()).toBe('2026-03-29T01:30:00.000Z');
    expect(new Date(find('2026-03-29 03:00:00 x')).toISOString()).toBe('2026-03-29T01:00:00.000Z');
  });

  test('half-hour changes and zones ahead by fourteen hours are right', () => {
    expect(found('2026-04-05 01:45:00 x', { zone: 'Australia/Lord_Howe' })).toBe('2026-04-04T14:45:00.000Z');
    expect(found('2026-07-01 00:00:00 x', { zone: 'Australia/Lord_Howe' })).toBe('2026-06-30T13:30:00.000Z');
    expect(found('2026-07-01 00:00:00 x', { zone: 'Pacific/Kiritimati' })).toBe('2026-06-30T10:00:00.000Z');
  });

  test('every half hour of a year agrees with Intl read backwards', () => {
    const zone = 'America/New_York';
    const format = new Intl.DateTimeFormat('sv-SE', { timeZone: zone, dateStyle: 'short', timeStyle: 'medium' });
    const find = finder({ zone });
    const wrong: string[] = [];
    for (let timeMs = Date.UTC(2026, 0, 1); timeMs < Date.UTC(2027, 0, 1); timeMs += 1_800_000) {
      const line = `${format.format(timeMs)} x`;
      if (find(line) !== timeMs) wrong.push(line);
    }
    expect(wrong).toEqual([]);
  });

  test('an unknown zone is an error that says what to give', () => {
    expect(() => createLocalToUtc('Mars/Olympus')).toThrow('--timezone Mars/Olympus is not known');
    expect(() => createLocalToUtc('+2')).toThrow(expect.objectContaining({ code: 'LOGDRIFT_INPUT_TIMEZONE' }));
  });
});

describe('formats without a year', () => {
  const years = (lines: string[], modified: string) => {
    const find = finder({ modified });
    return lines.map((line) => new Date(find(`${line} host x`)).getUTCFullYear());
  };

  test('the file’s modification time gives the year', () => {
    expect(years(['Nov 22 08:37:40'], '2026-11-22T09:00:00Z')).toEqual([2026]);
    expect(years(['Nov 24 08:37:40'], '2026-11-22T09:00:00Z')).toEqual([2025]);
    expect(years(['Nov 23 08:37:40'], '2026-11-22T09:00:00Z')).toEqual([2026]);
    expect(years(['Jan  1 00:10:00'], '2026-12-31T23:30:00Z')).toEqual([2027]);
  });

  test('New Year is no jump', () => {
    expect(
      years(['Dec 31 23:59:59', 'Jan  1 00:00:00', 'Dec 31 23:59:58', 'Jan  1 00:00:01'], '2027-01-01T00:10:00Z'),
    ).toEqual([2026, 2027, 2026, 2027]);
  });

  test('a file that goes on for longer than a year, or past the modification time, goes on', () => {
    expect(
      years(['Oct  1 00:00:00', 'Jan 10 00:00:00', 'Jun 20 00:00:00', 'Oct 10 00:00:00'], '2026-11-22T00:00:00Z'),
    ).toEqual([2026, 2027, 2027, 2027]);
  });
});

describe('a file’s lines', () => {
  test('the place of the timestamp may move', () => {
    const find = finder();
    expect(find('127.0.0.1:1 [22/Nov/2026:08:37:40.454] fe')).toBe(Date.UTC(2026, 10, 22, 8, 37, 40, 454));
    expect(find('127.0.0.100:48992 [22/Nov/2026:08:37:41.454] fe')).toBe(Date.UTC(2026, 10, 22, 8, 37, 41, 454));
    expect(find('::1 [22/Nov/2026:08:37:42.454] fe')).toBe(Date.UTC(2026, 10, 22, 8, 37, 42, 454));
  });

  test('a date far away that a message speaks of is not the line’s time', () => {
    const find = finder();
    find('2026-11-22 08:37:34 start');
    expect(find("VALUES ('2019-01-01 00:00:00')")).toBeNaN();
    expect(find('certificate expires Jan  1 00:00:00 2031 GMT')).toBeNaN();
    expect(find('2026-11-22 08:37:35 went on')).toBe(Date.UTC(2026, 10, 22, 8, 37, 35));
  });

  test('a changed format is believed once two lines agree', () => {
    const find = finder();
    find('Built 2019-03-01 10:00:00 by ci');
    expect(find('{"time":1795336660225}')).toBeNaN();
    expect(find('{"time":1795336661225}')).toBe(1795336661225);
    expect(find('{"time":1795336662225}')).toBe(1795336662225);
  });

  test('a long pause in the usual place is believed at once', () => {
    const find = finder();
    find('2026-11-20 08:00:00 x');
    expect(find('2026-11-25 08:00:00 x')).toBe(Date.UTC(2026, 10, 25, 8));
  });
});
