// Does more than one Service proxy run here? Each would undo what the other does.
import type { Check } from '../../host/finding.ts';
import type { ProcessFacts } from '../../host/node-facts.ts';

/** Whether a process is kube-proxy; else it is one of ours. */
export function isKubeProxy({ command }: ProcessFacts): boolean {
  return /^\S*kube-proxy( |$)/.test(command);
}

export const proxiesCheck: Check = ({ proxies }) => {
  const check = 'proxies';
  const kubeProxies = proxies.filter(isKubeProxy);
  const [first, ...others] = proxies.filter((one) => !isKubeProxy(one));
  const [kubeProxy] = kubeProxies;
  if (kubeProxy !== undefined) {
    const finding = `kube-proxy runs here (process ${kubeProxy.pid}): it writes its rules again and again`;
    const fix = 'kubectl -n kube-system delete daemonset kube-proxy';
    return [{ check, status: 'fail', finding, fix }];
  }
  if (first !== undefined && others.length > 0) {
    const pids = others.map(({ pid }) => pid).join(' ');
    const finding = `sluice run is there ${others.length + 1} times (processes ${first.pid} ${pids})`;
    return [{ check, status: 'fail', finding, fix: `kill ${pids}` }];
  }
  const finding = first === undefined ? 'none to be seen' : `sluice run, process ${first.pid}`;
  return [{ check, status: 'ok', finding }];
};
