// The network namespaces of labs: their names, their making and their end. A name carries the id of the
// process that owns the lab, so that what a killed one left behind can be found and removed.
import { randomBytes } from 'node:crypto';
import { readdir, readlink, stat } from 'node:fs/promises';
import type { Exec } from '../host/tools/exec.ts';
import type { LabNamespace } from './wiring.ts';

/** What the names of one lab's namespaces start with, such as `sluice-4711-9f3a2c`. */
export type LabName = string;

// Where `ip netns` keeps names.
const namespaceFolder = '/run/netns';
const namePattern = /^sluice-(\d+)-[0-9a-f]{6}-[a-z0-9]+$/;

/** A name that no other lab has, on this machine and in this process. */
export async function newLabName(): Promise<LabName> {
  const owner = await readlink('/proc/self');
  return `sluice-${owner}-${randomBytes(3).toString('hex')}`;
}

/** The namespace of one host of a lab. */
export function namespaceName(lab: LabName, place: LabNamespace): string {
  return `${lab}-${place}`;
}

/** Makes namespaces, empty but for a loopback that is down. */
export async function createNamespaces(exec: Exec, names: readonly string[]): Promise<void> {
  const input = names.map((name) => `netns add ${name}\n`).join('');
  await exec('ip', ['-batch', '-'], { input });
}

/** Ends what still runs in the namespaces, and deletes those of them that exist. */
export async function deleteNamespaces(exec: Exec, names: readonly string[]): Promise<void> {
  const existing = new Set(await listNames());
  const doomed = names.filter((name) => existing.has(name));
  if (doomed.length === 0) return;
  await endProcessesIn(exec, doomed);
  const input = doomed.map((name) => `netns delete ${name}\n`).join('');
  // `-force` and exit code 1: two sweeps at once may both want the same one.
  await exec('ip', ['-force', '-batch', '-'], { input, allowedExitCodes: [1] });
}

/** Deletes the namespaces of labs whose process is gone; answers with their names. */
export async function sweepNamespaces(exec: Exec): Promise<readonly string[]> {
  const leftovers: string[] = [];
  for (const name of await listNames()) {
    const owner = namePattern.exec(name)?.[1];
    if (owner !== undefined && !(await isRunning(owner))) leftovers.push(name);
  }
  await deleteNamespaces(exec, leftovers);
  return leftovers;
}

async function listNames(): Promise<readonly string[]> {
  try {
    return await readdir(namespaceFolder);
  } catch {
    // Nobody has made a namespace since this machine started.
    return [];
  }
}

async function endProcessesIn(exec: Exec, names: readonly string[]): Promise<void> {
  const found = await processesIn(names);
  if (found.length === 0) return;
  // One that ended by itself meanwhile makes `kill` exit with 1.
  const script = 'kill -KILL "$@" 2>/dev/null';
  await exec('sh', ['-c', script, 'sh', ...found], { allowedExitCodes: [1] });
}

async function processesIn(names: readonly string[]): Promise<readonly string[]> {
  const wanted = new Set(
    await Promise.all(names.map((name) => inodeOf(`${namespaceFolder}/${name}`))),
  );
  wanted.delete(undefined);
  // Whatever a name may point at: never what runs beside us.
  wanted.delete(await inodeOf('/proc/self/ns/net'));
  const pids = (await readdir('/proc')).filter((entry) => /^\d+$/.test(entry));
  const inodes = await Promise.all(pids.map((pid) => inodeOf(`/proc/${pid}/ns/net`)));
  return pids.filter((_, index) => wanted.has(inodes[index]));
}

async function inodeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).ino;
  } catch {
    // The process ended between the listing and now.
    return undefined;
  }
}

// A process that has ended and was not waited for is still listed, but has no executable any more.
async function isRunning(pid: string): Promise<boolean> {
  return readlink(`/proc/${pid}/exe`).then(
    () => true,
    () => false,
  );
}
