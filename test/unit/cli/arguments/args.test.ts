import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseArgs } from '../../../../src/cli/arguments/args.ts';
import { flags } from '../../../../src/cli/arguments/flags.ts';
import { UsageError } from '../../../../src/errors.ts';

/** What was said with these arguments: the command, the values that are no defaults, the warnings. */
function parsed(...argv: string[]) {
  const { command, values, warnings } = parseArgs(argv);
  const said = flags
    .map((flag) => [flag.name, values[flag.name as keyof typeof values], flag.default] as const)
    .filter(([, value, usual]) => JSON.stringify(value) !== JSON.stringify(usual))
    .map(([name, value]) => [name, value] as const);
  return { command: command.name, said: Object.fromEntries(said), warnings };
}

function faults(...argv: string[]): string[] {
  try {
    parseArgs(argv);
  } catch (error) {
    expect(error).toBeInstanceOf(UsageError);
    return (error as UsageError).message.split('\n');
  }
  return [];
}

describe('the command', () => {
  test.each<[argv: string, command: string]>([
    ['', 'help'],
    ['run', 'run'],
    ['--proxy-mode=iptables', 'run'],
    ['-v 2', 'run'],
    ['-v 2 diff', 'diff'],
    ['--manifests render diff', 'diff'],
    ['diff --manifests render', 'diff'],
    ['--cleanup', 'cleanup'],
    ['--cleanup=false', 'run'],
    ['--version', 'version'],
    ['run --version --nonsense', 'version'],
    ['help', 'help'],
    ['--help', 'help'],
    ['-h', 'help'],
    ['lab --help', 'help'],
    ['help lab', 'help'],
    ['diff --nonsense -h', 'help'],
  ])('of %j is %s', (argv, command) => {
    const words = argv.split(' ').filter((word) => word !== '');
    expect(parseArgs(words).command.name).toBe(command);
  });

  test.each<[argv: string[], topic: string[]]>([
    [['help', 'lab'], ['lab']],
    [['lab', '-h'], ['lab']],
    [['diff', '--nonsense', 'lab', '-h'], ['diff']],
    [['nonsense', '-h'], []],
    [['-h'], []],
  ])('%j asks for the help of %j', (argv, topic) => {
    expect(parseArgs(argv).operands).toEqual(topic);
  });
});

describe('values', () => {
  test.each<[argv: string[], said: Record<string, unknown>]>([
    [['--proxy-mode', 'iptables'], { 'proxy-mode': 'iptables' }],
    [['--proxy-mode=iptables', '--proxy-mode=nftables'], {}],
    [['--proxy_mode=iptables'], { 'proxy-mode': 'iptables' }],
    [['--masquerade-all'], { 'masquerade-all': true }],
    [['--masquerade-all=t'], { 'masquerade-all': true }],
    [['--masquerade-all', '--masquerade-all=0'], {}],
    [['-v', '2'], { v: 2 }],
    [['-v=2'], { v: 2 }],
    [['-v2'], { v: 2 }],
    [['--v=2'], { v: 2 }],
    [['--iptables-masquerade-bit=0x1f'], { 'iptables-masquerade-bit': 31 }],
    [['diff', '-ojson'], { output: 'json' }],
    [['diff', '--output', 'json'], { output: 'json' }],
    [['--manifests', '-'], { manifests: '-' }],
    [['diff', '-f', 'shop.yaml'], { manifests: 'shop.yaml' }],
    [['explain', 'node', 'shop/web', '-fshop.yaml'], { manifests: 'shop.yaml' }],
    [['--manifests=a=b'], { manifests: 'a=b' }],
    [['--hostname-override=Node-1'], { 'hostname-override': 'Node-1' }],
    [['--hostname-override='], {}],
    [['--cluster-cidr='], {}],
    [
      ['--cluster-cidr=10.244.1.1/16,FD00::/56'],
      { 'cluster-cidr': ['10.244.0.0/16', 'fd00::/56'] },
    ],
    [['--nodeport-addresses=primary'], { 'nodeport-addresses': ['primary'] }],
    [['--nodeport-addresses='], {}],
    [
      ['--nodeport-addresses=192.168.0.9/24, FD00::/64', '--nodeport-addresses', '010.0.0.0/08'],
      { 'nodeport-addresses': ['192.168.0.0/24', 'fd00::/64', '10.0.0.0/8'] },
    ],
    [
      ['--nodeport-addresses=10.0.0.0/8', '--nodeport-addresses='],
      { 'nodeport-addresses': ['10.0.0.0/8'] },
    ],
    [['--iptables-localhost-nodeports'], {}],
    [['--iptables-localhost-nodeports=false'], { 'iptables-localhost-nodeports': false }],
    [['--pod-bridge-interface=cni0'], { 'pod-bridge-interface': 'cni0' }],
    [['lab', '--overlay', 'vxlan', '--keep'], { overlay: 'vxlan', keep: true }],
    [['render', '-o', 'json', '--family=IPv6'], { output: 'json', family: 'IPv6' }],
  ])('%j', (argv, said) => {
    expect(parsed(...argv).said).toEqual(said);
  });
});

