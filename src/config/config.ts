// Makes the one frozen Config: the values of all fields and the host's name in, a Config or all that is
// wrong with them out. Each value was parsed already; here they must make sense together.
import { printable, quoted } from '../cluster/problem.ts';
import { UsageError } from '../errors.ts';
import type { Config, NftInput, ServiceCounters, SocketAddress } from '../model/config.ts';
import { parseIp, type Ip } from '../model/ip.ts';
import { detectLocal, nodePortAddresses } from './cluster-addresses.ts';
import { defaultValues, fields, type FieldFlagValues, type FieldValues } from './fields.ts';
import type { Value } from './field.ts';
import { flagOrigin, type Origin, type Report } from './origin.ts';
import { documentOf } from './resolved-document.ts';
import { defaultDebug, parseSocketAddress, withPort } from './values/socket-address.ts';
import { sectionValues } from './mode-section.ts';

/** The values that a Config is made of, by flag, those of fields and those of none. */
export type ConfigFlags = FieldFlagValues & {
  readonly 'debug-bind-address': string;
  readonly 'nft-input': NftInput;
  readonly 'service-counters': ServiceCounters;
  readonly master: string;
  readonly 'healthz-port': number;
  readonly 'metrics-port': number;
};

/** The Config that the flags ask for, deeply frozen; throws UsageError with a line for each fault. */
export function configFromFlags(flags: ConfigFlags, hostname: string): Config {
  const values = valuesFromFlags(flags);
  const { config, faults } = configFrom(values, { flags, hostname, origin: flagOrigin });
  if (faults.length > 0) throw new UsageError(faults.join('\n'));
  return config;
}

/** The values of all fields, as flags say them. */
function valuesFromFlags(flags: ConfigFlags): FieldValues {
  const byFlag: Readonly<Record<string, Value>> = flags;
  const values: Record<string, Value> = { ...defaultValues() };
  for (const row of fields) if ('flag' in row) values[row.path] = byFlag[row.flag];
  values['healthzBindAddress'] = addressOf(flags['healthz-bind-address'], flags['healthz-port']);
  values['metricsBindAddress'] = addressOf(flags['metrics-bind-address'], flags['metrics-port']);
  // The tables give a field and its flag one type.
  return values as FieldValues;
}

// Port 0 is how kube-proxy is configured to serve nothing.
function addressOf(text: string, port: number): string {
  return port === 0 ? '' : withPort(text, port);
}

/** What a Config depends on besides its fields. */
export type ConfigContext = {
  readonly flags: Pick<
    ConfigFlags,
    'debug-bind-address' | 'nft-input' | 'service-counters' | 'master'
  >;
  readonly hostname: string;
  readonly origin: Origin;
};

/** The Config that the values make, deeply frozen, with a line for each fault: then it is not to be used. */
export function configFrom(
  values: FieldValues,
  context: ConfigContext,
): { readonly config: Config; readonly faults: readonly string[] } {
  const faults: string[] = [];
  const report: Report = (path, why) =>
    void faults.push(`${context.origin.placeOf(path)}: ${printable(why)}`);
  const section = sectionValues(values, report);
  const resolved = nodePortAddresses(values, report);
  const config: Config = {
    proxyMode: values.mode,
    nodeName: nodeName(values.hostnameOverride, context, faults),
    detectLocal: detectLocal(values, context.origin, report),
    nodePortAddresses: resolved,
    localhostNodePorts: values['iptables.localhostNodePorts'],
    ...section,
    nftInput: context.flags['nft-input'],
    serviceCounters: context.flags['service-counters'],
    ...servingConfig(values, report),
    debugBindAddress: debugAddress(context.flags['debug-bind-address'], faults),
    ...hostConfig(values),
    clientConnection: clientConnection(values, context.flags.master),
    logging: { format: values['logging.format'], verbosity: values['logging.verbosity'] },
    document: documentOf({
      ...values,
      // kube-proxy's only two.
      'logging.format': values['logging.format'] === 'json' ? 'json' : 'text',
      nodePortAddresses: resolved === 'primary' ? ['primary'] : resolved,
    }),
  };
  return { config: deepFreeze(config), faults };
}

