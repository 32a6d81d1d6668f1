// What a way of programming netfilter must be able to do. The pure half is an Assembly; the rest are
// the only effects on the kernel's rules.
import type { ToolError } from '../errors.ts';
import type { SettingChange } from '../host/kernel/sysctl.ts';
import type { Family } from '../model/ip.ts';
import type { ProxyMode } from '../model/config.ts';
import type { ServiceKey } from '../model/kubernetes.ts';
import type { Part, ServiceRules } from '../model/ruleset.ts';
import type { FamilySettings } from '../model/settings.ts';
import type { TouchOf } from '../netfilter/table-changes.ts';
import type { Counted } from '../netfilter/counted.ts';
import type { Plan } from '../netfilter/plan.ts';
import type { Program, Unit } from '../netfilter/program.ts';
import type { Served } from '../netfilter/served.ts';
import type { RuleTracer, TracedHost } from './rules-met.ts';

/**
 * The units of some Services that a change touches: as they were, and as they are to be. Units that stay as they are may
 * be in both or in neither.
 */
export type Change<U extends Unit> = { readonly before: Program<U>; readonly after: Program<U> };

/**
 * The Program of one family, kept piece by piece, so that a change costs what it touches. What it
 * holds is a function of the pieces alone, but for an order that means nothing: of endpoints in slots, which
 * stay where they stand.
 */
export interface Assembly<U extends Unit> {
  /** Replaces the pieces of these Services (undefined: gone); says which units that touches. */
  replace(pieces: ReadonlyMap<ServiceKey, ServiceRules | undefined>): Change<U>;
  /** Orders what may be in any order as it is in these units, so that nothing is moved for nothing. */
  adopt?(units: Iterable<U>): void;
  /** All units there are now, each once. */
  units(): Iterable<U>;
  /** The same as a Program, which takes long to put together where there are many. */
  whole(): Program<U>;
}

/** What the tools of this machine can do: found out once, at start. */
export type Capabilities = {
  readonly families: readonly Family[];
  /** What was found, for the log and for people; one short sentence each. */
  readonly findings: readonly string[];
};

/** What compiles rules. */
export interface Assembler<U extends Unit = Unit> {
  assemble(parts: readonly Part[], settings: FamilySettings): Assembly<U>;
}

/** What a backend does without any tool. */
export interface PureBackend<U extends Unit = Unit> extends Assembler<U> {
  readonly name: ProxyMode;
  /** What sends packets through the rules of a Program, as they are spelled. */
  tracer(program: Program<U>, host: TracedHost): RuleTracer;
  /** What a Program does for the clients of each Service address. */
  served(family: Family, program: Program<U>): readonly Served[];
}

/** A way of programming the kernel. */
export interface Backend<U extends Unit = Unit> extends PureBackend<U> {
  /** Finds out what the tools can do; throws MissingToolError or ToolError where they cannot serve. */
  probe(): Promise<Capabilities>;
  /** What the tool itself prints of the rules that are there; '' or an empty listing for none. */
  list(family: Family): Promise<string>;
  /** What of ours the kernel holds now; an empty Program where there is nothing. */
  observe(family: Family): Promise<Program<U>>;
  /** A whole Program as a saved ruleset reads it back (`--against`), in this backend's own format. */
  parse(family: Family, saved: string): Program<U> | Promise<Program<U>>;
  /** New connections that the kernel counted so far: none of what it does not count. */
  connections(family: Family): Promise<readonly Counted[]>;
  /** The input of the one transaction that carries out a plan, or '' for an empty plan. */
  encode(family: Family, plan: Plan<U>): string;
  /** Input of the tool that puts a whole Program there, whatever was there before of ours; it can be loaded again. */
  render(family: Family, program: Program<U>): string;
  /** The ids of the units that a refusal is about, as far as the tool names them. */
  unitsNamedIn(refusal: ToolError): readonly string[];
  /**
   * Carries out a plan; throws ToolError where it fails. In one transaction, which then changed nothing; a large
   * one may be carried out in parts, each of which leaves every chain of a Service as it was or as it is to be.
   */
  apply(family: Family, plan: Plan<U>): Promise<void>;
  /** Which changes in tables are of our rules; undefined where the kernel reports none. After probe. */
  touches(): TouchOf | undefined;
  /**
   * Whether what a flush takes away first is still there, for a time when nothing reports changes; undefined
   * where that cannot be known now. Far cheaper than observe.
   */
  canariesStand?(family: Family): Promise<boolean | undefined>;
  /**
   * Undoes what was set on this host for the rules of a family, before all of them go; says in words what it undid,
   * undefined where nothing was.
   */
  tidy?(family: Family): Promise<string | undefined>;
  /** Of what stays in every plan, what nobody else uses now: it goes with the last of our rules. */
  unused?(family: Family): Promise<readonly U[]>;
  /** The settings of this host that tidy would change. */
  untidy?(family: Family): Promise<readonly SettingChange[]>;
  /** Whether there can be rules of ours here; asks what a tool that probe refuses can still say. Absent: there can. */
  readonly mayHold?: (family: Family) => Promise<boolean>;
  /** Where else rules of ours were found by probe, in the way of those here; for a clean-up. */
  elsewhere?(): readonly Elsewhere<U>[];
}

/** Another place for the same kind of rules, such as the other of two programs called iptables. */
export type Elsewhere<U extends Unit> = {
  readonly family: Family;
  observe(): Promise<Program<U>>;
  apply(plan: Plan<U>): Promise<void>;
};
