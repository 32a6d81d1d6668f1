// ClusterIPs, node ports and load balancer addresses are answered alike over every pod network of the
// lab, by both backends. Needs root.
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createLab, type Lab } from '../../src/lab/lab.ts';
import { overlays } from '../../src/lab/topology.ts';
import type { ProxyMode } from '../../src/model/config.ts';
import { readCase } from './case.ts';
import { standIn, type Stand } from './stand.ts';

// What crosses nodes, comes back to its pod, or is masqueraded in another way by each network.
const basics = [
  'clusterip-basic',
  'clusterip-no-endpoints',
  'dual-stack',
  'external-ip',
  'hairpin-many',
  'hairpin-single',
  'internal-local',
  'ipv6-only',
  'lb-cluster',
  'lb-local',
  'nodeport-cluster',
  'nodeport-local',
  'udp-basic',
  'udp-endpoint-removed',
] as const;

const modes: readonly ProxyMode[] = ['nftables', 'iptables'];
const sluice = fileURLToPath(new URL('../../bin/sluice', import.meta.url));

describe.each(overlays)('over %s', (overlay) => {
  let lab: Lab;
  beforeAll(async () => {
    lab = await createLab({ overlay });
  });
  afterAll(() => lab?.close());

  // One after the other in the same lab, as on a node whose proxy mode is changed.
  describe.each(modes)('%s', (proxyMode) => {
    let stand: Stand | undefined;
    beforeAll(async () => {
      stand = await standIn({ lab, overlay }, { proxyMode });
    });
    afterAll(async () => {
      await stand?.close();
      await lab.exec('n1', [sluice, 'cleanup', '--proxy-mode', proxyMode]);
    });

    test.each(basics)('%s', async (name) => {
      expect(await stand?.run(await readCase(name))).toEqual([]);
    });
  });
});
