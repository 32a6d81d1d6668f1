// What a start changes on a node besides the rules of its own mode: the rules of others, and ours of the other mode,
// that go; settings of the kernel; and the file that keeps what was there. Nothing is changed here.
import { traitsOf } from '../backends/traits.ts';
import { differingSettings } from '../host/kernel/conntrack-sysctls.ts';
import { routeLocalnetToAllow } from '../host/kernel/route-localnet.ts';
import type { SettingChange } from '../host/kernel/sysctl.ts';
import type { Exec } from '../host/tools/exec.ts';
import type { Config } from '../model/config.ts';
import type { Family, Ip } from '../model/ip.ts';
import type { ClusterObject } from '../model/kubernetes.ts';
import { readBefore } from './before-file.ts';
import type { FoundRuleset } from './other-rules.ts';
import { isKubeProxys, settingsWith } from './other-rules.ts';
import type { ShadowReport } from './shadow.ts';
import { compareWithOthers } from './shadow.ts';
import { findReplaced } from './take-over.ts';

/** All of them; in the order in which they come. */
export type NodeChanges = {
  /** What is removed once the new rules are in place. */
  readonly rulesets: readonly FoundRuleset[];
  readonly settings: readonly SettingChange[];
  /** How our rules compare with those that they take the place of; none where there are none. */
  readonly comparisons: readonly ShadowReport[];
  /** The files, or folders, that are made. */
  readonly files: readonly { readonly path: string; readonly what: string }[];
};

/** What they depend on. */
export type NodeChangesOptions = {
  readonly config: Config;
  readonly objects: readonly ClusterObject[];
  readonly hostIps: readonly Ip[];
  readonly families: readonly Family[];
  /** Where existing rules are backed up. */
  readonly beforeFile: string;
  /** Node ports are to answer at 127.0.0.1. */
  readonly localhostNodePorts: boolean;
};

/** Finds out what a start would change; reads the kernel. */
export async function nodeChanges(exec: Exec, options: NodeChangesOptions): Promise<NodeChanges> {
  const { config, families, beforeFile, localhostNodePorts } = options;
  const { owner } = traitsOf(config.proxyMode);
  const found = await findReplaced(exec, families, config.proxyMode);
  // Under shared names kube-proxy's rules are replaced in place, and backed up all the same.
  const rulesets = found.filter((one) => one.owner !== owner);
  const isBackedUp = found.some(isKubeProxys) && (await readBefore(beforeFile)) === undefined;
  const settings = [...(await differingSettings(exec, config.conntrack))];
  if (localhostNodePorts) settings.push(...(await routeLocalnetToAllow(exec)));
  for (const ruleset of rulesets) settings.push(...(await settingsWith(exec, ruleset)));
  const backup = { path: beforeFile, what: 'the existing rules, for sluice rollback' };
  const comparisons =
    found.length === 0 ? [] : await compareWithOthers(exec, { families, found }, options);
  return { rulesets, settings, comparisons, files: isBackedUp ? [backup] : [] };
}

/** Whether there are none. */
export function isNothing({ rulesets, settings, files }: NodeChanges): boolean {
  return rulesets.length + settings.length + files.length === 0;
}
