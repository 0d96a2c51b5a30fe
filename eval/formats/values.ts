/** What stands in the place of a format's placeholders: values as such programs write them. */
import type { Dice } from '../synthetic/distributions.ts';
import {
  AGENTS,
  APPS,
  CHECKS,
  CIPHERS,
  CITIES,
  CLASSES,
  COMMANDS,
  DEVICES,
  DISTINGUISHED,
  EXCEPTIONS,
  EXPRESSIONS,
  EXTENSIONS,
  FILTERS,
  FIRST,
  FOLDERS,
  LAST,
  MONTHS,
  PACKAGES,
  PARAMETERS,
  QUERIES,
  SERVICES,
  SSIDS,
  STORED,
  TEXT,
  TOP,
  TORRENTS,
  UNITS,
  UNIT_FILES,
  WORDS,
} from './words.ts';

type Make = (dice: Dice) => string;

const HEX = '0123456789abcdef';
const BASE62 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

const digits = (dice: Dice, alphabet: string, length: number): string =>
  Array.from({ length }, () => alphabet[dice.integer(0, alphabet.length - 1)]!).join('');
const hex = (length: number) => (dice: Dice) => digits(dice, HEX, length);
/** Half of the lines hold one of the first few. */
const skewed = (items: readonly string[]) => (dice: Dice) => items[Math.floor(items.length * dice.uniform() ** 2.5)]!;
const words = (text: string): Make => skewed(text.split(' '));
const phrases = (text: string): Make => skewed(text.split(';'));
const pad = (value: number, length = 2): string => String(value).padStart(length, '0');

const word = words(WORDS);
const first = words(FIRST);
const last = words(LAST);
const folder = words(FOLDERS);
const parameter = words(PARAMETERS);
const int: Make = (dice) => String(Math.floor(10 ** dice.between(0, 7)));
const small: Make = (dice) => String(Math.floor(10 ** dice.between(0, 2)));
const float: Make = (dice) => (10 ** dice.between(-3, 3)).toFixed(dice.integer(1, 3));
const negative =
  (make: Make): Make =>
  (dice) =>
    `${dice.uniform() < 0.5 ? '-' : ''}${make(dice)}`;
const ip: Make = (dice) =>
  dice.uniform() < 0.6
    ? `10.0.${dice.integer(0, 3)}.${dice.integer(1, 254)}`
    : [0, 0, 0, 0].map(() => dice.integer(1, 254)).join('.');
const port: Make = (dice) =>
  dice.pick([
    '80',
    '443',
    '8080',
    '5432',
    '6379',
    '22',
    String(dice.integer(1024, 65_535)),
    String(dice.integer(30_000, 60_000)),
  ]);
const ident: Make = (dice) => {
  const name = word(dice);
  return dice.pick([
    name,
    name,
    `${name}_${word(dice)}`,
    `${name}-${word(dice)}`,
    `${name}-${dice.pick(['api', 'prod', 'v2', 'svc'])}`,
  ]);
};
const host: Make = (dice) =>
  dice.pick([
    `web-${dice.integer(1, 12)}`,
    `${word(dice)}-${dice.integer(1, 4)}`,
    `node${pad(dice.integer(1, 30))}`,
    'ip-10-0-1-17',
    'localhost',
    first(dice),
  ]);
const fqdn: Make = (dice) =>
  dice.pick([
    `${word(dice)}.example.${words(TOP)(dice)}`,
    `${host(dice)}.internal`,
    `www.${last(dice)}.${words(TOP)(dice)}`,
    `mail-${digits(dice, HEX, 4)}.${last(dice)}.net`,
    'api.acme.io',
  ]);
const user: Make = (dice) =>
  dice.pick([
    first(dice),
    first(dice),
    `${first(dice)}.${last(dice)}`,
    `${first(dice)[0]!}${last(dice)}`,
    'root',
    'admin',
    `svc_${word(dice)}`,
    `${first(dice)}${dice.integer(1, 99)}`,
  ]);
const uuid: Make = (dice) => [8, 4, 4, 4, 12].map((length) => digits(dice, HEX, length)).join('-');
const file: Make = (dice) =>
  `${dice.pick([word(dice), `${word(dice)}-${dice.integer(1, 99)}`, `IMG_${dice.integer(1000, 9999)}`])}.${words(EXTENSIONS)(dice)}`;
const relative: Make = (dice) => Array.from({ length: dice.integer(1, 3) }, () => word(dice)).join('/');
const path: Make = (dice) =>
  `/${Array.from({ length: dice.integer(1, 4) }, () => folder(dice)).join('/')}/${dice.pick([file(dice), word(dice), `${word(dice)}-${dice.integer(1, 9)}`])}`;
