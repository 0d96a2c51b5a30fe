/**
 * One side of the end-to-end benchmark in a process of its own: `naive` or `logdrift`.
 * Answers every message of the parent with what it has counted and the CPU it has used.
 */
import { loadConfig } from '../src/config/load.ts';
import { startService } from '../src/service.ts';
import { createLog } from '../src/telemetry/log.ts';
import { startNaiveService } from './naive/service.ts';

export interface ChildReport {
  port: number;
  /** Records whose template is counted. */
  counted: number;
  /** Records that were not analysed, for whatever reason. */
  lost: number;
  cpuMs: number;
  rssMiB: number;
}

async function open(side: string): Promise<() => Omit<ChildReport, 'cpuMs' | 'rssMiB'>> {
  if (side === 'naive') {
    const service = await startNaiveService();
    return () => ({ port: service.port, counted: service.counted().records, lost: 0 });
  }
  const endpoints = [
    'telemetry.endpoint',
    'admin.endpoint',
    'receivers.otlp.protocols.grpc.endpoint',
    'receivers.otlp.protocols.http.endpoint',
  ];
  const service = await startService({
    config: loadConfig({ env: {}, set: endpoints.map((key) => `${key}=127.0.0.1:0`) }),
    log: createLog({ level: 'warn' }),
    onFatal: (error) => {
      throw error;
    },
  });
  return () => {
    let handedOver = 0;
    let lost = 0;
    for (const entry of service.pipeline.registry) {
      handedOver += entry.received;
      lost += entry.late;
      for (const records of entry.dropped.values()) lost += records;
    }
    return { port: service.ports.grpc!, counted: handedOver - service.pipeline.waitingRecords(), lost };
  };
}

const report = await open(process.argv[2]!);
process.on('message', () => {
  const { user, system } = process.cpuUsage();
  process.send!({
    ...report(),
    cpuMs: (user + system) / 1000,
    rssMiB: process.memoryUsage.rss() / 2 ** 20,
  } satisfies ChildReport);
});
process.on('disconnect', () => process.exit(0));
process.send!('ready');
