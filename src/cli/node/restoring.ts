// Who would put rules back that a clean-up removes: a daemon that runs on this node.
import { traitsOf } from '../../backends/traits.ts';
import { isKubeProxy } from '../../doctor/checks/proxies.ts';
import { findProxies } from '../../host/gather-facts.ts';
import type { Exec } from '../../host/tools/exec.ts';
import type { ProxyMode } from '../../model/config.ts';
import { localDaemon } from '../input/daemon.ts';
import type { Io } from '../io.ts';

const deleting = 'kubectl -n kube-system delete daemonset';

/**
 * What stands in the way of removing rules of one mode (all modes: undefined), and how to end it; undefined for
 * nothing. kube-proxy is in the way only where its own rules would be removed: where the mode is named.
 */
export async function restoring(
  exec: Exec,
  io: Io,
  named: ProxyMode | undefined,
): Promise<string | undefined> {
  const daemon = await localDaemon(io);
  const mode = daemon?.config.proxyMode;
  const isOther = named !== undefined && mode !== undefined && mode !== named;
  const proxies = await findProxies(exec);
  const ours = proxies.filter((one) => !isKubeProxy(one));
  if (!isOther && (ours.length > 0 || daemon !== undefined)) {
    const pids = ours.map(({ pid }) => pid).join(' ');
    const who = pids === '' ? `at ${daemon?.at}` : `process ${pids}`;
    const or = pids === '' ? '' : `, or kill ${pids}`;
    return `sluice run (${who}) puts its rules back: end it first (${deleting} sluice${or})`;
  }
  const kubeProxy = proxies.find(isKubeProxy);
  if (kubeProxy === undefined || named === undefined || !traitsOf(named).sharesNames)
    return undefined;
  return `kube-proxy (process ${kubeProxy.pid}) puts its rules back: end it first (${deleting} kube-proxy)`;
}
