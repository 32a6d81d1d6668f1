// The kernel setting without which a packet from 127.0.0.1 never leaves this host, so that a node port
// at localhost reaches no pod. In: a yes. Out: whether it was set before, so that it can be put back; a
// mark on this machine says so until then, or until the machine starts anew.
import { ToolError } from '../errors.ts';
import { mkdir, readlink, rm, stat, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Exec } from './exec.ts';

/** The setting, as sysctl(8) names it. */
export const routeLocalnet = 'net.ipv4.conf.all.route_localnet';

const file = `/proc/sys/${routeLocalnet.replaceAll('.', '/')}`;

/**
 * Lets packets from loopback addresses out; true where they already were. Whoever does this must shut
 * out what others send to loopback addresses (rules/localnet) first.
 */
export async function allowRouteLocalnet(exec: Exec): Promise<boolean> {
  const isAllowed = (await readSetting(exec)) === '1';
  if (!isAllowed) await writeSetting(exec, '1');
  return isAllowed;
}

/** Puts back what allowRouteLocalnet found. */
export async function restoreRouteLocalnet(exec: Exec, wasAllowed: boolean): Promise<void> {
  if (!wasAllowed && (await readSetting(exec)) !== '0') await writeSetting(exec, '0');
}

/** As allowRouteLocalnet, and remembers where it had to: putBackRouteLocalnet undoes just that. */
export async function keepRouteLocalnet(exec: Exec): Promise<void> {
  if (await allowRouteLocalnet(exec)) return;
  const mark = await markFile();
  // Where nothing may be written, it is the operator's to undo.
  await mkdir(dirname(mark), { recursive: true })
    .then(() => writeFile(mark, ''))
    .catch(() => {});
}

/** Puts the setting back where Sluice changed it; true where it did. */
export async function putBackRouteLocalnet(exec: Exec): Promise<boolean> {
  const mark = await markFile();
  const isMarked = await stat(mark).then(
    () => true,
    () => false,
  );
  if (!isMarked) return false;
  await restoreRouteLocalnet(exec, false);
  await rm(mark, { force: true });
  return true;
}

// Each network namespace has a setting of its own; its number tells them apart.
async function markFile(): Promise<string> {
  const namespace = await readlink('/proc/self/ns/net');
  return `/run/sluice/route-localnet.${/\d+/.exec(namespace)?.[0] ?? 'unknown'}`;
}

async function readSetting(exec: Exec): Promise<string> {
  const { stdout } = await explained(exec('cat', [file]));
  return stdout.trim();
}

// A shell, as not every machine has sysctl.
async function writeSetting(exec: Exec, value: '0' | '1'): Promise<void> {
  await explained(exec('sh', ['-c', 'echo "$1" > "$2"', 'sh', value, file]));
}

const remedy =
  `run \`sysctl -w ${routeLocalnet}=1\` as root on this node (a container must be privileged for that), ` +
  'or do without node ports at 127.0.0.1: --iptables-localhost-nodeports=false';

async function explained<T>(attempt: Promise<T>): Promise<T> {
  try {
    return await attempt;
  } catch (error) {
    if (!(error instanceof ToolError)) throw error;
    const complaint = error.stderr.trim() || error.message;
    const message = `node ports at 127.0.0.1 need ${routeLocalnet}=1: ${complaint}; ${remedy}`;
    throw new ToolError(message, error, { cause: error });
  }
}
