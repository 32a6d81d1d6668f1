// What each block of the documents needs to be run, by its first command; and what cannot be run here.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { onTestFinished } from 'vitest';
import { editedManifest, lossyManifest, manifest } from '../cli/services.ts';
import { loadKubeProxy, writeManifest } from '../kernel/kube-proxy-node.ts';
import { manifestDigest, type SluiceProcess } from '../../src/lab/sluice-process.ts';
import { replaceFile } from '../support/network-namespace.ts';
import { manifestOf } from '../support/service-objects.ts';
import { root } from './blocks.ts';
import { local, shop, two } from './objects.ts';
import type { Place, Scene } from './scene.ts';

/** Commands that no test of a document runs, and why. */
export const notRunHere: readonly (readonly [command: RegExp, why: string])[] = [
  [/^docker /, 'needs docker, and a registry'],
  [/^kubectl (?!.*\| sluice )/, 'needs a cluster'],
  [/^sed .*\| kubectl apply/, 'needs a cluster'],
  [/^npm run kind:up/, 'needs docker and kind'],
  [/^KUBECONFIG=FILE npm run e2e:cluster$/, 'needs a cluster; test/lab has a stand-in'],
  [/^ip netns exec sluice-4711-/, 'is in a lab of somebody; test/lab/command.test.ts has one'],
  [/^npm ci && npm test$/, 'is what runs this'],
  [
    /^sluice run --dry-run --kubeconfig /,
    'follows a cluster until it is stopped; test/lab has one',
  ],
  [/^sluice lab .*--keep$/, 'goes on until Ctrl-C; test/lab ends it'],
  [/^sluice completion fish \| source$/, 'is for fish; test/cli/completion.test.ts has one'],
];

/** A daemon that follows services.yaml, after these versions of it. */
async function daemon(
  place: Place,
  texts: readonly string[],
  flags: readonly string[] = ['--cluster-cidr', ''],
): Promise<SluiceProcess> {
  const manifests = join(place.folder, 'services.yaml');
  const [first = '', ...others] = texts;
  await replaceFile(manifests, first);
  const sluice = place.start({ manifests, proxyMode: 'nftables', flags });
  await sluice.inStep(manifestDigest(first));
  for (const text of others) {
    await replaceFile(manifests, text);
    await sluice.inStep(manifestDigest(text));
  }
  return sluice;
}

/** The kernel in step with services.yaml, and nobody there. */
async function applied(place: Place, text: string, cidr = ''): Promise<void> {
  const sluice = await daemon(place, [text], ['--cluster-cidr', cidr]);
  await sluice.stop();
}

const example = async (place: Place): Promise<void> => {
  const text = await readFile(join(root, 'manifests/examples/services.yaml'), 'utf8');
  for (const file of ['services', 'shop', 'web', 'cluster'])
    await place.write(`${file}.yaml`, text);
};

async function edited(place: Place): Promise<void> {
  await applied(place, shop.before, '10.244.0.0/16');
  await place.write('services.yaml', shop.after);
  for (const port of [40_001, 40_002, 40_003]) {
    const to = `-s 10.244.1.9 -d 10.96.0.53 --sport ${port} --dport 53`;
    const back = `-r 10.244.2.53 -q 10.244.1.9 --reply-port-src 5353 --reply-port-dst ${port}`;
    await place.type(`conntrack -I -p udp -t 600 ${to} ${back}`);
  }
}

// A network of which nobody is there.
const toLan = `ip link add eth0 type veth peer name far; ip addr add 192.168.10.11/24 dev eth0
  ip link set far up; ip link set eth0 up; ip route add default via 192.168.10.99`;

const milliseconds = [/ \d+\.\d +(?=[A-Z\d])/g, ' MS '] as const;
async function history(place: Place): Promise<void> {
  await daemon(place, [manifest, editedManifest, lossyManifest]);
}