describe('flags of kube-proxy without effect', () => {
  test('are answered with a warning where they ask for something else than the default', () => {
    const { warnings } = parsed(
      '--ipvs-scheduler=rr',
      '--ipvs-tcp-timeout=0s',
      '--ipvs-sync-period=0m30s',
      '--ipvs-strict-arp',
      '--ipvs-strict-arp=false',
      '--boot-id-file=/x',
    );
    expect(warnings).toEqual([
      '--ipvs-scheduler has no effect yet (IPVS only)',
      '--boot-id-file has no effect yet (where the boot id is read)',
    ]);
  });

  test('are refused where going on would not be what was asked', () => {
    expect(faults('--init-only', '--write-config-to=x')).toEqual([
      '--init-only is not supported (prepares the node and exits)',
      '--write-config-to is not supported (writes the configuration to a file and exits)',
    ]);
    expect(faults('--init-only=false', '--write-config-to=')).toEqual([]);
  });
});

describe('flags beside --config', () => {
  test('are named where the file counts in their place', () => {
    const argv = ['--config=f', '--cluster-cidr=10.0.0.0/8', '--ipvs-scheduler=rr', '-v=7'];
    expect(parsed(...argv, '--hostname-override=n', '--healthz-port=1').warnings).toEqual([
      '--cluster-cidr, --ipvs-scheduler, --healthz-port: no effect, because --config is given',
    ]);
  });

  test('are no reason for a warning where they count', () => {
    const argv = [
      '--config=f',
      '-v=7',
      '--hostname-override=n',
      '--nft-input=text',
      '--manifests=m',
    ];
    expect(parsed(...argv).warnings).toEqual([]);
  });
});

test('the words that a command is told, between its flags, also where they are names of commands', () => {
  const told = (...argv: string[]) => parseArgs(argv).operands;
  expect(told('explain', 'node', '--live', 'web/shop:80')).toEqual(['node', 'web/shop:80']);
  expect(told('explain', 'run', '--', '-odd')).toEqual(['run', '-odd']);
  expect(told('diff', '--manifests=m')).toEqual([]);
});

