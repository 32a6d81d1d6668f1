// Files of --config that are not taken: each fault names the line, the field and its value.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fields } from '../../../src/config/fields.ts';
import { configFromText } from '../../../src/config/load-config.ts';
import { faultsIn, faultsOf, header, lineFor } from './load.ts';

describe('a file is refused', () => {
  test.each<[what: string, text: string, faults: readonly string[]]>([
    [
      'that is empty',
      '',
      [
        'FILE:1: apiVersion: is missing: it must be kubeproxy.config.k8s.io/v1alpha1',
        'FILE:1: kind: is missing: it must be KubeProxyConfiguration',
      ],
    ],
    [
      'of another kind',
      'apiVersion: kubeproxy.config.k8s.io/v1alpha1\nkind: KubeletConfiguration\nport: 1\n',
      ['FILE:2: kind: "KubeletConfiguration" is not known: it must be KubeProxyConfiguration'],
    ],
    [
      'of another version',
      'apiVersion: kubeproxy.config.k8s.io/v1\nkind: KubeProxyConfiguration\n',
      [
        'FILE:1: apiVersion: "kubeproxy.config.k8s.io/v1" is not known: it must be kubeproxy.config.k8s.io/v1alpha1',
      ],
    ],
    ['that is a list', '- a\n', ['FILE:1: a list is not a KubeProxyConfiguration']],
    ['that is no YAML', `${header}mode: [\n`, ['FILE:4: deficient indentation']],
    [
      'with an unquoted ::',
      `${header}bindAddress: ::\n`,
      ['FILE:3: bad indentation of a mapping entry'],
    ],
  ])('%s', (_what, text, faults) => {
    expect(faultsIn(() => configFromText(text, lineFor()))).toEqual(faults);
  });

  test('with more aliases than people write', () => {
    const body = `a: &a [1]\nb: [${'*a, '.repeat(1001)}]\n`;
    expect(faultsOf(body)).toEqual(['FILE:4: aliases exceeded maxAliases (1000)']);
  });

  test('that is nested too deeply', () => {
    const body = `a: ${'['.repeat(5000)}${']'.repeat(5000)}\n`;
    expect(faultsOf(body)).toEqual(['FILE:3: nesting exceeded maxDepth (100)']);
  });

  test('with faults in what an alias or a merge brings in', () => {
    const body = 'x: &x {min: -4}\nconntrack:\n  <<: *x\n  maxPerCore: -2\n';
    expect(faultsOf(body)).toEqual([
      'FILE:4: conntrack.min: -4 is less than 0',
      'FILE:6: conntrack.maxPerCore: -2 is less than 0',
    ]);
    expect(faultsOf('x: &x {min: -4}\nconntrack: *x\n')).toEqual([
      'FILE:4: conntrack.min: -4 is less than 0',
    ]);
  });

  test.each<[body: string, fault: string]>([
    ['mode: 5', '3: mode: 5 is not a string'],
    ['conntrack: 5', '3: conntrack: 5 is not an object'],
    ['conntrack: {min: "5"}', '3: conntrack.min: "5" is not a whole number'],
    ['conntrack: {min: 1.5}', '3: conntrack.min: 1.5 is not a whole number'],
    ['enableProfiling: "1"', '3: enableProfiling: "1" is not true or false'],
    ['configSyncPeriod: 30', '3: configSyncPeriod: 30 is not a duration such as 30s or 15m0s'],
    ['clientConnection: {qps: fast}', '3: clientConnection.qps: "fast" is not a number'],
    ['nodePortAddresses: 10.0.0.0/8', '3: nodePortAddresses: "10.0.0.0/8" is not a list of CIDRs'],
    ['ipvs: {excludeCIDRs: [a]}', '3: ipvs.excludeCIDRs[0]: "a" is not a CIDR'],
    ['featureGates: [a]', '3: featureGates: a list is not an object of names with true or false'],
    [
      'featureGates: {A: 1}',
      '3: featureGates: an object is not an object of names with true or false',
    ],
    [
      'logging: {vmodule: [{filePattern: a}]}',
      '3: logging.vmodule: a list is not a list of filePattern with verbosity',
    ],
    [
      'logging: {options: {text: {infoBufferSize: big}}}',
      '3: logging.options.text.infoBufferSize: "big" is not a quantity such as 0 or 64Ki',
    ],
    ['logging: {format: xml}', '3: logging.format: "xml" is not one of auto, text, json'],
    [
      'detectLocal: {bridgeInterface: "cni*"}',
      '3: detectLocal.bridgeInterface: "cni*" is not an interface name: 1 to 15 letters, digits, or any of _ . @ -',
    ],
  ])('for a field of the wrong type: %s', (body, fault) => {
    expect(faultsOf(`${body}\n`)).toEqual([`FILE:${fault}`]);
  });

  test('with all that is wrong at once', () => {
    const body = `mode: ipvs
conntrack:
  min: -1
  maxPerCore: x
bindAddress: 1.2.3.4:80
nodePortAddresses: [primary, 10.0.0.0/8]
detectLocalMode: BridgeInterface
hostnameOverride: a b
`;
    expect(faultsOf(body)).toEqual([
      'FILE:3: mode: ipvs is not supported, and deprecated in kube-proxy: use nftables',
      'FILE:6: conntrack.maxPerCore: "x" is not a whole number',
      'FILE:5: conntrack.min: -1 is less than 0',
      'FILE:8: nodePortAddresses: primary must stand alone, not in primary,10.0.0.0/8',
      'FILE:10: hostnameOverride: "a b" cannot be the name of a node',
      'FILE:9: detectLocalMode: BridgeInterface needs detectLocal.bridgeInterface',
      'FILE:7: bindAddress: "1.2.3.4:80" is not an IP address',
    ]);
  });

  test('in printable lines, whatever it holds', () => {
    const file = fc.oneof(fc.string({ unit: 'binary' }), fc.json(), jsonOfFields());
    fc.assert(
      fc.property(file, (text) => {
        for (const whole of [text, `${header}${text}`]) {
          for (const line of faultsIn(() => configFromText(whole, lineFor()))) {
            expect(line).toMatch(/^FILE(:\d+: )?[^\p{C}]+$/u);
          }
        }
      }),
    );
  });
});

/** The text of an object that has some fields, with whatever values. */
function jsonOfFields() {
  const name = fc.constantFrom(...fields.map(({ path }) => path.split('.')[0] as string));
  return fc.dictionary(name, fc.jsonValue()).map((object) => JSON.stringify(object, undefined, 1));
}