/** kube-proxy compares node names trimmed and in lower case, and a blank one is an error. */
function nodeName(override: string, { hostname, origin }: ConfigContext, faults: string[]): string {
  const name = (override || hostname).trim().toLowerCase();
  // Only what someone typed is checked: what a host calls itself is nothing that a flag could mend.
  if (override && !/^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/.test(name)) {
    faults.push(
      `${origin.placeOf('hostnameOverride')}: ${quoted(override)} cannot be the name of a node`,
    );
  } else if (name === '') {
    faults.push(`this host has no name: set ${origin.nameOf('hostnameOverride')}`);
  }
  return name;
}

// What stands where a fault was reported: the Config is not used then.
const anywhere: SocketAddress = { ip: '0.0.0.0' as Ip, port: 0 };

function servingConfig(values: FieldValues, report: Report) {
  const { bindAddress, healthzBindAddress, metricsBindAddress } = values;
  const bindIp = parseIp(bindAddress);
  if (bindIp === undefined) report('bindAddress', `${quoted(bindAddress)} is not an IP address`);
  const address = (path: 'healthzBindAddress' | 'metricsBindAddress'): SocketAddress => {
    const parsed = parseSocketAddress(values[path]);
    if (typeof parsed === 'string') report(path, `${quoted(values[path])}: ${parsed}`);
    return typeof parsed === 'string' ? anywhere : parsed;
  };
  const healthz = healthzBindAddress === '' ? undefined : address('healthzBindAddress');
  checkHiddenMetrics(values, report);
  if (metricsBindAddress === '') report('metricsBindAddress', 'cannot be switched off');
  return {
    bindAddress: bindIp ?? anywhere.ip,
    healthzBindAddress: healthz,
    metricsBindAddress: metricsBindAddress === '' ? anywhere : address('metricsBindAddress'),
    bindAddressHardFail: values.bindAddressHardFail,
  };
}

function debugAddress(text: string, faults: string[]): SocketAddress {
  const parsed = parseSocketAddress(withPort(text, defaultDebug.port));
  if (typeof parsed !== 'string') return parsed;
  faults.push(`--debug-bind-address: ${quoted(text)}: ${parsed}`);
  return anywhere;
}

// The minor version of Kubernetes whose kube-proxy this one follows.
const kubernetesMinor = 36;

/** Metrics that one version hides can be shown for one version more, so only the last one makes sense. */
function checkHiddenMetrics(
  { showHiddenMetricsForVersion: version }: FieldValues,
  report: Report,
): void {
  const previous = `1.${kubernetesMinor - 1}`;
  if (version === '' || version === previous) return;
  const why = `${quoted(version)} is not the previous minor version, ${previous}`;
  report('showHiddenMetricsForVersion', why);
}

function hostConfig(values: FieldValues) {
  return {
    oomScoreAdj: values.oomScoreAdj,
    conntrack: {
      maxPerCore: values['conntrack.maxPerCore'],
      min: values['conntrack.min'],
      tcpEstablishedTimeoutMs: values['conntrack.tcpEstablishedTimeout'],
      tcpCloseWaitTimeoutMs: values['conntrack.tcpCloseWaitTimeout'],
      tcpBeLiberal: values['conntrack.tcpBeLiberal'],
      udpTimeoutMs: values['conntrack.udpTimeout'],
      udpStreamTimeoutMs: values['conntrack.udpStreamTimeout'],
    },
  };
}

function clientConnection(values: FieldValues, master: string): Config['clientConnection'] {
  return {
    kubeconfig: values['clientConnection.kubeconfig'] || undefined,
    master: master || undefined,
  };
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const inner of Object.values(value)) deepFreeze(inner);
  }
  return value;
}
