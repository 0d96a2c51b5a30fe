#!/usr/bin/env node
import { parseArguments, UsageError, type Command } from './cli/arguments.ts';
import { loadConfig } from './config/load.ts';
import { ConfigError } from './config/problem.ts';
import { VERSION } from './version.ts';

/** sysexits.h, as the Collector's users know them. */
const EXIT_USAGE = 64;
const EXIT_CONFIG = 78;

/** package.json, engines. npm only warns of an older one, and that fails in what we do not say in words. */
const OLDEST_NODE = 24;

async function main(): Promise<number> {
  if (Number.parseInt(process.versions.node) < OLDEST_NODE) {
    const found = `${process.version} (${process.execPath})`;
    process.stderr.write(`logdrift: needs Node.js ${OLDEST_NODE} or newer, this is ${found} – nodejs.org has one\n`);
    return 1;
  }
  const command = parseArguments(process.argv.slice(2));
  switch (command.name) {
    case 'help':
      process.stdout.write(command.text);
      return 0;
    case 'version':
      process.stdout.write(`logdrift ${VERSION}\n`);
      return 0;
    case 'validate':
      readConfig(command);
      process.stdout.write('configuration is good\n');
      return 0;
    // Loaded when asked for: half of what a short command would take is spent on servers and exporters it never opens.
    case 'serve':
      return (await import('./cli/serve.ts')).serve(readConfig(command));
    case 'test-anomaly':
      return (await import('./cli/test-anomaly.ts')).testAnomaly(readConfig(command));
    case 'top':
      return (await import('./cli/top.ts')).top({ admin: command.admin, config: readConfig(command) });
    case 'replay':
      return (await import('./replay/replay.ts')).replay(command, readConfig(command));
  }
}

function readConfig(command: Extract<Command, { set: string[] }>) {
  const { configFile, set } = command;
  return loadConfig({ ...(configFile === null ? {} : { file: configFile }), set, env: process.env });
}

/** Errors a person can act on are one message; anything else is a bug of ours and keeps its stack. */
function report(error: unknown): number {
  // Closing what was open failed, too: the first error is the one to tell.
  if (error instanceof SuppressedError) return report(error.suppressed);
  if (error instanceof UsageError) {
    process.stderr.write(`logdrift: ${error.message}\n\n${error.usage}`);
    return EXIT_USAGE;
  }
  if (error instanceof ConfigError) {
    process.stderr.write(`${error.message}\n`);
    return EXIT_CONFIG;
  }
  const known = error instanceof Error && 'code' in error && String(error.code).startsWith('LOGDRIFT_');
  process.stderr.write(
    `logdrift: ${known ? error.message : error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
  );
  return 1;
}

process.exitCode = await main().catch(report);
