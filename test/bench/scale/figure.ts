// What the bench measures and how it is told.

/** One measured figure; within its bound where `value` does not exceed it. */
export type Figure = {
  /** The part of the bench that it comes from. */
  readonly part: string;
  readonly name: string;
  readonly services: number;
  readonly unit: 'us' | 'ms' | 'MB' | 'lost' | 'elements' | 'x';
  readonly value: number;
  /** Undefined: there is none, the figure is told beside others. */
  readonly bound: number | undefined;
  /** The time of the kernel's own tool for the same rules. */
  readonly floorMs?: number;
  readonly note?: string;
};

/** What the parts work with. */
export type PartOptions = {
  readonly sluiceFile: string;
  readonly folder: string;
  /** How many Services a part is measured with: its own numbers, those for a first look, or what was asked for. */
  readonly sizes: (whole: readonly number[], quick: readonly number[]) => readonly number[];
  /** Neither a first look, nor at a size of its own. */
  readonly isWhole: boolean;
  /** How much is measured: 1, or a part of it for a first look. */
  readonly share: number;
  /** A file that `nft -f` loads in place of Sluice's rules, to see what packets cost with it. */
  readonly rules: string | undefined;
  readonly say: (figure: Omit<Figure, 'part'>) => void;
};
