// `sluice doctor`: looks at this node, and names what is wrong with the command that mends it. Changes
// nothing.
import { withBackend } from '../../backends/index.ts';
import { nodesOfEndpoints, noNodeText } from '../../cluster/doubts/no-node.ts';
import { printable, quoted } from '../../cluster/problem.ts';
import { modeFound } from '../../backends/checks.ts';
import { canAskForRules, diagnose, settingNames } from '../../doctor/diagnose.ts';
import type { Finding, Status, Wanted } from '../../host/finding.ts';
import { SluiceError, UsageError } from '../../errors.ts';
import type { Exec } from '../../host/tools/exec.ts';
import { gatherFacts } from '../../host/gather-facts.ts';
import { defaultProxyMode, type ProxyMode } from '../../model/config.ts';
import type { Daemon } from '../input/daemon.ts';
import { daemonAt, localDaemon } from '../input/daemon.ts';
import type { Io } from '../io.ts';
import { exitCodes } from '../io.ts';
import { screenOf, type Screen } from '../report/screen.ts';
import { wrap } from '../report/wrap.ts';

export type DoctorOptions = {
  /** Undefined: the daemon's, else that of the rules of ours that are here, else nftables. */
  readonly proxyMode: ProxyMode | undefined;
  /** As the API server's --service-node-port-range. */
  readonly nodePortRange: string;
  /** The address of its debug server; undefined: where it is by default, if there is one. */
  readonly daemon: string | undefined;
  /** What this node is to be called; undefined: as the daemon calls it. */
  readonly nodeName: string | undefined;
  readonly output: 'text' | 'json';
  /** Of the Node that runs this. */
  readonly nodeVersion: string;
};

/** Prints what it finds: 0 all well, 1 something to mend, 2 something could not be looked at. */
export async function doctorCommand(options: DoctorOptions, exec: Exec, io: Io): Promise<number> {
  const { stdout } = io;
  const nodePorts = portRange(options.nodePortRange);
  const facts = await gatherFacts(exec, { node: options.nodeVersion, settings: settingNames });
  const daemon =
    options.daemon === undefined ? await localDaemon(io) : await daemonAt(options.daemon, io);
  const proxyMode =
    options.proxyMode ?? daemon?.config.proxyMode ?? modeFound(facts) ?? defaultProxyMode;
  const wanted: Wanted = { proxyMode, nodePorts };
  const rulesRefusal = canAskForRules(facts, wanted) ? await refusalOf(exec, proxyMode) : undefined;
  const findings = [
    ...diagnose({ ...facts, rulesRefusal }, wanted),
    ...(daemon === undefined ? [] : [nodeNameFinding(daemon, options.nodeName)]),
  ];
  stdout.write(
    options.output === 'json'
      ? `${JSON.stringify({ proxyMode, findings }, null, 2)}\n`
      : findingsText(findings, screenOf(stdout)),
  );
  const has = (...wantedStatus: readonly Status[]): boolean =>
    findings.some(({ status }) => wantedStatus.includes(status));
  if (has('unknown')) return exitCodes.failed;
  return has('warn', 'fail') ? exitCodes.different : exitCodes.same;
}

/** Whether the daemon runs as a Node that there is. */
function nodeNameFinding({ config: { nodeName: name }, objects }: Daemon, wanted = name): Finding {
  const check = 'node name';
  const restart = (as: string): string => `sluice run --hostname-override ${as}`;
  if (name !== wanted) {
    const finding = `the daemon runs as ${quoted(name)}, not as ${quoted(wanted)}`;
    return { check, status: 'fail', finding, fix: restart(wanted) };
  }
  const finding = noNodeText(objects, name);
  if (finding === '') return { check, status: 'ok', finding: `${name}, as the daemon runs` };
  // Endpoints are on a node of this name: the name is right, and its object is missing.
  const fix = nodesOfEndpoints(objects).includes(name)
    ? `kubectl get node ${name} -o yaml, and add it to the manifests`
    : restart('NODE');
  return { check, status: 'warn', finding, fix };
}

/** What a start in this mode would end with; undefined if it would go on. */
async function refusalOf(exec: Exec, proxyMode: ProxyMode): Promise<string | undefined> {
  const config = { proxyMode, nftInput: 'auto', serviceCounters: 'off' } as const;
  try {
    await withBackend(exec, config, (backend) => backend.probe());
    return undefined;
  } catch (error) {
    if (error instanceof SluiceError) return error.message;
    throw error;
  }
}

function portRange(text: string): Wanted['nodePorts'] {
  const [, first, last] = /^(\d{1,5})-(\d{1,5})$/.exec(text) ?? [];
  const range = { first: Number(first), last: Number(last) };
  if (last !== undefined && range.first <= range.last && range.last <= 65_535) return range;
  throw new UsageError('--service-node-port-range: a range such as 30000-32767 is needed');
}

const marks: Readonly<Record<Status, string>> = { ok: '✓', warn: '!', fail: '✗', unknown: '?' };
const colours = { ok: 'green', warn: 'yellow', fail: 'red', unknown: 'dim' } as const;

/** A table: mark, check, finding, and below each one that is to be mended the command for it. */
export function findingsText(
  findings: readonly Finding[],
  { paint, columns }: Pick<Screen, 'paint' | 'columns'>,
): string {
  const width = Math.max(...findings.map(({ check }) => check.length));
  const lines = findings.flatMap(({ check, status, finding, fix }) => {
    const mark = paint(colours[status], `${marks[status]} ${status.padEnd(7)}`);
    const indent = ' '.repeat(width + markWidth);
    const [first = '', ...more] = wrap(
      printable(finding),
      Math.max(columns - indent.length, fewestColumns),
    );
    const lines = [`${mark}  ${check.padEnd(width)}  ${first}`, ...more.map((one) => indent + one)];
    // A command stays in one piece, to be copied.
    return fix === undefined
      ? lines
      : [...lines, `${indent}${paint('bold', `fix: ${printable(fix)}`)}`];
  });
  const count = (status: Status): string =>
    `${findings.filter((one) => one.status === status).length} ${status}`;
  const sum = (['ok', 'warn', 'fail', 'unknown'] as const).map(count).join(', ');
  return [...lines, '', sum, ''].join('\n');
}

// Mark and status, and the blanks round the check.
const markWidth = 13;
const fewestColumns = 20;
