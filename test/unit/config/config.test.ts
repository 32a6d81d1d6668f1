import { describe, expect, test } from 'vitest';
import { parseArgs } from '../../../src/cli/args.ts';
import { configFromFlags } from '../../../src/config/config.ts';
import { UsageError } from '../../../src/errors.ts';

const config = (argv: readonly string[], hostname = 'host') =>
  configFromFlags(parseArgs(['run', ...argv]).values, hostname);

function faults(argv: readonly string[], hostname?: string): string[] {
  try {
    config(argv, hostname);
  } catch (error) {
    expect(error).toBeInstanceOf(UsageError);
    return (error as UsageError).message.split('\n');
  }
  return [];
}

describe('the Config', () => {
  test('without flags', () => {
    expect(config([], ' Node-1.Example \n')).toEqual({
      proxyMode: 'nftables',
      nodeName: 'node-1.example',
      detectLocal: { mode: 'ClusterCIDR', clusterCidrs: [] },
      masqueradeAll: false,
      masqueradeBit: 14,
      nftInput: 'auto',
    });
  });

  test('with all flags', () => {
    const argv = [
      '--proxy-mode=iptables',
      '--hostname-override= Node-2 ',
      '--cluster-cidr=fd00:244::/56,10.244.0.0/16',
      '--masquerade-all',
      '--iptables-masquerade-bit=0',
      '--nft-input=text',
    ];
    expect(config(argv)).toEqual({
      proxyMode: 'iptables',
      nodeName: 'node-2',
      detectLocal: { mode: 'ClusterCIDR', clusterCidrs: ['fd00:244::/56', '10.244.0.0/16'] },
      masqueradeAll: true,
      masqueradeBit: 0,
      nftInput: 'text',
    });
  });

  test.each([
    [['--detect-local-mode=NodeCIDR', '--cluster-cidr=10.0.0.0/8'], { mode: 'NodeCIDR' }],
    [
      ['--detect-local-mode=BridgeInterface', '--pod-bridge-interface=cni0'],
      { mode: 'BridgeInterface', name: 'cni0' },
    ],
    [
      ['--detect-local-mode=InterfaceNamePrefix', '--pod-interface-name-prefix=veth'],
      { mode: 'InterfaceNamePrefix', prefix: 'veth' },
    ],
  ])('%j', (argv, detectLocal) => {
    expect(config(argv).detectLocal).toEqual(detectLocal);
  });

  test('is frozen through and through', () => {
    const frozen = config(['--cluster-cidr=10.244.0.0/16']);
    const { detectLocal } = frozen;
    expect(Object.isFrozen(frozen) && Object.isFrozen(detectLocal)).toBe(true);
    expect(detectLocal.mode === 'ClusterCIDR' && Object.isFrozen(detectLocal.clusterCidrs)).toBe(
      true,
    );
  });
});

describe('faults', () => {
  test.each<[argv: string[], lines: string[]]>([
    [['--hostname-override=  '], ['--hostname-override: "  " cannot be the name of a node']],
    [['--hostname-override=a b'], ['--hostname-override: "a b" cannot be the name of a node']],
    [
      ['--cluster-cidr=10.1.0.0/16,10.2.0.0/16'],
      ['--cluster-cidr: 10.1.0.0/16,10.2.0.0/16 is not one CIDR, or one of each IP family'],
    ],
    [
      ['--cluster-cidr=10.1.0.0/16,fd00::/64,10.2.0.0/16'],
      [
        '--cluster-cidr: 10.1.0.0/16,fd00::/64,10.2.0.0/16 is not one CIDR, or one of each IP family',
      ],
    ],
    [
      ['--detect-local-mode=BridgeInterface', '--hostname-override=-'],
      [
        '--hostname-override: "-" cannot be the name of a node',
        '--detect-local-mode=BridgeInterface needs --pod-bridge-interface',
      ],
    ],
    [
      ['--detect-local-mode=InterfaceNamePrefix'],
      ['--detect-local-mode=InterfaceNamePrefix needs --pod-interface-name-prefix'],
    ],
  ])('of %j', (argv, lines) => {
    expect(faults(argv)).toEqual(lines);
  });

  test('of a host without a name', () => {
    expect(faults([], ' ')).toEqual(['this host has no name: set --hostname-override']);
    expect(faults(['--hostname-override=n1'], '')).toEqual([]);
  });
});