const uri: Make = (dice) => {
  const base = dice.pick([
    '/',
    `/${word(dice)}`,
    `/api/v1/${word(dice)}`,
    `/api/v1/${word(dice)}/${dice.integer(1, 9999)}`,
    `/static/${file(dice)}`,
    `/${word(dice)}/${word(dice)}`,
  ]);
  return (
    base +
    (dice.uniform() < 0.25
      ? `?${parameter(dice)}=${dice.pick([word(dice), String(dice.integer(1, 500)), 'a%20b'])}${dice.uniform() < 0.4 ? `&page=${dice.integer(1, 9)}` : ''}`
      : '')
  );
};
const day: Make = (dice) => `2024-${pad(dice.integer(1, 12))}-${pad(dice.integer(1, 28))}`;
const clock: Make = (dice) => `${pad(dice.integer(0, 23))}:${pad(dice.integer(0, 59))}:${pad(dice.integer(0, 59))}`;
const month = words(MONTHS);
const duration: Make = (dice) =>
  dice.pick([
    `${float(dice)}ms`,
    `${float(dice)}µs`,
    `${float(dice)}s`,
    `${dice.integer(1, 59)}s`,
    `${dice.integer(1, 9)}m${dice.integer(0, 59)}s`,
    `${dice.integer(1, 900)}ms`,
  ]);
const size: Make = (dice) =>
  dice.pick([
    `${float(dice)}${dice.pick([' MiB', 'KiB', ' GB', 'M', 'kB', 'G'])}`,
    `${dice.integer(1, 999)} bytes`,
    `${float(dice)} KB`,
  ]);
const email: Make = (dice) =>
  `${user(dice)}@${dice.pick([`${last(dice)}.${words(TOP)(dice)}`, 'example.com', 'gmail.com'])}`;
const mac: Make = (dice) => Array.from({ length: 6 }, () => digits(dice, HEX, 2)).join(':');
const version: Make = (dice) =>
  dice.pick([
    `${dice.integer(1, 20)}.${dice.integer(0, 30)}.${dice.integer(0, 20)}`,
    `${dice.integer(1, 9)}.${dice.integer(0, 9)}`,
    `8.0.${dice.integer(20, 36)}-0ubuntu0.22.04.1`,
    `1.${dice.integer(1, 9)}.0-rc.${dice.integer(1, 4)}`,
  ]);
const className: Make = (dice) =>
  `${dice.pick(['com.acme', 'org.example.shop'])}.${words(PACKAGES)(dice)}.${words(CLASSES)(dice)}`;
const ulid: Make = (dice) => `01H${digits(dice, 'ABCDEFGHJKMNPQRSTVWXYZ0123456789', 23)}`;

/** Numbers, times and ids: no two lines need have the same. */
export const IS_NEW_IN_EACH_LINE: ReadonlySet<string> = new Set(
  (
    'int small float port clock size negint negfloat neg negbig hex2 hex6 hex8 hex10 hex12 hex16 hex32 sha uuid rand ulid qid erl lsn devid hexcolon ' +
    'time date clf dur gcdur status level exim pgid part'
  ).split(' '),
);

