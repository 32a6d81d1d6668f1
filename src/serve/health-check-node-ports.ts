// The servers at healthCheckNodePort: a load balancer asks whether this node has endpoints of a Service.
// In: what each Service has. Out: an HTTP server each, on every address that takes node ports.
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { HealthCheck } from '../model/forwarding.ts';
import type { ServiceKey } from '../model/kubernetes.ts';

/** A port that could not be opened, and why. */
export type FailedPort = {
  readonly service: ServiceKey;
  readonly port: number;
  readonly error: Error;
};

/** What the servers of one family are to be. */
export type HealthCheckUpdate = {
  /** What these Services have now; undefined: no port. All others stay as they are. */
  readonly checks: ReadonlyMap<ServiceKey, HealthCheck | undefined>;
  /** The addresses to listen on; `0.0.0.0` or `::` for all of a family. */
  readonly addresses: readonly string[];
};

type Served = { check: HealthCheck; readonly servers: readonly Server[]; isClosed: boolean };

/**
 * The servers of one family. Invariant: #served and #failed together hold every Service that has a port;
 * each of #served listens on all of #addresses, none of #failed on any.
 */
export class HealthCheckNodePorts {
  readonly #isProxyHealthy: () => boolean;
  readonly #served = new Map<ServiceKey, Served>();
  readonly #failed = new Map<ServiceKey, HealthCheck>();
  #addresses: readonly string[] = [];

  /** `isProxyHealthy` says whether the rules follow the cluster: asked with each request. */
  constructor(isProxyHealthy: () => boolean) {
    this.#isProxyHealthy = isProxyHealthy;
  }

  /** Takes over an update, and tries again what failed before; returns what fails now. */
  async update({ checks, addresses }: HealthCheckUpdate): Promise<readonly FailedPort[]> {
    const wanted = new Map(this.#failed);
    this.#failed.clear();
    if (addresses.join() !== this.#addresses.join()) {
      for (const [service, { check }] of this.#served) wanted.set(service, check);
      this.#addresses = addresses;
      for (const service of this.#served.keys()) this.#close(service);
    }
    for (const [service, check] of checks) {
      wanted.delete(service);
      const served = this.#served.get(service);
      if (check !== undefined && served?.check.port === check.port) served.check = check;
      else if (check !== undefined) wanted.set(service, check);
    }
    // Ports that are left come free before others take them.
    for (const service of checks.keys()) if (this.#hasMoved(service, checks)) this.#close(service);
    return this.#openAll(wanted);
  }

  /** Closes all of them, with the connections that are open. */
  close(): void {
    this.#failed.clear();
    for (const [service, { servers }] of this.#served) {
      this.#close(service);
      for (const server of servers) server.closeAllConnections();
    }
  }

  #hasMoved(service: ServiceKey, checks: HealthCheckUpdate['checks']): boolean {
    const served = this.#served.get(service);
    return served !== undefined && served.check.port !== checks.get(service)?.port;
  }

  async #openAll(wanted: ReadonlyMap<ServiceKey, HealthCheck>): Promise<readonly FailedPort[]> {
    const failures: FailedPort[] = [];
    for (const [service, check] of [...wanted].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
      try {
        await this.#open(service, check);
      } catch (error) {
        this.#failed.set(service, check);
        failures.push({ service, port: check.port, error: error as Error });
      }
    }
    return failures;
  }

  async #open(service: ServiceKey, check: HealthCheck): Promise<void> {
    const answer = (request: IncomingMessage, response: ServerResponse): void =>
      this.#answer(service, served, { request, response });
    const servers = this.#addresses.map(() => createServer(answer));
    const served: Served = { check, servers, isClosed: false };
    try {
      await allOrError(
        servers.map((server, index) => listen(server, check.port, this.#addresses[index] ?? '')),
      );
    } catch (error) {
      for (const server of servers) closeServer(server);
      throw error;
    }
    this.#served.set(service, served);
  }

  #close(service: ServiceKey): void {
    const served = this.#served.get(service);
    if (served === undefined) return;
    this.#served.delete(service);
    served.isClosed = true;
    for (const server of served.servers) closeServer(server);
  }

  #answer(
    service: ServiceKey,
    { check, isClosed }: Served,
    { request, response }: { request: IncomingMessage; response: ServerResponse },
  ): void {
    request.resume();
    // One that comes while the port is being closed must not be sent here again.
    const localEndpoints = isClosed ? 0 : check.localEndpoints;
    const serviceProxyHealthy = this.#isProxyHealthy();
    const [namespace, name] = service.split('/');
    const body = { service: { namespace, name }, localEndpoints, serviceProxyHealthy };
    response.writeHead(localEndpoints > 0 && serviceProxyHealthy ? 200 : 503, {
      'Content-Type': 'application/json',
      'X-Content-Type-Options': 'nosniff',
      'X-Load-Balancing-Endpoint-Weight': String(localEndpoints),
      ...(isClosed ? { Connection: 'close' } : {}),
    });
    response.end(JSON.stringify(body, null, '\t'));
  }
}

// All have come to an end, one way or the other, before it is known that one failed.
async function allOrError(attempts: readonly Promise<void>[]): Promise<void> {
  for (const result of await Promise.allSettled(attempts)) {
    if (result.status === 'rejected') throw result.reason;
  }
}

async function listen(server: Server, port: number, host: string): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject);
  // `::` is of IPv6 alone: the server of IPv4 has its own socket.
  server.listen({ port, host, ipv6Only: true }, resolve);
  await promise;
  server.off('error', reject);
}

// The port is free at once; answers that are under way are finished.
function closeServer(server: Server): void {
  if (server.listening) server.close();
  server.closeIdleConnections();
}
