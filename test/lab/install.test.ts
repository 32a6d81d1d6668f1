// What is installed when a tool is missing, and what is said where that cannot be done. The shell that
// looks for tools and apt-get are the boundary: here a function that keeps what was run.
import { userInfo } from 'node:os';
import { expect, test } from 'vitest';
import { ToolError } from '../../src/errors.ts';
import type { Exec } from '../../src/host/tools/exec.ts';
import { ensureTools } from '../../src/host/tools/install.ts';

type Machine = { readonly exec: Exec; readonly commands: string[]; readonly said: string[] };

/** A machine where the packages' tools appear once an install succeeds. */
function machine(missing: readonly string[], failures = 0): Machine {
  const commands: string[] = [];
  let absent = missing;
  let left = failures;
  const exec: Exec = async (file, args) => {
    if (file === 'sh') {
      const asked = new Set(args);
      return done(absent.filter((tool) => asked.has(tool)).join('\n'));
    }
    commands.push([file, ...args].join(' '));
    if (args.includes('install') && left > 0) {
      left -= 1;
      throw new ToolError('no such package', noDetails);
    }
    if (args.includes('install')) absent = [];
    return done('');
  };
  return { exec, commands, said: [] };
}

const done = (stdout: string) => ({ stdout, stderr: '', exitCode: 0 });
const noDetails = { command: 'apt-get', exitCode: 100, stderr: '', input: '' };
const apt = 'env DEBIAN_FRONTEND=noninteractive apt-get';
const install = `${apt} install -y --no-install-recommends iptables nftables`;
const tools = ['ip', 'nft', 'iptables', 'ip6tables'] as const;
const missing = ['nft', 'iptables', 'ip6tables'];

async function ensure({ exec, said }: Machine): Promise<void> {
  await ensureTools(tools, { exec, stderr: { write: (text) => said.push(text) } });
}

test('nothing is run and nothing said where all tools are there', async () => {
  const { commands, said, exec } = machine([]);
  await ensure({ commands, said, exec });
  expect({ commands, said }).toEqual({ commands: [], said: [] });
});

test.runIf(userInfo().uid === 0)('missing tools are installed at once, and said so', async () => {
  const one = machine(missing);
  await ensure(one);
  expect(one.commands).toEqual([install]);
  expect(one.said).toEqual(['installing iptables, nftables\n']);
});

test.runIf(userInfo().uid === 0)('package lists are read anew only when that fails', async () => {
  const one = machine(missing, 1);
  await ensure(one);
  expect(one.commands).toEqual([install, `${apt} update`, install]);
});

test.runIf(userInfo().uid === 0)('a failure after that is told as it is', async () => {
  await expect(ensure(machine(missing, 2))).rejects.toThrow('no such package');
});
