import fc from 'fast-check';
import ipaddr from 'ipaddr.js';
import { expect, test } from 'vitest';
import type { DispatchRule } from '../../../../src/backends/iptables/dispatch/tree.ts';
import { DispatchTree } from '../../../../src/backends/iptables/dispatch/tree.ts';
import {
  addressDigits,
  addressMatch,
} from '../../../../src/backends/iptables/dispatch/address-prefix.ts';
import { portDigits, portMatch } from '../../../../src/backends/iptables/dispatch/port-prefix.ts';
import type { Ip } from '../../../../src/model/ip.ts';
import { familyOf } from '../../../../src/model/ip.ts';
import type { Protocol } from '../../../../src/model/kubernetes.ts';
import { ip } from './fixture.ts';

const root = 'KUBE-SERVICES';

type AddressRule = DispatchRule & { readonly address: { readonly ip: Ip } };

function rule(address: string, port: number): AddressRule {
  const text = `-d ${address} --dport ${port} -j SERVICE`;
  const to = { ip: ip(address), protocol: 'tcp', port } as const;
  return { address: to, digits: addressDigits(to.ip), text };
}

// Addresses in clusters of different widths, so that all depths and shared prefixes occur.
const rulesV4 = fc.tuple(
  fc.constantFrom('10.96.0', '10.96.1', '10.97.255', '10.111.16', '192.0.2', '1.0.0'),
  fc.integer({ min: 0, max: 255 }),
  fc.integer({ min: 1, max: 4 }),
);
const rulesV6 = fc.tuple(
  fc.constantFrom('fd00:96::', 'fd00:96::1:', 'fd00:97::', '2001:db8::f:', '64:ff9b::'),
  fc.integer({ min: 1, max: 255 }),
  fc.integer({ min: 1, max: 4 }),
);
// Without a size, fast-check makes lists too short to branch.
const distinct = {
  selector: (found: DispatchRule) => found.text,
  maxLength: 120,
  size: 'max',
} as const;
const sets: fc.Arbitrary<readonly AddressRule[]> = fc.oneof(
  fc.uniqueArray(
    rulesV4.map(([net, host, port]) => rule(`${net}.${host}`, port)),
    distinct,
  ),
  fc.uniqueArray(
    rulesV6.map(([net, host, port]) => rule(net + host.toString(16), port)),
    distinct,
  ),
  // Many ports of few addresses.
  fc.uniqueArray(
    fc
      .tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 65535 }))
      .map(([host, port]) => rule(`10.96.0.${host}`, port)),
    distinct,
  ),
);

function emptyTree(rules: readonly AddressRule[]): DispatchTree {
  const family = rules[0] === undefined ? 'IPv4' : familyOf(rules[0].address.ip);
  return new DispatchTree(addressMatch(family), { root, branches: 'KUBE-SVCS' });
}

function treeOf(rules: readonly AddressRule[]): DispatchTree {
  const tree = emptyTree(rules);
  for (const added of rules) tree.insert(added);
  return tree;
}

function contentOf(tree: DispatchTree): ReadonlyMap<string, readonly string[] | undefined> {
  return new Map([...tree.chains()].map((chain) => [chain, tree.rules(chain)]));
}

/** The rules that a packet to `address` meets, branches followed where their prefix has it. */
function* met(tree: DispatchTree, address: string, chain = root): Generator<string> {
  for (const text of tree.rules(chain) ?? []) {
    const [, cidr, branch] = /^-d (\S+) -j (KUBE-SVCS-\S+)$/.exec(text) ?? [];
    if (cidr === undefined) yield text;
    else if (ipaddr.parse(address).match(ipaddr.parseCIDR(cidr))) yield* met(tree, address, branch);
  }
}

test('the chains follow from the set of entries, not from the order in which they came', () => {
  const shuffled = sets.chain((rules) =>
    fc.tuple(
      fc.constant(rules),
      fc.shuffledSubarray([...rules], { minLength: rules.length, maxLength: rules.length }),
    ),
  );
  fc.assert(
    fc.property(shuffled, ([rules, others]) => {
      expect(contentOf(treeOf(others))).toEqual(contentOf(treeOf(rules)));
    }),
  );
});

