import { expect, test } from 'vitest';
import { commands } from '../../../../src/cli/arguments/flag.ts';
import { flags, flagsOf } from '../../../../src/cli/arguments/flags.ts';
import { helpText, optionsText } from '../../../../src/cli/help/help.ts';

test.each(commands)('the help of %s fits a screen', (command) => {
  const lines = helpText(command).trimEnd().split('\n');
  expect(lines.length).toBeLessThanOrEqual(24);
  expect(lines.filter((line) => line.length > 80)).toEqual([]);
  expect(lines.filter((line) => /\s$/.test(line))).toEqual([]);
});

test('the lines of the options are no longer than a screen is wide', () => {
  expect(
    optionsText()
      .split('\n')
      .filter((line) => line.length > 80 || /\s$/.test(line)),
  ).toEqual([]);
});

test.each(commands)('the help of %s and the options name every flag that it takes', (command) => {
  const text = helpText(command) + optionsText();
  const missing = flagsOf(command)
    .filter(({ effect }) => effect !== 'refused')
    .filter(({ name }) => !new RegExp(`[ -]${name}(,| |$)`, 'm').test(text));
  expect(missing).toEqual([]);
});

test('no flag is told of twice', () => {
  for (const { name } of flags) {
    const named = new RegExp(`^ .*--${name}( |$)`, 'm');
    const own = commands.filter((command) => named.test(helpText(command)));
    expect(own.length > 0 && named.test(optionsText()) ? name : '').toBe('');
  }
});

test('the help of lab', () => {
  expect(helpText('lab')).toBe(`Usage: sluice lab [FLAG...]

sluice lab makes a cluster of network namespaces, and tries Services in it.

Flags:
      --overlay host-gw|vxlan|udp|macvlan
                          the pod network: routes between nodes, a tunnel
                          (vxlan, udp), or pods on the LAN (macvlan) [host-gw]
      --keep              leave the lab standing until Ctrl-C
  -o, --output text|json  the form in which results are printed [text]
      --proxy-mode nftables|iptables
                          which part of the kernel is programmed [nftables]

sluice options lists the flags that many commands take.
`);
});
