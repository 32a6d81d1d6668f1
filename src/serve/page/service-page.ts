// The page of one Service: for each of its ports the addresses, the way of a connection as a picture, and
// every endpoint with its share or why it has none. Pure.
import type { ClientSide, PathTo } from '../../model/chain-path.ts';
import type { Endpoint, Frontend, Pool, ServiceForwarding } from '../../model/forwarding.ts';
import { hostPort } from '../../model/forwarding.ts';
import { chainPicture } from './chain-picture.ts';
import { html, type Html } from './html.ts';
import { pagePath } from './layout.ts';
import type { PageData } from './overview.ts';
import { addressText, table } from './overview.ts';
import { reasonText } from './reason-text.ts';

const mostRows = 500;

/** The page. */
export function servicePage(
  name: string,
  families: readonly ServiceForwarding[],
  pathsOf: PageData['pathsOf'],
): Html {
  return html`<main>
    <p><a href="${pagePath}#services">All Services</a></p>
    <h1>${name}</h1>
    ${families.map((service) => sectionsOf(service, pathsOf(service)))}
  </main>`;
}

/** Frontends that send to the same endpoints are shown together. */
function sectionsOf({ family, frontends }: ServiceForwarding, pathTo: PathTo): readonly Html[] {
  const alike = Map.groupBy(frontends, ({ portName, address: { protocol }, route }) =>
    JSON.stringify([portName, protocol, route]),
  );
  return [...alike.values()].flatMap((all) => {
    const [first] = all;
    if (first === undefined) return [];
    const port = first.portName === '' ? first.address.protocol : first.portName;
    const kinds = [...new Set(all.map(({ kind }) => kind))].join(', ');
    const open = first.allowFrom === undefined ? 'everybody' : first.allowFrom.join(', ');
    return html`<h2>${family}, port ${port}, ${kinds}: ${fateOf(first)}</h2>
      <dl>
        <dt>Addresses</dt>
        <dd>${all.map((one) => `${one.kind} ${addressText(one)}`).join('; ')}</dd>
        <dt>Open to</dt>
        <dd>${open}</dd>
        <dt>Affinity</dt>
        <dd>${affinityOf(first)}</dd>
      </dl>
      ${waysOf(first).map((way) => wayOf(first, way, pathTo))}`;
  });
}

function fateOf({ route }: Frontend): string {
  if (route.kind === 'drop') return 'dropped';
  if (route.kind === 'reject') return 'refused';
  // All of its endpoints are on other nodes.
  const isInsideOnly = route.kind === 'forward-local' && route.pool.members.length === 0;
  return isInsideOnly ? 'dropped from outside, forwarded from pods and this node' : 'forwarded';
}

function affinityOf({ route: { pool } }: Frontend): string {
  return pool.affinitySeconds === 0
    ? 'none: every connection chooses anew'
    : `a client stays with its endpoint for ${pool.affinitySeconds} s`;
}

type Way = { readonly from: string; readonly client: ClientSide; readonly pool: Pool };

function waysOf({ kind, route }: Frontend): readonly Way[] {
  if (route.kind !== 'forward-local') {
    const client = kind === 'ClusterIP' ? 'pod' : 'outside';
    return [{ from: 'client', client, pool: route.pool }];
  }
  return [
    { from: 'client outside', client: 'outside', pool: route.pool },
    { from: 'pod, or this node', client: 'pod', pool: route.cluster },
  ];
}

function wayOf(frontend: Frontend, { from, client, pool }: Way, pathTo: PathTo): Html {
  const { members, skipped } = pool;
  const share = members.length === 0 ? '' : `${(100 / members.length).toFixed(1)} %`;
  const rows = [
    ...members.map(
      (one) =>
        html`<tr>
          <th scope="row">${nameOf(one)}</th>
          <td class="n">${share}</td>
          <td class="wrap">${placeOf(one)}</td>
        </tr>`,
    ),
    ...skipped.map(
      ({ endpoint, reason }) =>
        html`<tr>
          <th scope="row">${nameOf(endpoint)}</th>
          <td class="n dim">none</td>
          <td class="wrap"><span class="warn">skipped</span>: ${reasonText(reason)}</td>
        </tr>`,
    ),
  ];
  const more = rows.length - mostRows;
  const count = members.length === 1 ? '1 endpoint' : `${members.length} endpoints`;
  return html`<h3>From a ${from}: ${count}, ${skipped.length} skipped</h3>
    <div class="way">
      ${chainPicture(pathTo(frontend, client), { pool, from, to: addressText(frontend) })}
      <div>
        ${
          rows.length === 0
            ? html`<p class="dim">The Service has no endpoint at all.</p>`
            : table(
                `Endpoints for a ${from}`,
                html`<th scope="col">Endpoint</th>
                  <th scope="col" class="n">Share</th>
                  <th scope="col">Where, or why not</th>`,
                rows.slice(0, mostRows),
              )
        }
        ${more > 0 ? html`<p>and ${more} more</p>` : undefined}
      </div>
    </div>`;
}

function nameOf({ ip, port }: Endpoint): string {
  return hostPort(ip, port);
}

function placeOf({ isLocal }: Endpoint): string {
  return isLocal ? 'on this node' : 'on another node';
}
