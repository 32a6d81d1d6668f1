// Boots a virtual machine under QEMU and runs tests of this checkout in it. In: a guest and the arguments of
// vitest. Out: the report. The processor is QEMU's own (TCG), so this needs no KVM and works anywhere.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { execOnHost } from '../../src/host/tools/exec.ts';
import { ensureTools } from '../../src/host/tools/install.ts';
import type { Guest } from './guests.ts';
import { guestImage, nodeModulesImage } from './image.ts';
import { type GuestReport, parseReport } from './report.ts';

export type Boot = {
  readonly guest: Guest;
  /** Files of tests, and options. */
  readonly vitestArguments: readonly string[];
  /** How long all of it may take. */
  readonly timeoutMs: number;
  /** Ends the guest. */
  readonly signal?: AbortSignal;
  /** Is told the path of the console's log, which grows while the guest runs. */
  readonly onConsole?: (path: string) => void;
};

// Characters.
const consoleTail = 4000;

/** Installs what booting needs and the machine lacks, and makes what all guests share. */
export async function prepareBoots(): Promise<void> {
  const tools = ['mmdebstrap', 'mkfs.ext4', 'qemu-system-x86_64'] as const;
  await ensureTools(tools, { exec: execOnHost, stderr: process.stderr });
  await nodeModulesImage();
}

/** What a guest sent, and all that it printed. */
export type Finished = GuestReport & { readonly console: string };

/** Runs tests in a guest; throws, with the end of its console, where it sends no report. */
export async function runInGuest(boot: Boot): Promise<Finished> {
  const image = await guestImage(boot.guest);
  const modules = await nodeModulesImage();
  const folder = await mkdtemp(join(tmpdir(), 'sluice-guest-'));
  const files = { console: join(folder, 'console.log'), report: join(folder, 'report') };
  try {
    boot.onConsole?.(files.console);
    const checkout = await packCheckout(folder, boot.vitestArguments);
    const disks = [image.root, checkout, modules];
    await execa('qemu-system-x86_64', machine(image, disks, files), {
      stdin: 'ignore',
      timeout: boot.timeoutMs,
      ...(boot.signal && { cancelSignal: boot.signal }),
    });
    const report = parseReport(await readFile(files.report, 'utf8'));
    return { ...report, console: await readFile(files.console, 'utf8') };
  } catch (error) {
    const seen = await readFile(files.console, 'utf8').catch(() => '');
    const said = `${(error as Error).message}\n${seen.slice(-consoleTail)}`;
    throw new Error(`kernel ${boot.guest.name}: ${said}`, { cause: error });
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** This checkout and the arguments of vitest as an archive, which a guest reads straight from a disk. */
async function packCheckout(folder: string, vitestArguments: readonly string[]): Promise<string> {
  const archive = join(folder, 'checkout.tar');
  await writeFile(join(folder, 'vitest-arguments'), `${vitestArguments.join('\n')}\n`);
  const without = ['--exclude=./.git', '--exclude=./node_modules'];
  const contents = ['-C', process.cwd(), '.', '-C', folder, 'vitest-arguments'];
  await execOnHost('tar', ['-cf', archive, ...without, ...contents]);
  return archive;
}

function machine(
  { kernel, initrd }: { readonly kernel: string; readonly initrd: string },
  disks: readonly string[],
  serial: { readonly console: string; readonly report: string },
): readonly string[] {
  return [
    // The guest's clock counts instructions, one a nanosecond, while the guest computes: however slow this
    // machine is, the guest finds itself fast, and nothing that the tests wait for comes too late.
    ['-accel', 'tcg,thread=single', '-icount', 'shift=0', '-rtc', 'clock=vm'],
    // Newer processors have wider registers, which TCG is slower at.
    ['-cpu', 'Nehalem', '-smp', '1', '-m', '3G'],
    ['-nodefaults', '-display', 'none', '-no-reboot'],
    ['-kernel', kernel, '-initrd', initrd],
    ['-append', 'console=ttyS0 quiet panic=-1 mitigations=off'],
    ['-serial', `file:${serial.console}`, '-serial', `file:${serial.report}`],
    // What is written goes to a file that ends with the guest.
    disks.flatMap((file) => ['-drive', `file=${file},format=raw,if=virtio,snapshot=on`]),
  ].flat();
}
