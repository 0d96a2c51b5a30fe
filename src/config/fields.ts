/**
 * The kinds of values that keys of the configuration file have: type, bounds and default of each become a valibot schema. Messages read
 * `what is wrong – what to do`; the loader puts path, place and value around them. Null and a missing value are the default.
 */
import * as v from 'valibot';
import { Pattern } from '../detect/pattern/pattern.ts';
import { parseEndpoint } from '../net/endpoint.ts';
import { formatDuration, parseDuration } from './duration.ts';

/** Milliseconds from `120s`, `2m`, `1h30m`. */
export function duration(preset: string, bounds: { minMs: number; maxMs: number }) {
  return v.optional(
    fromText(preset, (value) => withinBounds(parseDuration(value), bounds)),
    preset,
  );
}

function withinBounds(ms: number, { minMs, maxMs }: { minMs: number; maxMs: number }): number {
  if (ms < minMs) throw new Error(`too short – at least ${formatDuration(minMs)}`);
  if (ms > maxMs) throw new Error(`too long – at most ${formatDuration(maxMs)}`);
  return ms;
}

export function integer(preset: number, min: number, max: number) {
  const message = `must be a whole number from ${min} to ${max} – the default is ${preset}`;
  return v.optional(wholeNumber(min, max, message), preset);
}

export function wholeNumber(min: number, max: number, message: string) {
  return v.pipe(
    v.number(message),
    v.check((value) => Number.isInteger(value) && value >= min && value <= max, message),
  );
}

export function number(preset: number, min: number, max: number) {
  const message = `must be a number from ${min} to ${max} – the default is ${preset}`;
  return v.optional(
    v.pipe(
      v.number(message),
      v.check((value) => value >= min && value <= max, message),
    ),
    preset,
  );
}

export function flag(preset: boolean) {
  return v.optional(v.boolean('must be true or false – without quotes'), preset);
}

export function choice<const T extends string>(options: readonly T[], preset: NoInfer<T>) {
  return v.optional(v.picklist(options, `must be ${options.join(' or ')} – the default is ${preset}`), preset);
}

export function text() {
  const message = 'must be text – put numbers, true and false in quotes';
  return v.pipe(
    v.string(message),
    v.check((value) => value.trim() !== '', 'must not be empty – remove the key for its default'),
  );
}

export function endpoint(preset: string) {
  return v.optional(
    v.pipe(
      v.string(`must be host:port – write for example ${preset}`),
      v.rawCheck(checking((text) => parseEndpoint(text, preset))),
    ),
    preset,
  );
}

/** As {@link duration}, without a default: left out, there is no such limit. */
export function optionalDuration(bounds: { minMs: number; maxMs: number }) {
  return v.optional(fromText('no limit', (value) => withinBounds(parseDuration(value), bounds)));
}

export function optionalMib(what: string) {
  return v.optional(
    wholeNumber(1, 1_048_576, `must be a whole number of MiB from 1 to 1048576 – leave it out for ${what}`),
  );
}

export function httpUrl(example: string) {
  return v.pipe(
    v.string(`must be text – write a URL such as ${example}`),
    v.rawCheck(checking((value) => parseHttpUrl(value, example))),
  );
}

/** @throws Error `what – what to do` */
export function parseHttpUrl(value: string, example = 'http://127.0.0.1:4318'): URL {
  const url = URL.parse(value);
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:') || url.hostname === '') {
    throw new Error(`must be an http:// or https:// URL – write for example ${example}`);
  }
  return url;
}

/** A JavaScript regular expression with the `u` flag that can be matched in linear time. */
export function pattern() {
  return v.pipe(
    text(),
    v.maxLength(1000, 'too long – at most 1000 characters'),
    v.rawCheck(checking((value: string) => new Pattern(value))),
  );
}

export function list<T extends v.GenericSchema>(item: T, preset: v.InferInput<T>[] = []) {
  return v.optional(v.pipe(v.array(item), v.maxLength(1000, 'too many – at most 1000')), () => [...preset]);
}

/** A source key `type:id`; `*` stands for any run of characters. */
export function sourceKey() {
  return v.pipe(
    text(),
    v.regex(/^(\*|[^:]+:.+)$/s, 'must be type:id – write for example file:nginx, or k8s:kube-system/*'),
  );
}

/** Type conversion by a function that throws its message. */
function fromText<T>(preset: string, convert: (value: unknown) => T) {
  return v.pipe(
    // The input type is the file's; null and missing never get here.
    v.custom<string>(() => true),
    v.rawTransform<string, T>(({ dataset, addIssue, NEVER }) => {
      try {
        return convert(dataset.value);
      } catch (error) {
        addIssue({
          message: `${(error as Error).message}${(error as Error).message.includes(' – ') ? '' : ` – the default is ${preset}`}`,
        });
        return NEVER;
      }
    }),
  );
}

function checking(parse: (value: string) => unknown) {
  return ({
    dataset,
    addIssue,
  }: {
    dataset: v.OutputDataset<string, v.BaseIssue<unknown>>;
    addIssue(issue: { message: string }): void;
  }) => {
    if (!dataset.typed) return;
    try {
      parse(dataset.value);
    } catch (error) {
      addIssue({ message: (error as Error).message });
    }
  };
}

export function section<T extends v.ObjectEntries>(entries: T) {
  return v.optional(v.object(entries), {} as never);
}
