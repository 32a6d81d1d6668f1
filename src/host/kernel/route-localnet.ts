// The kernel setting without which a packet from 127.0.0.1 never leaves this host, so that a node port
// at localhost reaches no pod. In: a yes. Out: whether it was set before, so that it can be put back; a
// mark beside the setting says so until then.
import { ToolError } from '../../errors.ts';
import type { Exec } from '../tools/exec.ts';
import { isWritable, type SettingChange } from './sysctl.ts';

/** The setting, as sysctl(8) names it. */
export const routeLocalnet = 'net.ipv4.conf.all.route_localnet';

const setting = `/proc/sys/${routeLocalnet.replaceAll('.', '/')}`;

// A number beside it that the kernel keeps for whoever wants one (Linux Documentation/networking/
// ip-sysctl: tag): our mark, which goes where the setting goes: with the network namespace.
const tag = '/proc/sys/net/ipv4/conf/all/tag';

/**
 * Lets packets from loopback addresses out; true where they already were. Whoever does this must shut
 * out what others send to loopback addresses (rules/localnet) first.
 */
export async function allowRouteLocalnet(exec: Exec): Promise<boolean> {
  const isAllowed = (await readSetting(exec)) === '1';
  if (!isAllowed) await writeSetting(exec, '1');
  return isAllowed;
}

/** Throws where the setting may not be written: writes what it has. */
export async function proveRouteLocalnet(exec: Exec): Promise<void> {
  const value = await readSetting(exec);
  if (value !== '1') await writeSetting(exec, value);
}

/** Puts back what allowRouteLocalnet found. */
export async function restoreRouteLocalnet(exec: Exec, wasAllowed: boolean): Promise<void> {
  if (!wasAllowed && (await readSetting(exec)) !== '0') await writeSetting(exec, '0');
}

/** As allowRouteLocalnet, and marks where it had to: putBackRouteLocalnet undoes just that. */
export async function keepRouteLocalnet(exec: Exec): Promise<void> {
  if (await allowRouteLocalnet(exec)) return;
  // A tag of somebody else's stays; the setting is then the operator's to undo.
  if ((await readSetting(exec, tag)) === '0') await writeSetting(exec, await ourTag(exec), tag);
}

/** Whether it is not set, or was set by us and can be put back. */
export async function isRouteLocalnetOurs(exec: Exec): Promise<boolean> {
  if ((await readSetting(exec)) === '0') return true;
  return (await isOurs(exec)) && (await isWritable(exec, setting));
}

/** What allowRouteLocalnet would change. */
export async function routeLocalnetToAllow(exec: Exec): Promise<readonly SettingChange[]> {
  const before = await readSetting(exec);
  if (before === '1' || !(await isWritable(exec, setting))) return [];
  return [{ name: routeLocalnet, before, after: '1' }];
}

/** What putBackRouteLocalnet would change. */
export async function routeLocalnetToPutBack(exec: Exec): Promise<readonly SettingChange[]> {
  const before = await readSetting(exec);
  return before === '0' || !(await isOurs(exec))
    ? []
    : [{ name: routeLocalnet, before, after: '0' }];
}

async function isOurs(exec: Exec): Promise<boolean> {
  return (await readSetting(exec, tag)) === (await ourTag(exec));
}

/** Puts the setting back where Sluice changed it; true where it did. */
export async function putBackRouteLocalnet(exec: Exec): Promise<boolean> {
  if (!(await isOurs(exec))) return false;
  await restoreRouteLocalnet(exec, false);
  await writeSetting(exec, '0', tag);
  return true;
}

/**
 * What our mark says: the number of the network namespace, as the signed 32 bits that the tag holds. A
 * new namespace may begin with a copy of the first one's settings (net.core.devconf_inherit_init_net),
 * so that a fixed number could be the mark of another.
 */
async function ourTag(exec: Exec): Promise<string> {
  const { stdout } = await explained(exec('readlink', ['/proc/self/ns/net']));
  return String(Number(/\d+/.exec(stdout)?.[0] ?? 1) | 0);
}

async function readSetting(exec: Exec, file = setting): Promise<string> {
  const { stdout } = await explained(exec('cat', [file]));
  return stdout.trim();
}

// A shell, as not every machine has sysctl.
async function writeSetting(exec: Exec, value: string, file = setting): Promise<void> {
  await explained(exec('sh', ['-c', 'echo "$1" > "$2"', 'sh', value, file]));
}

async function explained<T>(attempt: Promise<T>): Promise<T> {
  try {
    return await attempt;
  } catch (error) {
    if (!(error instanceof ToolError)) throw error;
    throw new ToolError(error.stderr.trim() || error.message, error, { cause: error });
  }
}
