/** Asks the admin API of a running service. What comes back is checked: the address may be somebody else's. */
import { request, type Dispatcher } from 'undici';
import * as v from 'valibot';
import { connectionErrorText } from '../net/error-text.ts';

export class AdminUnreachableError extends Error {
  override readonly name = 'AdminUnreachableError';
  readonly code = 'LOGDRIFT_ADMIN_UNREACHABLE';
}

const REQUEST_TIMEOUT_MS = 10_000;
/** Some 25,000 sources. */
const MAX_ANSWER_BYTES = 64 * 1_048_576;

const count = v.pipe(v.number(), v.finite());
const severity = v.picklist(['warning', 'critical']);

/** What of `GET /api/v1/sources` is shown (`admin/json.ts` makes it). */
const sourcesAnswer = v.object({
  sources: v.array(
    v.object({
      key: v.string(),
      last_window: v.nullable(
        v.object({ records: count, templates: count, score: v.nullable(count), gates: v.array(v.string()) }),
      ),
      episode: v.nullable(v.object({ severity, started_unix_ms: count, peak_score: count })),
      alert_held_back: v.nullable(v.string()),
    }),
  ),
});

export type ShownSource = v.InferOutput<typeof sourcesAnswer>['sources'][number];

export interface AdminClientOptions {
  /** Of the admin port; behind a proxy with its path. */
  url: URL;
  /** Bearer token; null = none is sent. */
  token: string | null;
}

/** @throws AdminUnreachableError whose message says what to do */
export async function fetchSources({ url, token }: AdminClientOptions, signal: AbortSignal): Promise<ShownSource[]> {
  // Redirects are not followed: the token is for this address only.
  const answer = await request(new URL(`${url.pathname.replace(/\/+$/, '')}/api/v1/sources`, url), {
    headers: token === null ? {} : { authorization: `Bearer ${token}` },
    signal: AbortSignal.any([signal, AbortSignal.timeout(REQUEST_TIMEOUT_MS)]),
  }).catch((cause: unknown) => {
    signal.throwIfAborted();
    throw new AdminUnreachableError(
      `nothing answers at ${url.origin} (${connectionErrorText(cause)}): is logdrift serve running? Its log names the page's address; --admin URL asks there`,
      { cause },
    );
  });
  if (answer.statusCode !== 200) await answer.body.dump().catch(() => undefined);
  if (answer.statusCode === 401) {
    throw new AdminUnreachableError(
      token === null
        ? `${url.origin} asks for a token: give the --config of the service, or --set admin.token_file=FILE`
        : `${url.origin} does not know this token: is admin.token_file the one of that service?`,
    );
  }
  if (answer.statusCode === 403) {
    throw new AdminUnreachableError(
      `${url.origin} does not answer to this name: use the host of its admin.endpoint, or localhost on its machine`,
    );
  }
  if (answer.statusCode !== 200) throw notOurs(url, `HTTP ${answer.statusCode}`);
  const text = await readBounded(answer.body, url);
  try {
    return v.parse(sourcesAnswer, JSON.parse(text)).sources;
  } catch (cause) {
    throw notOurs(url, 'another kind of answer', cause);
  }
}

function notOurs(url: URL, what: string, cause?: unknown): AdminUnreachableError {
  return new AdminUnreachableError(
    `${url.origin} is not the admin port of a logdrift of this version (${what}): the service's log names it, usually 127.0.0.1:8090`,
    { cause },
  );
}

async function readBounded(body: Dispatcher.ResponseData['body'], url: URL): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  try {
    for await (const chunk of body as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > MAX_ANSWER_BYTES) throw notOurs(url, `an answer above ${MAX_ANSWER_BYTES / 1_048_576} MiB`);
      chunks.push(chunk);
    }
  } catch (cause) {
    if (cause instanceof AdminUnreachableError) throw cause;
    throw new AdminUnreachableError(`${url.origin} broke off its answer (${connectionErrorText(cause)})`, { cause });
  }
  return Buffer.concat(chunks).toString('utf8');
}