test('removing entries gives the tree of the rest, and says which chains that touches', () => {
  const parts = sets.chain((rules) => fc.tuple(fc.constant(rules), fc.subarray([...rules])));
  fc.assert(
    fc.property(parts, ([rules, gone]) => {
      const tree = treeOf(rules);
      const before = contentOf(tree);
      const touched = new Set<string>();
      for (const one of gone) for (const chain of tree.remove(one)) touched.add(chain);
      const after = contentOf(tree);
      const rest = rules.filter((one) => !gone.includes(one));
      const fresh = emptyTree(rules);
      for (const one of rest) fresh.insert(one);
      expect(after).toEqual(contentOf(fresh));
      for (const chain of new Set([...before.keys(), ...after.keys()])) {
        if (!touched.has(chain)) expect(after.get(chain)).toEqual(before.get(chain));
      }
    }),
  );
});

test('inserting says which chains it touches', () => {
  fc.assert(
    fc.property(sets, (rules) => {
      const tree = treeOf(rules.slice(1));
      const before = contentOf(tree);
      const [last] = rules;
      if (
        last === undefined ||
        (rules[1] ?? last).address.ip.includes(':') !== last.address.ip.includes(':')
      ) {
        return;
      }
      const touched = tree.insert(last);
      const after = contentOf(tree);
      for (const chain of new Set([...before.keys(), ...after.keys()])) {
        if (!touched.has(chain)) expect(after.get(chain)).toEqual(before.get(chain));
      }
    }),
  );
});

test('a packet meets each entry of its address once, and few others', () => {
  fc.assert(
    fc.property(sets, (rules) => {
      const tree = treeOf(rules);
      for (const address of new Set(rules.map((one) => one.address.ip))) {
        const found = [...met(tree, address)].filter((text) => text.startsWith(`-d ${address} `));
        const own = rules.filter((one) => one.address.ip === address).map(({ text }) => text);
        expect(found.toSorted()).toEqual(own.toSorted());
      }
    }),
  );
});

test('no chain is longer than 16 rules, unless all are of one address', () => {
  fc.assert(
    fc.property(sets, (rules) => {
      for (const texts of contentOf(treeOf(rules)).values()) {
        const addresses = new Set(texts?.map((text) => text.split(' ')[1]));
        if (addresses.size > 1) expect(texts?.length).toBeLessThanOrEqual(16);
      }
    }),
  );
});

test('sixteen entries stand in the root, the next one splits it where they differ', () => {
  const tree = treeOf(Array.from({ length: 16 }, (_, host) => rule(`10.96.0.${host}`, 80)));
  expect([...tree.chains()]).toEqual([root]);
  const touched = tree.insert(rule('10.96.17.1', 80));
  expect(touched).toEqual(new Set([root, 'KUBE-SVCS-0A600', 'KUBE-SVCS-0A601']));
  expect(tree.rules(root)).toEqual([
    '-d 10.96.0.0/20 -j KUBE-SVCS-0A600',
    '-d 10.96.16.0/20 -j KUBE-SVCS-0A601',
  ]);
  expect(tree.rules('KUBE-SVCS-0A601')).toEqual(['-d 10.96.17.1 --dport 80 -j SERVICE']);
});

test('entries of the same address and port stand side by side, and go one by one', () => {
  const one = rule('10.96.0.1', 80);
  const another = { ...one, text: 'other' };
  const tree = treeOf([another, one]);
  expect(tree.rules(root)).toEqual([one.text, 'other']);
  tree.remove(one);
  expect(tree.rules(root)).toEqual(['other']);
});

test.each([
  ['many addresses', (n: number) => rule(`10.96.0.${n}`, 80)],
  ['many ports of one address', (n: number) => rule('10.96.0.1', n)],
])('where one branch of %s is left, its level goes', (_, one) => {
  const rules = Array.from({ length: 20 }, (_value, n) => one(n + 1));
  const tree = treeOf(rules);
  tree.insert(rule('10.111.0.1', 80));
  tree.remove(rule('10.111.0.1', 80));
  expect(contentOf(tree)).toEqual(contentOf(treeOf(rules)));
});

