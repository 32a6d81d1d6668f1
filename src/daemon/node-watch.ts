// Whether the objects have this node's Node, and whether that is about this host: under any other name, and with the
// addresses of another host, rules come out that look right and are not.
import { noNodeText } from '../cluster/doubts/no-node.ts';
import { printable, quoted } from '../cluster/problem.ts';
import type { Core } from './core.ts';
import type { DaemonPart } from './daemon-part.ts';
import type { Troubles } from './events/troubles.ts';

/** What it looks at, and who hears of it. */
export type NodeWatchOptions = Pick<Core, 'config' | 'state' | 'host'> & {
  readonly troubles: Pick<Troubles, 'set'>;
};

/** Looks after each pass, and now and then, as addresses of a host come and go. */
export function nodeWatch(options: NodeWatchOptions): DaemonPart {
  const { config, state, troubles } = options;
  const look = (): void => {
    const note = state.node === undefined ? noNodeText([...state.objects()], config.nodeName) : '';
    troubles.set({ kind: 'NoNode', note });
    troubles.set({ kind: 'NodeAddresses', note: addressesNote(options) });
  };
  return {
    ended: look,
    goOn() {
      look();
      return false;
    },
  };
}

function addressesNote({ config, state: { node }, host }: NodeWatchOptions): string {
  const isChosen = config.bindAddress !== '0.0.0.0' && config.bindAddress !== '::';
  if (isChosen || node === undefined || node.ips.length === 0) return '';
  const here = new Set(host.hostIps());
  if (node.ips.some((ip) => here.has(ip))) return '';
  const what = `no interface of this host has an address of Node ${quoted(node.name)} (${node.ips.join(', ')})`;
  return printable(`${what}: is this the host of that Node? --bind-address names another address`);
}
