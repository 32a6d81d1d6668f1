// The first page: how the daemon stands, what it did last, and all Services. Pure.
import type { PathTo } from '../../model/chain-path.ts';
import type { DaemonStatus, FamilyState, StatusSource } from '../../model/daemon-status.ts';
import type { Frontend, ServiceForwarding } from '../../model/forwarding.ts';
import { hostPort } from '../../model/forwarding.ts';
import type { ServiceKey } from '../../model/kubernetes.ts';
import type { FamilyRecord, PassRecord } from '../../model/pass-record.ts';
import { conflictText } from '../../model/reason.ts';
import { html, type Html } from './html.ts';
import { pagePath } from './layout.ts';
import { timeline } from './timeline.ts';

/** What all pages are made from. */
export type PageData = {
  readonly status: DaemonStatus;
  readonly passes: readonly PassRecord[];
  /** What each Service means, of both families. */
  readonly services: ReadonlyMap<ServiceKey, readonly ServiceForwarding[]>;
  /** Finds the ways of connections to one of them. */
  readonly pathsOf: (service: ServiceForwarding) => PathTo;
};

const servicesAPage = 200;

/** The page; `page` counts from 1. */
export function overview({ status, passes, services }: PageData, page: number): Html {
  const names = [...services.keys()].toSorted();
  const pages = Math.max(1, Math.ceil(names.length / servicesAPage));
  const shown = names.slice((page - 1) * servicesAPage, page * servicesAPage);
  return html`<main>
    <h1>Sluice on ${status.node}</h1>
    ${facts(status)}
    ${status.troubles.map(({ note }) => html`<p><span class="bad">This node</span>: ${note}</p>`)}
    ${status.families.map((family) => notProgrammed(family, services))}
    <h2 id="families">Families</h2>
    ${familyTable(status)}
    <h2 id="passes">The last passes</h2>
    ${passes.length === 0 ? html`<p class="dim">None yet.</p>` : timeline(passes)}
    ${passes.length === 0 ? undefined : passTable(status)}
    <h2 id="services">${names.length} Services</h2>
    ${names.length === 0 ? html`<p class="dim">None yet.</p>` : serviceTable(shown, services)}
    ${pages > 1 ? pageLinks(page, pages) : undefined}
  </main>`;
}

function facts({
  sluice,
  mode,
  tools,
  kernel,
  startedAtMs,
  memoryBytes,
  source,
}: DaemonStatus): Html {
  const [tool = ''] = tools;
  return html`<dl>
    <dt>Version</dt>
    <dd>${sluice}, ${mode} mode</dd>
    <dt>Tool</dt>
    <dd>${tool}</dd>
    <dt>Kernel</dt>
    <dd>${kernel}</dd>
    <dt>Running since</dt>
    <dd>${timeOf(startedAtMs)}, ${Math.round(memoryBytes / 1e6)} MB</dd>
    <dt>Objects</dt>
    <dd>${sourceOf(source)}</dd>
  </dl>`;
}

function sourceOf(source: StatusSource): Html {
  const { count, first } = source.problems ?? { count: 0, first: [] };
  if (count === 0) return placeOf(source);
  return html`${placeOf(source)}:
    <span class="bad">${count} cannot be used, and what was good before is kept</span>
    <ul>
      ${first.map((line) => html`<li>${line}</li>`)}
    </ul>`;
}

function placeOf(source: StatusSource): Html {
  if (source.kind === 'manifests') return html`manifests at ${source.path}`;
  const { reach } = source;
  if (reach === undefined)
    return html`<span class="warn">API server: nothing heard of it yet</span>`;
  const since = timeOf(reach.sinceMs);
  return reach.isConnected
    ? html`<span class="good">API server, connected</span> since ${since}`
    : html`<span class="bad">API server not heard</span> since ${since}; the rules stay`;
}

function notProgrammed(
  { family, quarantined, conflicts }: FamilyState,
  services: PageData['services'],
): readonly Html[] {
  // One that got no address has no page.
  const named = (service: ServiceKey): Html | string =>
    services.has(service) ? serviceLink(service) : service;
  return [
    ...quarantined.first.map(
      ({ service, why }) =>
        html`<p><span class="warn">Quarantined</span> (${family}) ${named(service)}: ${why}</p>`,
    ),
    ...conflicts.first.map(
      ({ service, address, winner, reason }) =>
        html`<p>
          <span class="warn">Conflict</span> (${family}) ${named(service)}: ${address}:
          ${conflictText(winner, reason)}
        </p>`,
    ),
  ];
}

function familyTable({ families, nowMs }: DaemonStatus): Html {
  const rows = families.map(
    (one) =>
      html`<tr>
        <th scope="row">${one.family}</th>
        <td>${stateOf(one)}</td>
        <td class="wide">${timeOf(nowMs - one.sinceUpdateMs)}</td>
        <td class="n">${one.services}</td>
        <td class="n wide">${one.frontends}</td>
        <td class="n">${one.endpoints}</td>
        <td class="n">${one.quarantined.count}</td>
        <td class="n">${one.conflicts.count}</td>
      </tr>`,
  );
  return table(
    'Families of addresses',
    html`<th scope="col">Family</th>
      <th scope="col">State</th>
      <th scope="col" class="wide">In step at</th>
      <th scope="col" class="n">Services</th>
      <th scope="col" class="n wide">Addresses</th>
      <th scope="col" class="n">Endpoints</th>
      <th scope="col" class="n">Quarantined</th>
      <th scope="col" class="n">Conflicts</th>`,
    rows,
  );
}

