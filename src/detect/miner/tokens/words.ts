/**
 * Words whose meaning the miner must not lose, and words that belong to a date.
 *
 * How the list generalises: it holds stems of states, outcomes and negations, never names of systems. Every verb
 * stem yields its regular forms (start, starts, started, starting, ...), every stem also with the prefixes
 * that turn it round (un-, in-, dis-, re-, de-, mis-), so `connect` covers `reconnecting` and `disconnected`. Case is ignored, and a
 * word counts inside a compound token too (`login_failed`, `ConnectionRefused`). Words that are missing only cost what
 * plain Drain costs: two opposite lines may share a template when nearly everything else in them is equal.
 */

/** Verbs of state changes and outcomes. */
const VERBS =
  'start stop begin end finish complete accept reject refuse deny allow grant permit forbid block enable disable ' +
  'connect establish open close shut succeed fail pass error abort cancel kill terminate exit crash panic die hang ' +
  'activate suspend resume pause create delete remove add drop expire renew revoke lock unlock join leave lose restore ' +
  'recover fall rise raise clear attach detach mount load register bind acquire release commit retry skip ' +
  'ignore reset interrupt sever exceed exhaust elect promote demote validate verify authorize authenticate encrypt corrupt ' +
  'upgrade downgrade install find miss match scale increase decrease pend';

export const LEVELS = 'trace debug info notice warn warning err error severe critical crit alert emerg emergency fatal';

/** Adjectives, irregular forms, negations, levels: taken as they are, and with the prefixes below. */
const WORDS =
  'up down off online offline ready alive dead healthy available reachable valid active idle busy full empty ' +
  'began begun lost found left forbidden denial denied fallen risen dying refusal failure failures success successful successfully ok okay ' +
  'good bad normal abnormal degraded stale fresh primary secondary master slave leader follower standby ' +
  'not no cannot never without none neither nor ' +
  `${LEVELS} exception timeout ` +
  'timed expired missing startup shutdown';

/**
 * Stems that are names of things as often: `View Lock`, `status register`. Their other forms and opposites (`locked`, `unlock`) are states, which is
 * enough to keep `lock` from `unlock`.
 */
const NOUNS = 'lock load register match scale';

const PREFIXES = ['un', 'in', 'dis', 're', 'de', 'mis'];

export const MONTHS = 'jan feb mar apr may jun jul aug sep oct nov dec';
export const WEEKDAYS = 'mon tue wed thu fri sat sun';
export const DAY_HALVES = 'am pm';
/** Values wherever they stand. */
export const BOOLEANS = 'true false null nil undefined yes';

/** Last word of a field name whose value says what happened: its single words count like words of a sentence. */
export const MESSAGE_KEYS =
  'msg message event log text error err exception reason action operation description detail details cause title type kind';
/** Last word of a field name whose number is a level: kept as it is. */
export const LEVEL_KEYS = 'level lvl severity loglevel';
/** Last word of a field name whose three-digit number is a status: kept as its class, `5xx`. */
export const STATUS_KEYS = 'status statuscode code';

/** `HTTP/1.1` marks a line that reports a request. */
export const PROTOCOL = 'http';
/** Units that may change with the size of the number before them: `850 B`, `5.2 KB`. */
export const UNITS =
  'b kb mb gb tb kib mib gib bytes byte ns us ms s sec secs second seconds min mins minute minutes h hr hrs hour hours day days';

/** Regular English forms of a verb stem, the stem first. */
export function inflect(stem: string): string[] {
  const forms = [stem];
  if (/[^aeiou]y$/.test(stem)) {
    const root = stem.slice(0, -1);
    return [...forms, `${root}ies`, `${root}ied`, `${stem}ing`];
  }
  if (stem.endsWith('ie')) return [...forms, `${stem}s`, `${stem}d`, `${stem.slice(0, -2)}ying`];
  forms.push(/(?:s|x|z|ch|sh)$/.test(stem) ? `${stem}es` : `${stem}s`);
  const root = stem.endsWith('e') ? stem.slice(0, -1) : stem;
  forms.push(`${root}ed`, `${root}ing`);
  // stop, stopped: a doubled last consonant; forms that do not exist (openned) do no harm.
  if (/[^aeiou][aeiou][bdglmnprt]$/.test(stem)) forms.push(`${stem}${stem.at(-1)}ed`, `${stem}${stem.at(-1)}ing`);
  return forms;
}

/** Every state, outcome, negation and level word, lower case. */
export function stateWords(): Set<string> {
  const plain = new Set<string>(WORDS.split(' '));
  for (const verb of VERBS.split(' ')) for (const form of inflect(verb)) plain.add(form);
  const words = new Set(plain);
  for (const noun of NOUNS.split(' ')) words.delete(noun);
  for (const word of plain) {
    // Two- and three-letter words with a prefix are other words (in + to, de + bad).
    if (word.length > 3) for (const prefix of PREFIXES) words.add(prefix + word);
  }
  return words;
}

export const STATE_WORDS: ReadonlySet<string> = stateWords();

/** Two words in capitals that are no two numbers of one thing (`CPU0`, `CPU3`). */
export function areConstants(a: string, b: string): boolean {
  return isConstant(a) && isConstant(b) && a.replace(/\d$/, '') !== b.replace(/\d$/, '');
}

/** Letters only: a word that may be one of a language. Bytes, one character each. */
export function isProse(token: string): boolean {
  return /^[A-Za-z\x80-\xff]+$/.test(token);
}

/** A word in capitals: by its spelling the name of a state, level or method (`RUNNING`, `GET`). */
export function isConstant(token: string): boolean {
  return /^[A-Z][A-Z_]+[A-Z]\d?$/.test(token);
}

/**
 * True when the state words in two tokens differ, so that the tokens must not share a wildcard. camelCase humps count
 * as words: `JobFailed` against `JobFinished`.
 */
export function opposes(a: string, b: string): boolean {
  return statesIn(a) !== statesIn(b);
}

function statesIn(token: string): string {
  const words = token.match(/[A-Z]+(?![a-z])|[A-Z]?[a-z]+/g) ?? [];
  return words
    .map((word) => word.toLowerCase())
    .filter((word) => STATE_WORDS.has(word))
    .join(' ');
}