function portRule(protocol: Protocol, port: number): DispatchRule {
  const address = { ip: undefined, protocol, port };
  const text = `-p ${protocol} --dport ${port} -j SERVICE`;
  return { address, digits: portDigits(address), text };
}

const portRules = fc.uniqueArray(
  fc
    .tuple(
      fc.constantFrom<Protocol>('tcp', 'udp', 'sctp'),
      fc.oneof(fc.integer({ min: 30000, max: 32767 }), fc.integer({ min: 1, max: 65535 })),
    )
    .map(([protocol, port]) => portRule(protocol, port)),
  { ...distinct, maxLength: 300 },
);

function portTreeOf(rules: readonly DispatchRule[]): DispatchTree {
  const tree = new DispatchTree(portMatch, { root: 'KUBE-NODEPORTS', branches: 'KUBE-NPS' });
  for (const added of rules) tree.insert(added);
  return tree;
}

/** The rules that a packet to a node port meets, branches followed where their range has it. */
function* metAtPort(
  tree: DispatchTree,
  at: { readonly protocol: string; readonly port: number },
  chain: string,
): Generator<string> {
  const rules: readonly string[] = tree.rules(chain) ?? [];
  for (const text of rules) {
    const branch = /^-p (\S+)(?: -m \1 --dport (\d+)(?::(\d+))?)? -j (KUBE-NPS-\S+)$/.exec(text);
    if (branch === null) yield text;
    else {
      const [, protocol, first = '0', last = branch[2] ?? '65535', target = ''] = branch;
      const isIn = Number(first) <= at.port && at.port <= Number(last);
      if (protocol === at.protocol && isIn) yield* metAtPort(tree, at, target);
    }
  }
}

test('a packet to a node port meets its entry once, in chains of at most 16 rules', () => {
  fc.assert(
    fc.property(portRules, (rules) => {
      const tree = portTreeOf(rules);
      for (const chain of tree.chains()) expect(tree.rules(chain)?.length).toBeLessThanOrEqual(16);
      for (const { address, text } of rules) {
        const found: readonly string[] = [...metAtPort(tree, address, 'KUBE-NODEPORTS')];
        expect(found.filter((one) => one === text)).toEqual([text]);
        expect(found.length).toBeLessThanOrEqual(16);
      }
    }),
  );
});

test('the chains of node ports follow from the set of entries, whatever came and went', () => {
  const parts = portRules.chain((rules) => fc.tuple(fc.constant(rules), fc.subarray([...rules])));
  fc.assert(
    fc.property(parts, ([rules, gone]) => {
      const tree = portTreeOf(rules);
      for (const one of gone) tree.remove(one);
      const rest = rules.filter((one) => !gone.includes(one)).toReversed();
      expect(contentOf(tree)).toEqual(contentOf(portTreeOf(rest)));
    }),
  );
});

test('node ports branch by protocol, then by ranges of numbers', () => {
  const one = (protocol: Protocol, port: number): DispatchRule => ({
    ...portRule(protocol, port),
    text: `${protocol} ${port}`,
  });
  const tcp = Array.from({ length: 17 }, (_, index) => one('tcp', 30000 + index));
  const tree = portTreeOf([...tcp, one('udp', 30000)]);
  expect(contentOf(tree)).toEqual(
    new Map([
      ['KUBE-NODEPORTS', ['-p tcp -j KUBE-NPS-T', '-p udp -j KUBE-NPS-U']],
      [
        'KUBE-NPS-T',
        [
          '-p tcp -m tcp --dport 30000:30015 -j KUBE-NPS-T753',
          '-p tcp -m tcp --dport 30016:30031 -j KUBE-NPS-T754',
        ],
      ],
      ['KUBE-NPS-T753', tcp.slice(0, 16).map(({ text }) => text)],
      ['KUBE-NPS-T754', ['tcp 30016']],
      ['KUBE-NPS-U', ['udp 30000']],
    ]),
  );
});
