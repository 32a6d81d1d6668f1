import { expect, test } from 'vitest';
import { commands } from '../../../src/cli/flag.ts';
import { flagsOf } from '../../../src/cli/flags.ts';
import { helpText } from '../../../src/cli/help.ts';

test.each(commands)('the help of %s fits a screen', (command) => {
  const lines = helpText(command).split('\n');
  expect(lines.length - 1).toBeLessThanOrEqual(50);
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(100);
  expect(lines.filter((line) => /\s$/.test(line))).toEqual([]);
});

test('the help of run names every flag that run takes', () => {
  const text = helpText('run');
  const missing = flagsOf('run')
    .filter(({ effect }) => effect !== 'refused')
    .filter(({ name }) => !new RegExp(`[ -]${name}(,| |$)`, 'm').test(text));
  expect(missing).toEqual([]);
});

test('the help of lab', () => {
  expect(helpText('lab')).toBe(`Usage: sluice lab [FLAG...]

sluice lab makes a cluster of network namespaces on this machine, and tries Services in it.

Flags:
      --overlay host-gw|vxlan|udp|macvlan  the pod network: routes between nodes, a tunnel (vxlan,
                                           udp), or pods on the LAN (macvlan) [host-gw]
      --keep                               leave the lab standing until Ctrl-C
  -o, --output text|json                   the form in which results are printed [text]
      --proxy-mode nftables|iptables       which part of the kernel is programmed [nftables]
      --color auto|always|never            colours in the output; auto: on a terminal [auto]
  -v LEVEL                                 how much is logged [0]
  -h, --help                               print this and end
      --version                            print the version and end
`);
});
