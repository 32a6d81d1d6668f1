// `sluice status`: asks a running daemon how it stands. Changes nothing.
import { isProxyMode } from '../../backends/traits.ts';
import type { DaemonStatus } from '../../model/daemon-status.ts';
import { daemonStatusVersion, statusPath } from '../../model/daemon-status.ts';
import type { FlightRecord } from '../../model/pass-record.ts';
import { flightRecordVersion, passesPath } from '../../model/pass-record.ts';
import { askDaemon } from '../input/ask-daemon.ts';
import type { Io } from '../io.ts';
import { exitCodes } from '../io.ts';
import { screenOf } from '../report/screen.ts';
import { statusText } from './status-text.ts';

export type StatusOptions = {
  /** The address of its debug server. */
  readonly daemon: string;
  /** Prints the flight record in place of it. */
  readonly passes: boolean;
  readonly output: 'text' | 'json';
};

/** Prints it: 0 all well, 1 something that a person should look at. */
export async function statusCommand(
  { daemon, passes, output }: StatusOptions,
  io: Io,
): Promise<number> {
  const { stdout } = io;
  if (passes) {
    const record = await askDaemon({ daemon, path: passesPath }, isFlightRecord, io);
    stdout.write(`${JSON.stringify(record)}\n`);
    return exitCodes.same;
  }
  const status = await askDaemon({ daemon, path: statusPath }, isStatus, io);
  stdout.write(
    output === 'json'
      ? `${JSON.stringify(status, null, 2)}\n`
      : statusText(status, screenOf(stdout)),
  );
  return isWell(status) ? exitCodes.same : exitCodes.different;
}

/** Every family is in step with what can be heard or read, and no Service is quarantined. */
function isWell({ families, source, troubles }: DaemonStatus): boolean {
  const isHeard = source.kind === 'manifests' || source.reach?.isConnected === true;
  return (
    isHeard &&
    troubles.length === 0 &&
    (source.problems?.count ?? 0) === 0 &&
    families.length > 0 &&
    families.every(({ isHealthy, error, quarantined, conflicts }) => {
      const isProgrammed = isHealthy && error === undefined;
      return isProgrammed && quarantined.count === 0 && conflicts.count === 0;
    })
  );
}

function isStatus(body: unknown): body is DaemonStatus {
  const { version, families, passes } = fieldsOf<keyof DaemonStatus>(body);
  const isWhole = typeof passes === 'object' && passes !== null && 'last' in passes;
  return version === daemonStatusVersion && Array.isArray(families) && isWhole;
}

/** Whether it looks like a flight record of this version. */
export function isFlightRecord(body: unknown): body is FlightRecord {
  const { version, mode, base, ...lists } = fieldsOf<keyof FlightRecord>(body);
  const { families, configs, hostIps, passes, steps } = lists;
  const areLists = [families, configs, hostIps, passes, steps].every((list) => Array.isArray(list));
  return (
    version === flightRecordVersion &&
    isProxyMode(mode) &&
    areLists &&
    Array.isArray(objectsOf(base))
  );
}

function objectsOf(base: unknown): unknown {
  return fieldsOf<'objects'>(base).objects;
}

function fieldsOf<K extends string>(body: unknown): Partial<Readonly<Record<K, unknown>>> {
  return typeof body === 'object' && body !== null ? body : {};
}
