// What a running daemon works from: its configuration, its objects and the addresses of its node. A command that
// is told nothing asks the daemon of its own node: what that runs with is what the kernel holds.
import { printable } from '../../cluster/problem.ts';
import { ApiError } from '../../errors.ts';
import type { Config, SocketAddress } from '../../model/config.ts';
import { hostPort } from '../../model/forwarding.ts';
import { familyOf, type Ip } from '../../model/ip.ts';
import type { DebugObjects } from '../../serve/debug-objects.ts';
import { debugObjectsPath, debugObjectsVersion } from '../../serve/debug-objects.ts';
import type { Io } from '../io.ts';
import { askDaemon, defaultDaemon, isNobodyThere } from './ask-daemon.ts';

/** What a daemon says, and the address of its debug server. */
export type Daemon = DebugObjects & { readonly at: string };

/** Asks the daemon at an address; throws ApiError where none answers. */
export async function daemonAt(at: string, io: Pick<Io, 'fetch' | 'signal'>): Promise<Daemon> {
  const question = { daemon: at, path: debugObjectsPath };
  return { ...(await askDaemon(question, isDebugObjects, io)), at };
}

/**
 * The daemon whose debug server is where `config` has it; undefined where nothing listens there. What else
 * keeps it from answering goes to standard error.
 */
export function daemonHere(
  { debugBindAddress }: Pick<Config, 'debugBindAddress'>,
  io: Pick<Io, 'fetch' | 'signal' | 'stderr'>,
): Promise<Daemon | undefined> {
  return ifAnyAt(urlOf(debugBindAddress), io);
}

/** The daemon where it is by default, likewise. */
export function localDaemon(
  io: Pick<Io, 'fetch' | 'signal' | 'stderr'>,
): Promise<Daemon | undefined> {
  return ifAnyAt(defaultDaemon, io);
}

async function ifAnyAt(
  at: string,
  io: Pick<Io, 'fetch' | 'signal' | 'stderr'>,
): Promise<Daemon | undefined> {
  try {
    return await daemonAt(at, io);
  } catch (error) {
    if (!(error instanceof ApiError) || io.signal.aborted) throw error;
    if (!isNobodyThere(error)) io.stderr.write(`note: ${printable(error.message)}; not asked\n`);
    return undefined;
  }
}

// What listens at all addresses answers at loopback.
const loopback = { IPv4: '127.0.0.1', IPv6: '::1' } as const;

function urlOf({ ip, port }: SocketAddress): string {
  const isAny = ip === '0.0.0.0' || ip === '::';
  return `http://${hostPort(isAny ? (loopback[familyOf(ip)] as Ip) : ip, port)}`;
}

function isDebugObjects(body: unknown): body is DebugObjects {
  if (typeof body !== 'object' || body === null) return false;
  const { version, config, hostIps, objects } = body as Partial<
    Record<keyof DebugObjects, unknown>
  >;
  const isWhole = typeof config === 'object' && config !== null;
  return (
    version === debugObjectsVersion && isWhole && Array.isArray(hostIps) && Array.isArray(objects)
  );
}
