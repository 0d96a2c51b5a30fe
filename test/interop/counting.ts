/** What a running logdrift says that it has taken. */
import { setTimeout as delay } from 'node:timers/promises';
import { sumOf, type Cli, type TestService } from '../service/harness.ts';

export type Serve = Cli & { ports: TestService['ports'] };

export interface Taken {
  grpc: number;
  http: number;
  /** Accepted but not analysed, of whichever reason. */
  dropped: number;
  refused: number;
  failed: number;
}

export async function scrape(serve: Serve): Promise<string> {
  return (await fetch(`http://127.0.0.1:${serve.ports.telemetry}/metrics`)).text();
}

export async function taken(serve: Serve): Promise<Taken> {
  const text = await scrape(serve);
  const sum = (name: string, labels: Record<string, string> = {}): number =>
    sumOf(text, `logdrift_${name}_total`, labels);
  return {
    grpc: sum('receiver_accepted_log_records', { transport: 'grpc' }),
    http: sum('receiver_accepted_log_records', { transport: 'http' }),
    dropped: sum('dropped_records'),
    refused: sum('receiver_refused_log_records'),
    failed: sum('receiver_failed_log_records'),
  };
}

/** Records received by each live source. */
export async function sourcesOf(serve: Serve): Promise<Record<string, number>> {
  const answer = await fetch(`http://127.0.0.1:${serve.ports.admin}/api/v1/sources`);
  const { sources } = (await answer.json()) as { sources: { key: string; received_records: number }[] };
  return Object.fromEntries(sources.map(({ key, received_records }) => [key, received_records]));
}

/** Waits until `records` were accepted in all (a sender that runs on its own has no other end). */
export async function untilAccepted(serve: Serve, records: number, withinMs = 120_000): Promise<Taken> {
  const deadlineMs = performance.now() + withinMs;
  for (;;) {
    const now = await taken(serve);
    if (now.grpc + now.http >= records) return now;
    if (performance.now() > deadlineMs) {
      const got = JSON.stringify({ ...now, sources: await sourcesOf(serve) });
      throw new Error(
        `${records} records were to be accepted within ${withinMs} ms; it is ${got}\n${serve.stderr().slice(-2_000)}`,
      );
    }
    await delay(20);
  }
}

/** Lines `from` to `to` (exclusive) of a log, all of one template. */
export function numbered(from: number, to: number): string {
  return Array.from({ length: to - from }, (_, k) => `order ${from + k} shipped to customer ${(from + k) % 97}\n`).join(
    '',
  );
}