describe('faults', () => {
  test.each<[argv: string[], lines: string[]]>([
    [['--proxymod=x'], ['unknown flag --proxymod; did you mean --proxy-mode?']],
    [['--zzzzzzzzzz', 'value', 'diff'], ['unknown flag --zzzzzzzzzz']],
    [['-proxy-mode=nftables'], ['unknown flag -proxy-mode; did you mean --proxy-mode?']],
    [['-version'], ['unknown flag -version; did you mean --version?']],
    [['-x'], ['unknown flag -x']],
    [['--a\u001b[2J'], ['unknown flag "--a\\u001b[2J"']],
    [['--manifests'], ['--manifests needs a value']],
    [['difff'], ['unknown command "difff"; did you mean diff?']],
    [['run', 'now'], ['unexpected argument "now"']],
    [['help', 'difff'], ['unknown command "difff"; did you mean diff?']],
    [['ruun'], ['unknown command "ruun"; did you mean run?']],
    [['help', 'ruun'], ['unknown command "ruun"; did you mean run?']],
    [
      ['status', '-f', 'm'],
      ['--manifests is not a flag of status, only of run, diff, explain, verify, render, takeover'],
    ],
    [['help', 'diff', 'lab'], ['unexpected argument "lab"']],
    [['run', '--', '--v'], ['unexpected argument "--v"']],
    [['explain'], ['explain needs FROM TO:PORT[/PROTOCOL]']],
    [['explain', 'node'], ['explain needs TO:PORT[/PROTOCOL]']],
    [['explain', 'node', 'a:1', 'b:2'], ['unexpected argument "b:2"']],
    [['--masquerade-all', 'false'], ['unexpected argument "false": write --masquerade-all=false']],
    [['--masquerade-all=false', 'diff', '--keep'], ['--keep is not a flag of diff, only of lab']],
    [['--masquerade-all=yes'], ['--masquerade-all: "yes" is not true or false']],
    [
      ['--proxy-mode=ipvs'],
      ['--proxy-mode: ipvs is not supported, and deprecated in kube-proxy: use nftables'],
    ],
    [['--proxy-mode=x'], ['--proxy-mode: "x" is not one of nftables, iptables']],
    [['--proxy-mode=toString'], ['--proxy-mode: "toString" is not one of nftables, iptables']],
    [['--iptables-masquerade-bit=32'], ['--iptables-masquerade-bit: 32 is not from 0 to 31']],
    [
      ['--cluster-cidr=10.244.0.0'],
      ['--cluster-cidr: "10.244.0.0" is not a CIDR, or several separated by commas'],
    ],
    [
      ['--detect-local-mode=Everywhere'],
      [
        '--detect-local-mode: "Everywhere" is not one of ClusterCIDR, NodeCIDR, BridgeInterface, InterfaceNamePrefix',
      ],
    ],
    [
      ['--nodeport-addresses=192.168.0.1', '--nodeport-addresses=10.0.0.0/8,Primary'],
      [
        '--nodeport-addresses: "192.168.0.1" is not a CIDR, or several separated by commas, or primary',
        '--nodeport-addresses: "10.0.0.0/8,Primary" is not a CIDR, or several separated by commas, or primary',
      ],
    ],
    [
      ['--nodeport-addresses=10.0.0.0/8,', '--iptables-localhost-nodeports=maybe'],
      [
        '--nodeport-addresses: "10.0.0.0/8," is not a CIDR, or several separated by commas, or primary',
        '--iptables-localhost-nodeports: "maybe" is not true or false',
      ],
    ],
    [
      ['--pod-bridge-interface=cni+', '--conntrack-udp-timeout=5'],
      [
        '--pod-bridge-interface: "cni+" is not an interface name: 1 to 15 letters, digits, or any of _ . @ -',
        '--conntrack-udp-timeout: "5" is not a duration such as 30s or 15m0s',
      ],
    ],
  ])('of %j', (argv, lines) => {
    expect(faults(...argv)).toEqual(lines);
  });

  test('come all at once', () => {
    expect(faults('dif', '--proxymod=x', '-v', 'two', '--color=red', '--against')).toEqual([
      'unknown command "dif"; did you mean diff?',
      'unknown flag --proxymod; did you mean --proxy-mode?',
      '--v: "two" is not a whole number',
      '--color: "red" is not one of auto, always, never',
      '--against is not a flag of run, only of diff',
    ]);
  });

  test('are the only thing that any arguments can lead to', () => {
    const name = fc.constantFrom(
      ...flags.map((flag) => `--${flag.name}`),
      '-v',
      '-h',
      '-',
      '--',
      'diff',
    );
    const word = fc.oneof(
      name,
      fc.string(),
      fc.tuple(name, fc.string()).map((pair) => pair.join('=')),
    );
    fc.assert(
      fc.property(fc.array(word), (argv) => {
        // Whatever is said of them is said in printable lines.
        for (const line of faults(...argv)) expect(line).toMatch(/^[^\p{C}]+$/u);
      }),
    );
  });
});

test('every flag has a name of its own, a line of help, and a default that its own kind allows', () => {
  const names = flags.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  expect(flags.filter(({ help }) => !/^[^\n]+$/.test(help))).toEqual([]);
  const unset = flags.filter((flag) => flag.default === undefined).map(({ name }) => name);
  const gates = ['refuse-if-endpoints-lost', 'refuse-if-services-lost'];
  expect(unset).toEqual(['manifests', 'daemon', 'against', ...gates, 'step', 'family']);
});