function stateOf({ isHealthy, error }: FamilyState): Html {
  if (error !== undefined) return html`<span class="bad">failing</span>`;
  return isHealthy
    ? html`<span class="good">healthy</span>`
    : html`<span class="bad">behind</span>`;
}

function passTable({ passes }: DaemonStatus): Html {
  const rows = passes.last.flatMap((pass) => {
    // Of a pass that concerned one family there is nothing to say about the other.
    const touched = pass.families.filter(({ services, error }) => services.count > 0 || error);
    return (touched.length === 0 ? pass.families.slice(0, 1) : touched).map((family) =>
      passRow(pass, family),
    );
  });
  return table(
    'The last ten passes',
    html`<th scope="col" class="n">Pass</th>
      <th scope="col">Ended</th>
      <th scope="col" class="wide">Family</th>
      <th scope="col" class="n">ms</th>
      <th scope="col">Rules</th>
      <th scope="col">Services</th>`,
    rows,
  );
}

function passRow({ number, atMs }: PassRecord, family: FamilyRecord): Html {
  const { plan, services, error } = family;
  const more = services.count - services.first.length;
  const names = `${services.first.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
  const rules =
    error === undefined
      ? html`+${plan.create} ~${plan.replace} −${plan.delete}`
      : html`<span class="bad">failed</span>`;
  return html`<tr>
    <th scope="row" class="n">${number}</th>
    <td>${timeOf(atMs, 'short')}</td>
    <td class="wide">${family.family}</td>
    <td class="n">${family.durationMs.toFixed(1)}</td>
    <td>${rules}</td>
    <td class="wrap">${error ?? names}</td>
  </tr>`;
}

function serviceTable(names: readonly ServiceKey[], services: PageData['services']): Html {
  const rows = names.map((name) => {
    const frontends = (services.get(name) ?? []).flatMap((one) => one.frontends);
    const { members, skipped } = endpointsOf(frontends);
    const first = frontends.find((one) => one.kind === 'ClusterIP') ?? frontends[0];
    // Ports of a Service may have other endpoints each.
    const share = first === undefined ? 0 : endpointsOf([first]).members;
    return html`<tr>
      <th scope="row" class="wrap">${serviceLink(name)}</th>
      <td class="wide">${first === undefined ? '' : addressText(first)}</td>
      <td class="n wide">${frontends.length}</td>
      <td class="n">${members === 0 ? html`<span class="warn">0</span>` : members}</td>
      <td class="n wide">${share === 0 ? '–' : `${(100 / share).toFixed(1)} %`}</td>
      <td class="n">${skipped}</td>
    </tr>`;
  });
  return table(
    'Services',
    html`<th scope="col">Service</th>
      <th scope="col" class="wide">First address</th>
      <th scope="col" class="n wide">Addresses</th>
      <th scope="col" class="n">Endpoints</th>
      <th scope="col" class="n wide">Share each</th>
      <th scope="col" class="n">Skipped</th>`,
    rows,
  );
}

function endpointsOf(frontends: readonly Frontend[]) {
  const pools = frontends.map(({ route }) =>
    route.kind === 'forward-local' ? route.cluster : route.pool,
  );
  const members = new Set(
    pools.flatMap((pool) => pool.members.map(({ ip, port }) => hostPort(ip, port))),
  );
  const skipped = new Set(
    pools.flatMap((pool) => pool.skipped.map(({ endpoint: { ip, port } }) => hostPort(ip, port))),
  );
  return {
    members: members.size,
    skipped: [...skipped].filter((one) => !members.has(one)).length,
  };
}

function pageLinks(page: number, pages: number): Html {
  const link = (to: number, words: string): Html =>
    html`<a href="${pagePath}/${to}#services">${words}</a> `;
  return html`<p>
    Page ${page} of ${pages}: ${page > 1 ? link(page - 1, 'the one before') : undefined}
    ${page < pages ? link(page + 1, 'the next one') : undefined}
  </p>`;
}

/** A table that can be moved sideways where it is too wide, by keys too. */
export function table(caption: string, head: Html, rows: readonly Html[]): Html {
  return html`<div class="scroll" tabindex="0" role="region" aria-label="${caption}">
    <table>
      <thead>
        <tr>
          ${head}
        </tr>
      </thead>
      <tbody>
        ${rows}
      </tbody>
    </table>
  </div>`;
}

function serviceLink(name: ServiceKey): Html {
  const path = name.split('/').map((part) => encodeURIComponent(part));
  return html`<a href="${pagePath}/service/${path.join('/')}">${name}</a>`;
}

/** `tcp 10.96.0.10:80`, `tcp node port 30080`. */
export function addressText({ address: { ip, port, protocol } }: Frontend): string {
  return `${protocol} ${ip === undefined ? `node port ${port}` : hostPort(ip, port)}`;
}

function timeOf(ms: number, form: 'whole' | 'short' = 'whole'): Html {
  const iso = new Date(ms).toISOString();
  const [day, time] = [iso.slice(0, 10), iso.slice(11, 19)];
  return html`<time datetime="${iso}">${form === 'short' ? time : `${day} ${time} UTC`}</time>`;
}