/** By the name that formats use. */
export const VALUES: Readonly<Record<string, Make>> = {
  word,
  int,
  small,
  float,
  ip,
  port,
  ident,
  host,
  fqdn,
  user,
  uuid,
  file,
  path,
  uri,
  clock,
  size,
  email,
  mac,
  negint: negative(int),
  negfloat: negative(float),
  neg: (dice) => String(-dice.integer(20, 99)),
  negbig: (dice) => `${dice.uniform() < 0.5 ? '-' : ''}${digits(dice, '123456789', 19)}`,
  ipport: (dice) => `${ip(dice)}:${port(dice)}`,
  ip6: (dice) => `2001:db8:${hex(4)(dice)}::${hex(2)(dice)}`,
  cidr: (dice) => `${ip(dice)}/${dice.pick([16, 24, 28])}`,
  hex2: hex(2),
  hex6: hex(6),
  hex8: hex(8),
  hex10: hex(10),
  hex12: hex(12),
  hex16: hex(16),
  hex32: hex(32),
  sha: (dice) => digits(dice, HEX, dice.pick([40, 64])),
  hexcolon: (dice) => Array.from({ length: 20 }, () => digits(dice, HEX, 2)).join(':'),
  rand: (dice) => digits(dice, BASE62, dice.integer(8, 22)),
  ulid,
  qid: (dice) => digits(dice, '0123456789ABCDEF', dice.integer(10, 12)),
  erl: (dice) => `0.${dice.integer(200, 40_000)}.${dice.integer(0, 9)}`,
  lsn: (dice) => `${dice.integer(0, 9)}/${digits(dice, '0123456789ABCDEF', 8)}`,
  devid: (dice) => Array.from({ length: 8 }, () => digits(dice, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567', 7)).join('-'),
  time: (dice) => `${day(dice)}T${clock(dice)}.${pad(dice.integer(0, 999), 3)}Z`,
  date: (dice) => `${dice.integer(1, 28)}/${month(dice)}/2024:${clock(dice)}.${pad(dice.integer(0, 999), 3)}`,
  clf: (dice) => `${pad(dice.integer(1, 28))}/${month(dice)}/2024:${clock(dice)} +0000`,
  dur: duration,
  gcdur: (dice) => dice.pick([`${dice.integer(1, 999)}ms`, `${float(dice)}s`, `${float(dice)}m`, `${float(dice)}h`]),
  status: (dice) =>
    dice.pick(['200', '200', '200', '200', '204', '301', '304', '400', '401', '404', '500', '502', '503']),
  level: words('info warn error debug'),
  url: (dice) =>
    `${dice.pick(['http', 'https'])}://${fqdn(dice)}${dice.uniform() < 0.2 ? `:${port(dice)}` : ''}${uri(dice)}`,
  ver: version,
  iface: words('eth0 wlan0 enp3s0 docker0 veth1a2b3c br-4f5e6d tun0 wlp2s0 lo'),
  ns: words('default kube-system monitoring shop-prod ingress-nginx'),
  pod: (dice) =>
    `${ident(dice).replaceAll('_', '-')}-${digits(dice, HEX, 10)}-${digits(dice, 'bcdfghjklmnpqrstvwxz2456789', 5)}`,
  image: (dice) =>
    `${dice.pick(['docker.io/library/', 'registry.k8s.io/', 'ghcr.io/acme/', ''])}${word(dice)}:${dice.pick(['latest', `v${version(dice)}`, 'stable'])}`,
  topic: (dice) => `${ident(dice)}-${dice.integer(0, 49)}`,
  task: (dice) => `${word(dice)}.tasks.${word(dice)}_${word(dice)}`,
  vhost: words('/ prod staging shop'),
  text: phrases(TEXT),
  city: phrases(CITIES),
  agent: skewed(AGENTS),
  exc: phrases(EXCEPTIONS),
  app: phrases(APPS),
  ssid: phrases(SSIDS),
  device: phrases(DEVICES),
  unitdesc: phrases(UNITS),
  unit: words(UNIT_FILES),
  sql: phrases(QUERIES),
  expr: phrases(EXPRESSIONS),
  torrent: phrases(TORRENTS),
  spath: phrases(STORED),
  cmd: words(COMMANDS),
  cipher: words(CIPHERS),
  cls: className,
  Cls: words(CLASSES),
  rbclass: words('Order User Cart Invoice Product Session Report Welcome'),
  relpath: relative,
  player: (dice) =>
    dice.pick([`${first(dice)}${dice.integer(1, 999)}`, 'Notch', 'xX_Dragon_Xx', first(dice), `${word(dice)}Fan`]),
  plugin: words('WorldEdit Essentials LuckPerms Vault ViaVersion dynmap'),
  client: (dice) =>
    dice.pick([
      `sensor-${dice.integer(1, 40)}`,
      `mosq-${digits(dice, BASE62, 18)}`,
      `${word(dice)}_bridge`,
      first(dice),
      `auto-${uuid(dice).toUpperCase()}`,
    ]),
  mqtt: (dice) =>
    dice.pick([
      `home/${word(dice)}/${word(dice)}/state`,
      `sensors/${dice.integer(1, 40)}/temperature`,
      `zigbee2mqtt/${word(dice)}`,
    ]),
  folder: words('INBOX Sent Trash Junk Archive/2023 Drafts'),
  carrier: words('DHL UPS FedEx'),
  cc: words('DE US GB FR JP'),
  company: phrases('Acme Inc.;Example Corp;Contoso Ltd;Umbrella'),
  dc: words('dc1 eu-west us-east-1'),
  switchport: (dice) =>
    `${dice.pick(['GigabitEthernet', 'GigabitEthernet', 'TenGigabitEthernet', 'FastEthernet'])}${dice.integer(1, 2)}/0/${dice.integer(1, 48)}`,
  junosport: (dice) =>
    `${dice.pick(['ge', 'xe', 'ge'])}-0/${dice.integer(0, 2)}/${dice.integer(0, 47)}.${dice.integer(0, 3)}`,
  ciscomac: (dice) => Array.from({ length: 3 }, () => digits(dice, HEX, 4)).join('.'),
  nodelist: (dice) =>
    dice.pick([
      `node${pad(dice.integer(1, 30))}`,
      `node[${pad(dice.integer(1, 9))}-${dice.integer(10, 30)}]`,
      `node[${pad(dice.integer(1, 9))},${dice.integer(10, 12)},${dice.integer(13, 30)}]`,
    ]),
  exim: (dice) => `1r${digits(dice, BASE62, 4)}-${digits(dice, BASE62, 6)}-${digits(dice, BASE62, 2)}`,
  pgid: (dice) => `${dice.integer(1, 12)}.${digits(dice, HEX, dice.integer(1, 3))}`,
  part: (dice) => `202403_${dice.integer(1, 90_000)}_${dice.integer(1, 90_000)}_${dice.integer(0, 9)}`,
  naa: (dice) => `naa.${digits(dice, HEX, 32)}`,
  dn: phrases(DISTINGUISHED),
  filter: phrases(FILTERS),
  attr: words('uid cn mail memberUid uidNumber gidNumber objectClass loginShell homeDirectory'),
  service: phrases(SERVICES),
  checkout: phrases(CHECKS),
};