const scenes: Readonly<Record<string, Scene>> = {
  'npm ci && bin/sluice lab': {
    isOnHost: true,
    varying: [
      [/\b\d+x/g, 'Nx'],
      // On standard error.
      [/^(making|running|asking|taking) .*\n/gm, ''],
    ],
  },
  'sluice diff --manifests services.yaml --cluster-cidr 10.244.0.0/16': { prepare: edited },
  'sluice diff --manifests services.yaml': {
    prepare: async (place) => {
      await loadKubeProxy(place, 'iptables');
      await writeManifest(place);
    },
  },
  'sluice diff --manifests services.yaml --refuse-if-endpoints-lost 30% > plan.txt': {
    prepare: edited,
  },
  'sluice explain 192.168.10.99 192.0.2.10:80 --manifests services.yaml --cluster-cidr 10.244.0.0/16':
    {
      prepare: async (place) => {
        await place.type(toLan);
        await place.write('services.yaml', local);
      },
    },
  'sluice explain node demo/web --live --manifests services.yaml --cluster-cidr 10.244.0.0/16': {
    prepare: async (place) => {
      await applied(place, two, '10.244.0.0/16');
      await place.type(toLan);
      const rule = 'add rule inet firewall out tcp dport 8080 drop comment \\"no pods\\"';
      const chain = 'add chain inet firewall out { type filter hook output priority 0; }';
      await place.type(`nft "add table inet firewall; ${chain}; ${rule}"`);
    },
  },
  'sluice doctor': {
    prepare: async (place) => {
      await place.type('nft add table ip kube-proxy; sysctl -w net.ipv4.ip_forward=0');
      await place.type('sysctl -w net.ipv4.ip_local_port_range="20000 60999"');
    },
    varying: [
      [/\d+ of \d+ entries/g, 'N of N entries'],
      [/^\d+ ok/gm, 'N ok'],
    ],
  },
  'sluice verify --manifests services.yaml': {
    prepare: async (place) => {
      const web = { name: 'web', ip: '10.96.0.10', endpoints: ['10.244.1.1', '10.244.1.2'] };
      await applied(place, manifestOf([web]));
      const slot = '10.96.0.10 . 80 . 0';
      await place.type(`nft "delete element ip sluice endpoints-tcp { ${slot} }; \\
        add element ip sluice endpoints-tcp { ${slot} : 192.0.2.1 . 81 }; \\
        add rule ip sluice cluster-ips-check counter; add chain ip sluice theirs"`);
    },
  },
  'sluice verify --manifests services.yaml --probe': {
    prepare: async (place) => {
      const dead = { name: 'web', ip: '10.96.0.10', endpoints: ['10.244.1.1', '10.244.1.2'] };
      const idle = { name: 'idle', ip: '10.96.0.11', endpoints: [] };
      await place.type('for i in 1 2; do ip addr add 10.244.1.$i/32 dev lo; done');
      await place.type(toLan);
      await applied(place, manifestOf([dead, idle]));
    },
  },
  'sluice status': { prepare: history, varying: [milliseconds] },
  'sluice status --passes > record.json': { prepare: history },
  'sluice top': {
    prepare: async (place) => {
      const pods = ['11', '12', '41', '42', '43'].map((host) => `10.244.2.${host}`);
      await place.type(`for ip in ${pods.join(' ')}; do ip addr add $ip/32 dev lo; done`);
      await place.type('ip route add 10.96.0.0/16 dev lo');
      await daemon(place, [manifest], ['--service-counters', 'endpoints']);
      const ask = (host: number) => `(exec 3<>/dev/tcp/10.96.0.${host}/80) 2>/dev/null`;
      await place.type(`for i in $(seq 100); do ${ask(40)}; ${ask(10)}; done`);
      const loop = `while :; do ${ask(40)}; ${ask(40)}; ${ask(10)}; done`;
      const clients = execa('ip', ['netns', 'exec', place.name, 'bash', '-c', loop], {
        reject: false,
      });
      onTestFinished(() => void clients.kill('SIGKILL'));
    },
    varying: [[/(?<=[ ,])\d+(\.\d)?[%x]?(?=\s)/gm, 'N']],
  },
  'source <(sluice completion bash)': {
    prepare: async (place) => {
      await place.type('mkdir -p .config/fish/completions');
    },
  },
  'sluice takeover --shadow --manifests services.yaml --cluster-cidr 10.244.0.0/16,fd00:244::/32': {
    prepare: async (place) => {
      await loadKubeProxy(place, 'iptables');
      await writeManifest(place);
    },
  },
  'kubectl get svc,endpointslices,nodes -A -o yaml | sluice diff --manifests -': {
    prepare: async (place) => {
      await example(place);
      await place.type('printf "#!/bin/sh\\ncat shop.yaml\\n" > kubectl; chmod +x kubectl');
    },
  },
  'sluice explain node shop/web:http --live': {
    prepare: async (place) => {
      await place.type(toLan);
      await daemon(place, [shop.after]);
    },
  },
  'sluice verify --manifests shop.yaml --probe': { prepare: example },
  'sluice top --sort idle': { prepare: history },
  'sluice replay record.json --step 12 --rules': {
    prepare: async (place) => {
      const texts = Array.from({ length: 11 }, (_, index) =>
        index % 2 === 0 ? editedManifest : manifest,
      );
      const sluice = await daemon(place, [manifest, ...texts]);
      await place.type('sluice status --passes > record.json');
      await sluice.stop();
    },
  },
  'sluice render --manifests web.yaml | nft -f -': { prepare: example },
  'sluice cleanup --proxy-mode iptables --dry-run': {},
  'sluice takeover --manifests cluster.yaml --shadow': { prepare: example },
  'sluice doctor --proxy-mode iptables': {},
};

/** The scene of a block that begins with this command. */
export function sceneOf(command: string): Scene | undefined {
  return Object.hasOwn(scenes, command) ? scenes[command] : undefined;
}
