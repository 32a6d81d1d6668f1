import { describe, expect, test } from 'vitest';
import { flags } from '../../../../src/cli/arguments/flags.ts';
import { flagsOf } from '../../../../src/cli/commands/command.ts';
import { lab } from '../../../../src/cli/commands/lab.ts';
import { commands } from '../../../../src/cli/commands/table.ts';
import { helpText, optionsText, overview } from '../../../../src/cli/help/help.ts';

const options = optionsText(commands);
const pages = [
  ['the overview', overview(commands)] as const,
  ...commands.map((command) => [`the help of ${command.name}`, helpText(command)] as const),
];

// The daemon has the most flags.
const screenLines = (name: string): number => (name === 'the help of run' ? 32 : 24);

test.each(pages)('%s fits a screen', (name, text) => {
  const lines = text.trimEnd().split('\n');
  expect(lines.slice(screenLines(name))).toEqual([]);
  expect(lines.filter((line) => line.length > 80)).toEqual([]);
  expect(lines.filter((line) => /\s$/.test(line))).toEqual([]);
});

test('the lines of the options are no longer than a screen is wide', () => {
  expect(options.split('\n').filter((line) => line.length > 80 || /\s$/.test(line))).toEqual([]);
});

describe.each(commands)('$name', (command) => {
  test('has a help that names, with the options, every flag that it takes', () => {
    const text = helpText(command) + options;
    const missing = flagsOf(command)
      .filter(({ effect }) => effect !== 'refused')
      .filter(({ name }) => !new RegExp(`[ -]${name}(,| |$)`, 'm').test(text));
    expect(missing).toEqual([]);
  });
});

test('no flag is told of in the options and in the help of a command that they are for', () => {
  const twice = flags.filter(({ name }) => {
    const named = new RegExp(`^ {2}.{4}--${name}( |$)`, 'm');
    return (
      named.test(options) &&
      commands.some((one) => one.decides === true && named.test(helpText(one)))
    );
  });
  expect(twice).toEqual([]);
});

test('the help of lab', () => {
  expect(helpText(lab)).toBe(`Usage: sluice lab [FLAG...]

sluice lab builds a cluster of network namespaces and tries Services in it.
Exit codes: 0 every expected pod answered; 1 one did not; 2 failed.

Flags:
      --overlay host-gw|vxlan|udp|macvlan
                          the pod network: routes between nodes, a tunnel
                          (vxlan, udp), or pods on the LAN (macvlan) [host-gw]
      --keep              keep the lab running until Ctrl-C
  -o, --output text|json  the output format [text]
      --proxy-mode nftables|iptables
                          the kernel subsystem to program [nftables]

Examples:
  sluice lab --overlay vxlan --keep  # pods behind a tunnel, to look around

sluice options lists the flags that many commands take.
`);
});
